// Times as people write them on a command line.
#pragma once

#include <string>
#include <string_view>

#include "base/instant.h"
#include "base/result.h"

namespace sluice::cli {

WallTime wall_now();

/// RFC 3339 with any offset ("2026-11-21T10:00:00Z"), or that far before `now`
/// ("15m"); `ahead` instead counts from `now` on, for expiry.
Result<WallTime> parse_time(std::string_view text, WallTime now, bool ahead);

}  // namespace sluice::cli
