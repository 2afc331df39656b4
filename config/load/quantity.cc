#include "config/load/quantity.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.h"

namespace sluice::config {
namespace {

struct Unit {
  std::string_view suffix;
  std::uint64_t scale;
};

// Largest first: what is written back uses the largest unit that divides.
constexpr std::array<Unit, 5> duration_units{{{"d", 86'400'000'000'000},
                                              {"h", 3'600'000'000'000},
                                              {"m", 60'000'000'000},
                                              {"s", 1'000'000'000},
                                              {"ms", 1'000'000}}};
constexpr std::array<Unit, 4> size_units{{{"TiB", std::uint64_t{1} << 40},
                                          {"GiB", std::uint64_t{1} << 30},
                                          {"MiB", std::uint64_t{1} << 20},
                                          {"KiB", 1024}}};

struct RateUnit {
  std::string_view suffix;
  Duration period;
};
constexpr std::array<RateUnit, 3> rate_units{
    {{"/s", seconds(1)}, {"/m", seconds(60)}, {"/h", seconds(3600)}}};
constexpr std::uint64_t rate_count_max = 1'000'000;

struct Split {
  std::string_view digits;
  std::string_view suffix;
};

Split split(std::string_view text) noexcept {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit<char>);
  const auto count = static_cast<std::size_t>(end - text.begin());
  return {text.substr(0, count), text.substr(count)};
}

std::optional<std::uint64_t> scaled(std::string_view digits, std::uint64_t scale,
                                    std::uint64_t most) noexcept {
  const auto count = parse_count(digits);
  if (!count || *count > most / scale) return std::nullopt;
  return *count * scale;
}

/// The canonical spelling of a numeric address; empty for a name.
std::string canonical_host(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  for (const int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, host.c_str(), bytes.data()) == 1 &&
        inet_ntop(family, bytes.data(), text.data(), text.size()) != nullptr) {
      return text.data();
    }
  }
  return {};
}

bool is_host_name(std::string_view host) noexcept {
  if (host.empty() || host.size() > 253 || host.front() == '.' || host.front() == '-') return false;
  // All digits and dots is a mistyped address, not a name.
  const bool has_letter =
      std::any_of(host.begin(), host.end(), [](char c) { return !is_digit(c) && c != '.'; });
  return has_letter && std::all_of(host.begin(), host.end(), [](char c) {
           return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_';
         });
}

}  // namespace

std::optional<std::uint64_t> parse_count(std::string_view text) noexcept {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, value);
  if (fault != std::errc{} || stop != end || text.empty() || !is_digit(text.front())) {
    return std::nullopt;
  }
  return value;
}

Result<Duration> parse_duration(std::string_view text) {
  const auto [digits, suffix] = split(text);
  for (const Unit& unit : duration_units) {
    if (digits.empty() || suffix != unit.suffix) continue;
    const auto ns = scaled(digits, unit.scale, INT64_MAX);
    if (!ns) return fail(fmt::format("'{}' is too long", text));
    return Duration{static_cast<std::int64_t>(*ns)};
  }
  return fail(fmt::format("'{}' is not a duration; write it like 250ms, 10s, 5m, 2h or 1d", text));
}

std::string duration_text(Duration duration) {
  const auto ns = static_cast<std::uint64_t>(duration.ns);
  for (const Unit& unit : duration_units) {
    if (ns % unit.scale == 0 && ns != 0) return fmt::format("{}{}", ns / unit.scale, unit.suffix);
  }
  return ns == 0 ? "0s" : fmt::format("{}ns", ns);
}

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto [digits, suffix] = split(text);
  if (!digits.empty() && suffix.empty()) {
    if (const auto bytes = parse_count(digits)) return *bytes;
    return fail(fmt::format("'{}' is too large", text));
  }
  for (const Unit& unit : size_units) {
    if (digits.empty() || suffix != unit.suffix) continue;
    const auto bytes = scaled(digits, unit.scale, UINT64_MAX);
    if (!bytes) return fail(fmt::format("'{}' is too large", text));
    return *bytes;
  }
  return fail(fmt::format("'{}' is not a size; write it like 512, 64KiB, 16MiB or 1GiB", text));
}

std::string size_text(std::uint64_t bytes) {
  for (const Unit& unit : size_units) {
    if (bytes % unit.scale == 0 && bytes != 0) {
      return fmt::format("{}{}", bytes / unit.scale, unit.suffix);
    }
  }
  return fmt::format("{}", bytes);
}

Result<Rate> parse_rate(std::string_view text) {
  const auto [digits, suffix] = split(text);
  const auto count = parse_count(digits);
  for (const RateUnit& unit : rate_units) {
    if (!count || suffix != unit.suffix) continue;
    if (*count == 0 || *count > rate_count_max) {
      return fail(fmt::format("'{}' must be between 1 and {}", text, rate_count_max));
    }
    return Rate{*count, unit.period};
  }
  return fail(fmt::format("'{}' is not a rate; write it like 100/s, 30/m or 5/h", text));
}

std::string rate_text(const Rate& rate) {
  for (const RateUnit& unit : rate_units) {
    if (unit.period == rate.period) return fmt::format("{}{}", rate.count, unit.suffix);
  }
  return fmt::format("{} in {}", rate.count, duration_text(rate.period));
}

Result<SocketAddress> parse_address(std::string_view text) {
  const std::string wanted = "an address is 'host:port' or '[IPv6]:port'";
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return fail(fmt::format("'{}' has no port; {}", text, wanted));
  }
  const auto port = parse_count(text.substr(colon + 1));
  if (!port || *port == 0 || *port > 65535) {
    return fail(fmt::format("'{}' has no port between 1 and 65535; {}", text, wanted));
  }
  std::string host(text.substr(0, colon));
  const bool in_brackets = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (in_brackets) host = host.substr(1, host.size() - 2);
  const std::string canonical = canonical_host(host);
  const bool is_v6 = canonical.find(':') != std::string::npos;
  if (is_v6 != in_brackets) {
    return fail(is_v6 ? fmt::format("'{}': put the IPv6 address in brackets", text)
                      : fmt::format("'{}': only an IPv6 address goes in brackets", text));
  }
  if (canonical.empty() && !is_host_name(host)) {
    return fail(fmt::format("'{}' is no host; {}", host, wanted));
  }
  return SocketAddress{canonical.empty() ? host : canonical, static_cast<std::uint16_t>(*port)};
}

std::string address_text(const SocketAddress& address) {
  const bool is_v6 = address.host.find(':') != std::string::npos;
  return is_v6 ? fmt::format("[{}]:{}", address.host, address.port)
               : fmt::format("{}:{}", address.host, address.port);
}

bool is_numeric_host(const std::string& host) noexcept {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

bool is_loopback(const SocketAddress& address) noexcept {
  in_addr v4{};
  if (inet_pton(AF_INET, address.host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  return address.host == "::1";
}

std::string approvers_text(const Approval& approval) {
  return fmt::format("{} of {}{}", approval.distinct, approval.all_groups ? "each of " : "",
                     fmt::join(approval.by_groups, ", "));
}

}  // namespace sluice::config
