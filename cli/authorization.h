// Who calls the control API, by an Authorization field: proved as clients of a listener are.
#pragma once

#include <mutex>
#include <string_view>

#include "base/fingerprint.h"
#include "base/instant.h"
#include "control/api/proving.h"
#include "dataplane/session/failed_proofs.h"
#include "dataplane/session/snapshot.h"
#include "identity/oidc.h"

namespace sluice::cli {

/// By what a credential is proved, all of it borrowed.
struct ProofBasis {
  const dataplane::Snapshot& snapshot;
  const identity::TokenKeys& keys;  ///< Of providers.
  WallTime now;
  Instant monotonic;
};

struct AuthorizationVerdict {
  control::api::Proving proving;
  /// Whose newer keys may prove it; lives with the snapshot. Empty: nobody's.
  std::string_view awaited_issuer;
};

/// Thread-safe: one credential is looked at at a time, so that slow proofs of guesses take one
/// core at most.
class Authorization {
 public:
  /// field   the value of an Authorization field: an API key, or a token of a provider's or of
  ///         the gateway's own. One that is good for a target only is good for nothing here.
  /// source  that failures are counted by, as identity.failed_proofs_per_source says; empty:
  ///         they are not.
  [[nodiscard]] AuthorizationVerdict prove(std::string_view field, std::string_view source,
                                           const ProofBasis& basis);

 private:
  std::mutex mutex_;
  dataplane::FailedProofs failed_{FingerprintKey::random()};
};

}  // namespace sluice::cli
