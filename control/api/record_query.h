// Which records of the log a call is about.
#pragma once

#include <cstdint>
#include <optional>

#include "audit/record_page.h"
#include "control/api/call.h"

namespace sluice::control::api {

/// By the arguments that narrow a search down, whichever of them the call takes.
[[nodiscard]] Outcome<audit::RecordQuery> query_of(const Asked& asked);
/// Where the page before ended; nothing: this is the first.
[[nodiscard]] Outcome<std::optional<audit::SearchMark>> mark_of(const Asked& asked);
/// The argument `session`: digits, as JSON's readers need not hold all 64 bits of a number.
[[nodiscard]] Outcome<std::optional<std::uint64_t>> session_of(const Asked& asked);

}  // namespace sluice::control::api
