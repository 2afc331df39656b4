#include "base/timestamp.h"

#include <fmt/format.h>

#include <chrono>

#include "base/ascii.h"

namespace sluice {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

/// `count` digits at the front, taken off.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t count) noexcept {
  if (text.size() < count) return std::nullopt;
  unsigned value = 0;
  for (const char c : text.substr(0, count)) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) noexcept {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> take_day(std::string_view& text) noexcept {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day || *year < 1970 || *year > 2261) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::optional<std::int64_t> take_second_of_day(std::string_view& text) noexcept {
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || !take(text, ':')) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  return std::int64_t{*hour} * 3600 + std::int64_t{*minute} * 60 + *second;
}

/// "Z", or how far the clock of the text is ahead of UTC.
std::optional<std::int64_t> take_offset_minutes(std::string_view& text) noexcept {
  if (take(text, 'Z')) return 0;
  const bool is_behind = text.starts_with('-');
  if (!take(text, is_behind ? '-' : '+')) return std::nullopt;
  const auto hours = take_digits(text, 2);
  if (!hours || !take(text, ':')) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::int64_t ahead = std::int64_t{*hours} * 60 + *minutes;
  return is_behind ? -ahead : ahead;
}

/// Decimals of a second, if there are any.
std::optional<std::int64_t> take_fraction_ns(std::string_view& text) noexcept {
  if (!take(text, '.')) return 0;
  std::int64_t fraction_ns = 0;
  std::size_t digits = 0;
  for (; digits < 9 && !text.empty() && is_digit(text.front()); ++digits) {
    fraction_ns = fraction_ns * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 9; ++digits) fraction_ns *= 10;
  return fraction_ns;
}

}  // namespace

std::optional<WallTime> parse_timestamp(std::string_view text) noexcept {
  const auto day = take_day(text);
  if (!day || !take(text, 'T')) return std::nullopt;
  const auto second = take_second_of_day(text);
  if (!second) return std::nullopt;
  const auto fraction_ns = take_fraction_ns(text);
  if (!fraction_ns) return std::nullopt;
  const auto offset_minutes = take_offset_minutes(text);
  if (!offset_minutes || !text.empty()) return std::nullopt;
  const std::int64_t utc_second = *day * 86'400 + *second - *offset_minutes * 60;
  return WallTime{utc_second * second_ns + *fraction_ns};
}

std::string timestamp_text(WallTime time, std::size_t decimals) {
  const std::chrono::sys_time<std::chrono::nanoseconds> at{std::chrono::nanoseconds(time.ns)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{at - day};
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (decimals != 0) {
    text += fmt::format(".{:09}", clock.subseconds().count()).substr(0, 1 + decimals);
  }
  return text + 'Z';
}

}  // namespace sluice
