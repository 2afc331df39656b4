// Which records of the log a call is about.
#pragma once

#include <optional>

#include "audit/record_page.h"
#include "control/api/call.h"

namespace sluice::control::api {

/// By the arguments that narrow a search down, whichever of them the call takes.
[[nodiscard]] Outcome<audit::RecordQuery> query_of(const Asked& asked);
/// Where the page before ended; nothing: this is the first.
[[nodiscard]] Outcome<std::optional<audit::SearchMark>> mark_of(const Asked& asked);

}  // namespace sluice::control::api
