// Whose certificates clients may show: the authorities that are trusted, and what they revoked.
#pragma once

#include <memory>

#include "audit/sha256.h"
#include "base/instant.h"
#include "base/result.h"
#include "config/model/identity_settings.h"
#include "dataplane/tls/openssl.h"
#include "dataplane/tls/peer_certificate.h"
#include "dataplane/tls/tls_fault.h"

namespace sluice::dataplane {

/// Certificates between a client's and an authority that is trusted.
inline constexpr int client_chain_certificates_max = 4;
inline constexpr std::size_t client_authorities_max = 64;

/// Immutable; all workers share it.
///
/// With revocation lists each certificate of a chain is looked up in the list of its authority; one
/// without a list that is good now is refused (RFC 5280 §6.3).
class ClientTrust {
 public:
  /// errors  with their place: no authority, one that is none or has expired or that leads to no
  ///         root; a revocation list that has expired or that its authority did not sign, an
  ///         authority without one.
  static Result<std::shared_ptr<const ClientTrust>> read(
      const config::ClientCertificates& settings);

  [[nodiscard]] X509_STORE* store() const noexcept { return store_.get(); }
  /// The authorities, of whom clients are asked for a certificate.
  [[nodiscard]] STACK_OF(X509) * authorities() const noexcept { return authorities_.get(); }
  /// Of all that was read.
  [[nodiscard]] const audit::Hash& digest() const noexcept { return digest_; }
  /// When the first of the revocation lists expires; never without any.
  [[nodiscard]] WallTime good_until() const noexcept { return good_until_; }

  /// Whether a certificate that was good once, perhaps by another trust, is so by this.
  [[nodiscard]] TlsFault verify(const PeerCertificate& certificate, WallTime now) const noexcept;

 private:
  ClientTrust() = default;
  Result<void> add_authorities(const config::FileText& file);
  Result<void> add_crls(const config::FileText& file);

  Openssl<X509_STORE> store_;
  Openssl<STACK_OF(X509)> authorities_;
  audit::Hash digest_{};
  WallTime good_until_{INT64_MAX};
};

}  // namespace sluice::dataplane
