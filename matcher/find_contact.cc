// E-mail addresses and telephone numbers.
#include <algorithm>
#include <array>
#include <initializer_list>

#include "matcher/builtin_finders.h"
#include "matcher/candidates.h"

namespace sluice::matcher {
namespace {

/// RFC 5321 §4.5.3.1: the local part has at most 64 bytes, the domain 255; RFC
/// 1035 §2.3.4: a label has at most 63.
constexpr std::size_t local_bytes_max = 64;
constexpr std::size_t domain_bytes_max = 253;
constexpr std::size_t label_bytes_max = 63;

std::size_t start_of_local(const Window& window, std::size_t at_sign) noexcept {
  std::size_t start = at_sign;
  while (start > 0 && at_sign - start < local_bytes_max &&
         is_in(window.bytes[start - 1], byte_class::mail_local)) {
    --start;
  }
  // Neither a quote nor a dot begins one, and no code point is cut in two.
  const auto cannot_begin = [](std::uint8_t byte) {
    return byte == '\'' || byte == '.' || (byte & 0xC0) == 0x80;
  };
  while (start < at_sign && cannot_begin(window.bytes[start])) ++start;
  return start;
}

/// End of the domain behind the '@': the last label that can be a top-level one.
std::optional<std::size_t> end_of_domain(const Window& window, std::size_t at_sign) noexcept {
  const std::size_t begin = at_sign + 1;
  std::optional<std::size_t> end;
  std::size_t label = begin;
  for (;;) {
    std::size_t label_end = label;
    while (label_end - label <= label_bytes_max &&
           window.has_at(label_end, byte_class::mail_label)) {
      ++label_end;
    }
    const std::size_t label_size = label_end - label;
    if (label_size == 0 || label_size > label_bytes_max) return end;
    if (label_end - begin > domain_bytes_max) return end;
    const bool is_top_level = label != begin && label_size >= 2 &&
                              is_in(window.bytes[label], byte_class::letter | byte_class::high);
    if (is_top_level) end = label_end;
    if (!window.is_at(label_end, '.')) return end;
    label = label_end + 1;
  }
}

bool is_phone_separator(std::uint8_t byte) noexcept {
  return byte == ' ' || byte == '-' || byte == '.' || byte == '/';
}

/// ITU-T E.164: a plus sign, then 8 to 15 digits in groups.
std::optional<std::size_t> international_at(const Window& window, std::size_t start) noexcept {
  constexpr std::size_t digits_min = 8;
  constexpr std::size_t digits_max = 15;
  if (!window.has_at(start + 1, byte_class::digit) || window.bytes[start + 1] == '0') {
    return std::nullopt;
  }
  std::optional<std::size_t> end;
  std::size_t digits = 0;
  std::size_t at = start + 1;
  for (;;) {
    const std::size_t group = at;
    while (at - group <= digits_max && window.has_at(at, byte_class::digit)) ++at;
    digits += at - group;
    if (digits > digits_max) return end;
    if (digits >= digits_min) end = at;
    // Between groups: one separator, or brackets around a group with or without one.
    std::size_t next = at;
    if (next < window.size && is_phone_separator(window.bytes[next])) ++next;
    if (window.is_at(next, '(')) {
      ++next;
    } else if (window.is_at(next, ')')) {
      ++next;
      if (next < window.size && is_phone_separator(window.bytes[next])) ++next;
    }
    if (next == at || !window.has_at(next, byte_class::digit)) return end;
    at = next;
  }
}

/// Sizes of up to five digit groups, four bits each, the first one lowest.
using GroupSizes = std::uint32_t;
constexpr std::size_t groups_max = 5;

constexpr GroupSizes sizes_of(std::initializer_list<unsigned> sizes) noexcept {
  GroupSizes all = 0;
  unsigned shift = 0;
  for (const unsigned size : sizes) {
    all |= size << shift;
    shift += 4;
  }
  return all;
}

/// National numbers as they are commonly written.
struct NationalForm {
  GroupSizes groups;
  bool is_north_american;  ///< Else it begins with the trunk prefix 0.
};

constexpr std::array national_forms = std::to_array<NationalForm>({
    {sizes_of({3, 3, 4}), true},
    {sizes_of({1, 3, 3, 4}), true},
    {sizes_of({2, 2, 2, 2, 2}), false},
    {sizes_of({3, 4, 4}), false},
    {sizes_of({4, 3, 4}), false},
    {sizes_of({4, 3, 3}), false},
    {sizes_of({5, 6}), false},
    {sizes_of({3, 7}), false},
    {sizes_of({3, 8}), false},
    {sizes_of({4, 6}), false},
    {sizes_of({4, 7}), false},
    {sizes_of({4, 8}), false},
});

/// A chain of digit groups joined by one and the same separator.
struct DigitChain {
  GroupSizes groups = 0;
  std::size_t end = 0;
};

/// False if there are too many groups or separators differ.
bool read_chain(const Window& window, std::size_t start, DigitChain& chain) noexcept {
  constexpr std::size_t group_digits_max = 8;
  std::size_t at = start;
  std::uint8_t separator = 0;
  for (std::size_t group = 0; group < groups_max; ++group) {
    const std::size_t begin = at;
    while (at - begin <= group_digits_max && window.has_at(at, byte_class::digit)) ++at;
    if (at - begin > group_digits_max) return false;
    chain.groups |= static_cast<GroupSizes>(at - begin) << (4 * group);
    chain.end = at;
    const bool goes_on = at < window.size && is_phone_separator(window.bytes[at]) &&
                         window.has_at(at + 1, byte_class::digit);
    if (!goes_on) return true;
    if (group > 0 && separator != window.bytes[at]) return false;
    separator = window.bytes[at++];
  }
  return false;
}

bool has_form(const std::uint8_t* number, const DigitChain& chain,
              const NationalForm& form) noexcept {
  if (chain.groups != form.groups) return false;
  if (!form.is_north_american) return number[0] == '0' && number[1] != '0';
  // Area and exchange codes of the North American plan begin with 2 to 9.
  const std::size_t area = (form.groups & 15U) == 1 ? 2 : 0;
  if (area != 0 && number[0] != '1') return false;
  return number[area] >= '2' && number[area + 4] >= '2';
}

/// (ddd) ddd-dddd with the same digits as above.
std::optional<std::size_t> bracketed_at(const Window& window, std::size_t start) noexcept {
  std::size_t at = start + 1;
  const auto take_digits = [&](std::size_t count) {
    if (!window.has_at(at, byte_class::digit) || window.bytes[at] < '2') return false;
    for (std::size_t i = 0; i < count; ++i) {
      if (!window.has_at(at + i, byte_class::digit)) return false;
    }
    at += count;
    return true;
  };
  if (!take_digits(3) || !window.is_at(at, ')')) return std::nullopt;
  ++at;
  if (window.is_at(at, ' ')) ++at;
  if (!take_digits(3)) return std::nullopt;
  if (at >= window.size || !is_phone_separator(window.bytes[at])) return std::nullopt;
  ++at;
  const std::size_t end = window.end_of_run(at, byte_class::digit);
  if (end - at != 4) return std::nullopt;
  return end;
}

}  // namespace

void find_emails(const Window& window, MatchTable& out) noexcept {
  const std::size_t horizon = window.horizon();
  // An address that begins before the horizon has its '@' within 64 bytes of it.
  const std::size_t last = std::min(window.size, horizon + local_bytes_max);
  for (std::size_t at_sign = window.find('@', window.undecided); at_sign < last;
       at_sign = window.find('@', at_sign + 1)) {
    const std::size_t start = start_of_local(window, at_sign);
    if (start == at_sign || start < window.undecided || start >= horizon) continue;
    if (const auto end = end_of_domain(window, at_sign)) out.add(start, *end);
  }
}

std::optional<std::size_t> phone_at(const Window& window, std::size_t start) noexcept {
  const std::uint8_t first = window.bytes[start];
  if (first == '+') return international_at(window, start);
  if (first == '(') return bracketed_at(window, start);
  if (!is_digit(first)) return std::nullopt;
  const bool continues_chain = start >= 2 && is_digit(window.bytes[start - 2]) &&
                               is_phone_separator(window.bytes[start - 1]);
  if (continues_chain) return std::nullopt;
  DigitChain chain;
  if (!read_chain(window, start, chain)) return std::nullopt;
  for (const NationalForm& form : national_forms) {
    if (has_form(window.bytes + start, chain, form)) return chain.end;
  }
  return std::nullopt;
}

void find_phones(const Window& window, MatchTable& out) noexcept {
  const auto ask = [](const std::uint8_t* block) {
    const Lanes bytes = Lanes::load(block);
    const Lanes here = bytes.is_digit() | bytes.is('+') | bytes.is('(');
    return Candidates{here.bits(), bytes.is_alnum().bits()};
  };
  visit_candidates(window, byte_class::alnum, ask, [&](std::size_t at) {
    if (const auto end = phone_at(window, at)) out.add(at, *end);
  });
}

}  // namespace sluice::matcher
