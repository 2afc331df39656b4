// A client's certificate, as TLS has verified it.
#pragma once

#include <memory>
#include <string>

#include "audit/sha256.h"
#include "dataplane/tls/openssl.h"
#include "identity/certificate.h"

namespace sluice::dataplane {

/// Immutable. It outlives the connection's TLS where a session keeps it.
class PeerCertificate {
 public:
  /// Of an open connection whose client showed one; null: it showed none, or there is no memory.
  /// verified_by  digest of the trust (ClientTrust) that it was verified by.
  static std::shared_ptr<const PeerCertificate> of(const SSL* ssl, const audit::Hash& verified_by);

  [[nodiscard]] const identity::CertificateFacts& facts() const noexcept { return facts_; }
  [[nodiscard]] const audit::Hash& verified_by() const noexcept { return verified_by_; }
  [[nodiscard]] X509* leaf() const noexcept { return leaf_.get(); }
  /// With the leaf; as it was verified, up to an authority that is trusted.
  [[nodiscard]] STACK_OF(X509) * chain() const noexcept { return chain_.get(); }
  /// What a target is told of it, where it is: the value of X-Forwarded-Client-Cert. Names that
  /// could be read as more than one element of it are left out.
  [[nodiscard]] const std::string& forwarded() const noexcept { return forwarded_; }

 private:
  PeerCertificate() = default;

  Openssl<X509> leaf_;
  Openssl<STACK_OF(X509)> chain_;
  identity::CertificateFacts facts_;
  audit::Hash verified_by_{};
  std::string forwarded_;
};

/// SHA-256 of a certificate's DER; all zero when there is no memory.
audit::Hash fingerprint_of(const X509* certificate) noexcept;

}  // namespace sluice::dataplane
