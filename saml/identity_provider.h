// The keys of an identity provider, and what they prove of a reader's answer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "identity/jwk_set.h"
#include "saml/facts.h"
#include "saml/fault.h"

namespace sluice::saml {

inline constexpr std::size_t provider_keys_max = 8;

/// Immutable; threads share it.
class ProviderKeys {
 public:
  /// pem     certificates, of which only the keys count (SAML Metadata §2.4.1.1): they are trusted
  ///         because the operator names them, not for who signed them or until when.
  /// errors  none, too many, or a key that is not RSA from 2048 bits, P-256 or P-384.
  static Result<ProviderKeys> read(std::string_view pem);

  /// SubjectPublicKeyInfo of each, in DER.
  [[nodiscard]] const std::vector<std::string>& public_keys() const noexcept { return der_; }

  /// Whether one of them signed these octets, and the element is what they are over: by OpenSSL
  /// alone, so that a reader that was taken over cannot make an element of its own.
  /// returns  none, wrong_signature, or reader_contradicted.
  [[nodiscard]] Fault check(const SignedElement& element) const;

 private:
  std::vector<identity::Jwk> keys_;
  std::vector<std::string> der_;
};

}  // namespace sluice::saml
