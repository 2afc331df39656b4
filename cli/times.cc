#include "cli/times.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace sluice::cli {
namespace {

struct Unit {
  std::string_view suffix;
  std::int64_t ns;
};
// Longest suffix first: "ms" must not be read as "m" or "s".
constexpr std::array<Unit, 5> units{{{"ms", 1'000'000},
                                     {"s", 1'000'000'000},
                                     {"m", 60'000'000'000},
                                     {"h", 3'600'000'000'000},
                                     {"d", 86'400'000'000'000}}};

/// Digits only, all of `text`.
bool parse_number(std::string_view text, std::int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 0;
}

/// Takes a number of exactly `digits` digits and then `separator` (if not 0) off `text`.
bool take(std::string_view& text, std::size_t digits, char separator, std::int64_t& value) {
  const std::size_t size = digits + (separator != 0 ? 1 : 0);
  if (text.size() < size || !parse_number(text.substr(0, digits), value)) return false;
  if (separator != 0 && text[digits] != separator) return false;
  text.remove_prefix(size);
  return true;
}

bool parse_rfc3339(std::string_view text, WallTime& time) {
  std::int64_t year = 0;
  std::int64_t month = 0;
  std::int64_t day = 0;
  std::int64_t hour = 0;
  std::int64_t minute = 0;
  std::int64_t second = 0;
  if (!take(text, 4, '-', year) || !take(text, 2, '-', month) || !take(text, 2, 'T', day) ||
      !take(text, 2, ':', hour) || !take(text, 2, ':', minute) || !take(text, 2, 0, second)) {
    return false;
  }
  std::int64_t fraction_ns = 0;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    std::int64_t scale = 100'000'000;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      fraction_ns += (text.front() - '0') * scale;
      scale /= 10;
      text.remove_prefix(1);
    }
  }
  std::int64_t offset_minutes = 0;
  if (text == "Z") {
    text = {};
  } else if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    const std::int64_t sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
    std::int64_t hours = 0;
    std::int64_t minutes = 0;
    if (!take(text, 2, ':', hours) || !take(text, 2, 0, minutes)) return false;
    offset_minutes = sign * (hours * 60 + minutes);
  } else {
    return false;
  }
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!text.empty() || !date.ok() || hour > 23 || minute > 59 || second > 60) return false;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  time.ns = (((days * 24 + hour) * 60 + minute - offset_minutes) * 60 + second) * 1'000'000'000 +
            fraction_ns;
  return true;
}

}  // namespace

WallTime wall_now() {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

Result<Duration> parse_duration(std::string_view text) {
  for (const auto& unit : units) {
    std::int64_t number = 0;
    if (!text.ends_with(unit.suffix)) continue;
    if (!parse_number(text.substr(0, text.size() - unit.suffix.size()), number)) continue;
    if (number > INT64_MAX / unit.ns) return fail(fmt::format("'{}' is too long", text));
    return Duration{number * unit.ns};
  }
  return fail(fmt::format("'{}' is not a duration such as 500ms, 10s, 15m, 2h or 7d", text));
}

Result<WallTime> parse_time(std::string_view text, WallTime now, bool ahead) {
  WallTime time;
  if (parse_rfc3339(text, time)) return time;
  const auto duration = parse_duration(text);
  if (!duration) {
    return fail(fmt::format(
        "'{}' is neither a time such as 2026-11-21T10:00:00Z nor a duration such as 15m", text));
  }
  return WallTime{ahead ? now.ns + duration->ns : now.ns - duration->ns};
}

std::string rfc3339(WallTime time) {
  const std::chrono::sys_time<std::chrono::nanoseconds> instant{std::chrono::nanoseconds(time.ns)};
  const auto second = std::chrono::floor<std::chrono::seconds>(instant);
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(instant - second).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(second)), milliseconds);
}

}  // namespace sluice::cli
