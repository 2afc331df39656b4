// Who may decide on a request, and what the decisions come to. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "control/approvals/request.h"

namespace sluice::control {

/// Why a decision does not count.
enum class DecisionFault : std::uint8_t {
  none,
  closed,          ///< It was decided, or waits no longer.
  expired,         ///< It was due before.
  unproved,        ///< Nobody knows who decides.
  own_request,     ///< Who decides asked for it, or it was asked for in their name.
  not_entitled,    ///< In none of the groups that may decide.
  decided_before,  ///< Nobody counts twice.
  reason_missing,  ///< A rule asks for one, or breaking the glass and a review do.
  delegated,       ///< The glass is broken by people, not by what acts for them.
};
std::string_view text(DecisionFault fault) noexcept;

/// One person is one subject, whoever vouches for it: the same name from two issuers counts
/// as one, and each name of a chain of delegation as a name of who acts.
DecisionFault fault_of(const Request& request, const Decision& decision);

/// What a request that waits comes to by its decisions and the time.
RequestState state_of(const Request& request, Instant now);

/// Whether `decisions` have all that `approval` asks for. With `all_groups` each group needs
/// its own people: somebody in two groups counts for the one that needs them.
bool satisfies(const std::vector<Decision>& decisions, const config::Approval& approval);

}  // namespace sluice::control
