// Who may do what through the simulated gateway. Two configurations take turns.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "client.h"
#include "dataplane/session/snapshot.h"

namespace sluice::dataplane::postgres_sim {

inline constexpr std::string_view target_password = "the target's password";

/// The odd generations deny `secrets` and deletes without condition, and show the last
/// digits of customers.ssn. The even ones deny `reports` too, redact customers.ssn and
/// customers.note, and name their masks in another order.
std::shared_ptr<const Snapshot> snapshot(std::uint64_t generation);

/// Those who may come: some see all, one has a secret that is slow to prove, one has none.
const std::vector<Client::Identity>& identities();
identity::KeyVerdict verdict_on(const identity::ApiKeys& keys, std::string_view credential);

}  // namespace sluice::dataplane::postgres_sim
