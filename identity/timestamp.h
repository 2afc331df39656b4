// UTC times as people write them in the keys file.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/instant.h"

namespace sluice::identity {

/// Never, as the keys file says it.
inline constexpr WallTime never{INT64_MAX};

/// "2027-01-31" (its first instant), "2027-01-31T12:00:00Z" (RFC 3339, UTC) or "never".
std::optional<WallTime> parse_timestamp(std::string_view text) noexcept;
/// The second form, seconds cut off; "never" for the last instant there is.
std::string timestamp_text(WallTime time);

}  // namespace sluice::identity
