// Points in time as people and programs write them: RFC 3339.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/instant.h"

namespace sluice {

/// The first instant of 2262, the year in which nanoseconds in 64 bits end.
inline constexpr WallTime timestamp_end{9'214'646'400'000'000'000};

/// "2026-11-21T10:00:00Z", also with an offset and up to nine decimals; of 1970 to 2261.
std::optional<WallTime> parse_timestamp(std::string_view text) noexcept;

/// In UTC; what does not fit into the `decimals` (0 to 9) of the second is cut off.
std::string timestamp_text(WallTime time, std::size_t decimals = 0);

}  // namespace sluice
