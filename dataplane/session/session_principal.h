// Who a session's client is, whatever kind of credential proved it: shown once, at the session's
// beginning, and believed for as long as what the proof rests on still stands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/instant.h"
#include "config/model/policy.h"
#include "config/model/principal.h"
#include "dataplane/session/certificate_proof.h"
#include "dataplane/session/snapshot_view.h"
#include "dataplane/session/token_proofs.h"
#include "identity/api_keys.h"

namespace sluice::dataplane {

class SessionPrincipal {
 public:
  /// Whom a key of a table proved.
  SessionPrincipal(std::shared_ptr<const identity::ApiKeys> keys, std::size_t index)
      : who_(keys, &keys->principal(index)), keys_(std::move(keys)), key_(index) {}
  /// Whom a token proved just now, under these.
  SessionPrincipal(TokenProof& proof, const Snapshot& snapshot, std::size_t listener,
                   const TokenProofs& tokens);
  /// Whom the connection's certificate proves, by what was answered last.
  SessionPrincipal(std::shared_ptr<CertificateProof> certificate,
                   const CertificateProof::Answer& answer)
      : who_(answer.principal), certificate_(std::move(certificate)), view_(answer.view) {}

  [[nodiscard]] const config::Principal& who() const noexcept { return *who_; }

  /// Takes up the configuration and the keys that are in force: to be asked before the session
  /// does something new. False: the credential has expired, or what proved it was withdrawn.
  [[nodiscard]] bool renew(SnapshotView& current, std::size_t listener, const TokenProofs& tokens,
                           WallTime now);
  /// What it may do under the configuration that it took up last.
  [[nodiscard]] const std::shared_ptr<const config::PrincipalView>& view() const noexcept {
    return view_;
  }
  /// The same, if that is this one's; else null: nobody asked yet.
  [[nodiscard]] const config::PrincipalView* view_under(const SnapshotView& view) const noexcept {
    return view.snapshot().generation == generation_ ? view_.get() : nullptr;
  }

 private:
  [[nodiscard]] bool renew_key(SnapshotView& current, std::size_t listener);
  [[nodiscard]] bool renew_token(const SnapshotView& current, std::size_t listener,
                                 const TokenProofs& tokens);
  [[nodiscard]] bool renew_certificate(const Snapshot& snapshot, std::size_t listener,
                                       WallTime now);

  std::shared_ptr<const config::Principal> who_;   ///< With the table or the token that it is of.
  std::shared_ptr<const identity::ApiKeys> keys_;  ///< That the key is of; null: no key's.
  std::size_t key_ = 0;                            ///< In the table.
  std::shared_ptr<const ProvedToken> token_;       ///< Null: no token proved it.
  std::shared_ptr<CertificateProof> certificate_;  ///< Null: no certificate did.
  std::shared_ptr<const config::PrincipalView> view_;
  std::uint64_t generation_ = 0;       ///< Of the configuration that it took up; 0: none.
  std::uint64_t keys_generation_ = 0;  ///< Likewise, of the issuers' keys.
};

}  // namespace sluice::dataplane
