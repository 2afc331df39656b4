#include "identity/timestamp.h"

#include <fmt/format.h>

#include <chrono>

namespace sluice::identity {
namespace {

/// `count` digits at the front, taken off.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t count) noexcept {
  if (text.size() < count) return std::nullopt;
  unsigned value = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
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
  // Nanoseconds since 1970 in 64 bits end in 2262.
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

constexpr std::int64_t second_ns = 1'000'000'000;

}  // namespace

std::optional<WallTime> parse_timestamp(std::string_view text) noexcept {
  if (text == "never") return never;
  const auto day = take_day(text);
  if (!day) return std::nullopt;
  std::int64_t second = *day * 86'400;
  if (!text.empty()) {
    if (!take(text, 'T')) return std::nullopt;
    const auto of_day = take_second_of_day(text);
    if (!of_day || text != "Z") return std::nullopt;
    second += *of_day;
  }
  return WallTime{second * second_ns};
}

std::string timestamp_text(WallTime time) {
  if (time == never) return "never";
  const std::chrono::sys_seconds at{std::chrono::seconds(time.ns / second_ns)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{at - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace sluice::identity
