// What the certificate of a connection's client proves, by the configuration that is in force.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/instant.h"
#include "config/model/policy.h"
#include "config/model/principal.h"
#include "dataplane/session/snapshot.h"
#include "dataplane/tls/peer_certificate.h"

namespace sluice::dataplane {

/// One for each connection. TLS verified the certificate when the connection came; it is verified
/// again by what a reload brought, so that what was revoked since proves nothing any more.
class CertificateProof {
 public:
  /// shown  null: the client showed none.
  explicit CertificateProof(std::shared_ptr<const PeerCertificate> shown)
      : shown_(std::move(shown)) {}

  struct Answer {
    identity::CertificateFault fault = identity::CertificateFault::none;
    // Without a fault; both null where the client showed none and none is required, or where
    // none is asked for any more.
    std::shared_ptr<const config::Principal> principal;
    std::shared_ptr<const config::PrincipalView> view;
    WallTime good_until{INT64_MAX};  ///< The certificate, and what says that it was not revoked.
  };
  /// Works it out once for each configuration. The answer stands until the next call.
  [[nodiscard]] const Answer& prove(const Snapshot& snapshot, std::size_t listener, WallTime now);

  /// SHA-256 of what the client showed; empty when that is nothing.
  [[nodiscard]] ByteView fingerprint() const noexcept {
    return shown_ ? ByteView(shown_->facts().fingerprint) : ByteView();
  }
  /// What a target may be told of it; empty when it showed none.
  [[nodiscard]] std::string_view forwarded() const noexcept {
    return shown_ ? std::string_view(shown_->forwarded()) : std::string_view();
  }

 private:
  [[nodiscard]] Answer work_out(const Snapshot& snapshot, std::size_t listener, WallTime now) const;

  std::shared_ptr<const PeerCertificate> shown_;
  Answer answer_;
  std::uint64_t generation_ = 0;  ///< Of the configuration that it is of; 0: none.
};

}  // namespace sluice::dataplane
