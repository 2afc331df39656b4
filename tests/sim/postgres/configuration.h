// Who may do what through the simulated gateway. Two configurations take turns.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "client.h"
#include "dataplane/session/snapshot.h"
#include "dataplane/tls/tls_context.h"

namespace sluice::dataplane::postgres_sim {

inline constexpr std::string_view target_password = "the target's password";

/// Rows of one execution that is limited, and executions of one principal in a second.
inline constexpr std::size_t limited_rows_max = 3;
inline constexpr std::size_t rated_max = 5;

struct Setup {
  bool is_pooled = false;       ///< Clients share server connections.
  unsigned connections = 1024;  ///< To the target, at the most.
  unsigned waiting_max = 1000;  ///< Sessions in the queue for one.
  Duration wait_max = seconds(3600);
  bool moves = false;  ///< The even generations have the target elsewhere.
  bool tls_clients = false;
  bool tls_target = false;
};

/// Of both ends, made once.
struct TlsEnds {
  std::shared_ptr<const TlsContext> client;
  std::shared_ptr<const TlsContext> target;
};
inline constexpr const char* gateway_name = "gw.test";
const TlsEnds& tls_ends();

/// The odd generations deny `secrets` and deletes without condition, and show the last
/// digits of customers.ssn. The even ones deny `reports` too, redact customers.ssn and
/// customers.note, and name their masks in another order.
std::shared_ptr<const Snapshot> snapshot(std::uint64_t generation, const Setup& setup);

/// Those who may come: some see all, one proves who it is by SCRAM, one has a secret that
/// is slow to prove, and some have a wrong one.
const std::vector<Client::Identity>& identities();
identity::KeyVerdict verdict_on(const identity::ApiKeys& keys, std::string_view credential);

}  // namespace sluice::dataplane::postgres_sim
