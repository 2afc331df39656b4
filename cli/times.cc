#include "cli/times.h"

#include <fmt/format.h>

#include <chrono>

#include "base/timestamp.h"
#include "config/load/quantity.h"

namespace sluice::cli {

WallTime wall_now() {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

Result<WallTime> parse_time(std::string_view text, WallTime now, bool ahead) {
  if (const auto time = parse_timestamp(text)) return *time;
  const auto duration = config::parse_duration(text);
  if (!duration) {
    return fail(fmt::format(
        "'{}' is neither a time such as 2026-11-21T10:00:00Z nor a duration such as 15m", text));
  }
  if (!ahead) return WallTime{now.ns - duration->ns};
  if (duration->ns >= (timestamp_end - now).ns)
    return fail(fmt::format("'{}' is too far ahead", text));
  return WallTime{now.ns + duration->ns};
}

}  // namespace sluice::cli
