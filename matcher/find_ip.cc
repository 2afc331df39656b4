// IP addresses: version 4 in dotted decimal, version 6 in any form of RFC 4291.
#include <array>

#include "matcher/builtin_finders.h"
#include "matcher/candidates.h"

namespace sluice::matcher {
namespace {

constexpr std::size_t ipv6_text_bytes_max = 45;  // Eight groups with an embedded IPv4 address.

/// One octet, at most three digits; gives its end.
std::optional<std::size_t> octet_at(const Window& window, std::size_t at) noexcept {
  std::size_t end = at;
  unsigned value = 0;
  while (end - at < 3 && window.has_at(end, byte_class::digit)) {
    value = value * 10 + window.bytes[end] - '0';
    ++end;
  }
  if (end == at || value > 255) return std::nullopt;
  return end;
}

std::optional<std::size_t> four_octets_at(const Window& window, std::size_t start) noexcept {
  std::size_t at = start;
  for (int i = 0; i < 4; ++i) {
    if (i > 0) {
      if (!window.is_at(at, '.')) return std::nullopt;
      ++at;
    }
    const auto end = octet_at(window, at);
    if (!end) return std::nullopt;
    at = *end;
  }
  return at;
}

/// Whether [at, end) is an IPv6 address (RFC 4291 §2.2), with at least one group.
bool is_ipv6(const Window& window, std::size_t at, std::size_t end) noexcept {
  std::size_t groups = 0;
  bool has_gap = false;
  bool wants_group = true;  // The text may not end in a single colon.
  if (window.is_at(at, ':')) {
    if (at + 1 >= end || !window.is_at(at + 1, ':')) return false;
    has_gap = true;
    wants_group = false;
    at += 2;
  }
  while (at < end) {
    std::size_t group_end = at;
    while (group_end < end && is_in(window.bytes[group_end], byte_class::hex)) ++group_end;
    if (group_end < end && window.bytes[group_end] == '.') {
      const auto tail = four_octets_at(window, at);
      if (!tail || *tail != end) return false;
      groups += 2;
      wants_group = false;
      break;
    }
    if (group_end == at || group_end - at > 4) return false;
    ++groups;
    wants_group = false;
    at = group_end;
    if (at == end) break;
    ++at;  // A colon: the run holds nothing else.
    wants_group = true;
    if (at < end && window.bytes[at] == ':') {
      if (has_gap) return false;
      has_gap = true;
      wants_group = false;
      ++at;
    }
  }
  if (wants_group || groups == 0) return false;
  return has_gap ? groups <= 7 : groups == 8;
}

bool is_ip_character(std::uint8_t byte) noexcept {
  return is_in(byte, byte_class::hex) || byte == ':' || byte == '.';
}

/// Checks the run [start, end) of address characters, less punctuation around it.
void add_ipv6(const Window& window, std::size_t start, std::size_t end, MatchTable& out) noexcept {
  const auto is_single_colon = [&](std::size_t at, std::size_t neighbour) {
    return window.bytes[at] == ':' && window.bytes[neighbour] != ':';
  };
  bool has_left_edge = !window.has_before(start, byte_class::alnum);
  bool has_right_edge = !window.has_at(end, byte_class::alnum);
  if (end - start >= 2 && is_single_colon(start, start + 1)) {
    ++start;
    has_left_edge = true;
  }
  if (end - start >= 2 && (window.bytes[end - 1] == '.' || is_single_colon(end - 1, end - 2))) {
    --end;
    has_right_edge = true;
  }
  if (!has_left_edge || !has_right_edge) return;
  if (start < window.undecided || start >= window.horizon()) return;
  if (end - start > ipv6_text_bytes_max || !is_ipv6(window, start, end)) return;
  out.add(start, end);
}

}  // namespace

std::optional<std::size_t> ipv4_at(const Window& window, std::size_t start) noexcept {
  const bool continues_number =
      start >= 2 && window.bytes[start - 1] == '.' && is_digit(window.bytes[start - 2]);
  if (continues_number) return std::nullopt;
  const auto end = four_octets_at(window, start);
  if (!end || window.has_at(*end, byte_class::alnum)) return std::nullopt;
  if (window.is_at(*end, '.') && window.has_at(*end + 1, byte_class::digit)) return std::nullopt;
  return end;
}

void find_ips(const Window& window, MatchTable& out) noexcept {
  const auto ask = [](const std::uint8_t* block) {
    const Lanes bytes = Lanes::load(block);
    return Candidates{bytes.is_digit().bits(), bytes.is_alnum().bits()};
  };
  visit_candidates(window, byte_class::alnum, ask, [&](std::size_t at) {
    if (const auto end = ipv4_at(window, at)) out.add(at, *end);
  });
  const std::size_t horizon = window.horizon();
  // Runs are taken whole, so the first one may begin in what is already decided.
  std::size_t at = window.undecided;
  while (at > 0 && window.undecided - at <= ipv6_text_bytes_max &&
         is_ip_character(window.bytes[at - 1])) {
    --at;
  }
  while (at < horizon) {
    if (!is_ip_character(window.bytes[at])) {
      ++at;
      continue;
    }
    const std::size_t start = at;
    bool has_colon = false;
    while (at < window.size && is_ip_character(window.bytes[at])) {
      has_colon = has_colon || window.bytes[at] == ':';
      ++at;
    }
    if (has_colon) add_ipv6(window, start, at, out);
  }
}

}  // namespace sluice::matcher
