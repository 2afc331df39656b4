// An identity provider's other half: keys of every kind, and tokens that they sign.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "config/model/jws_algorithm.h"

namespace sluice::test {

class ProviderKey {
 public:
  enum class Kind : std::uint8_t { rsa_1024, rsa_2048, p256, p384, p521, ed25519 };
  /// Made anew.
  explicit ProviderKey(Kind kind);

  /// more   members behind the others, such as R"(,"alg":"RS256")".
  [[nodiscard]] std::string jwk(std::string_view id, std::string_view more = {}) const;
  /// As RFC 7518 has it, whether or not the key is for the algorithm in a provider's eyes.
  /// salt_bytes  PSS: of the salt; -1: as many as the digest has.
  [[nodiscard]] std::string sign(config::JwsAlgorithm algorithm, std::string_view text,
                                 int salt_bytes = -1) const;
  /// The DER of its public half, as an HMAC's key would be.
  [[nodiscard]] std::string public_der() const;

 private:
  Kind kind_;
  std::shared_ptr<EVP_PKEY> key_;
};

/// "header.payload", each in base64url.
std::string signed_text(std::string_view header, std::string_view payload);
/// The whole token.
std::string make_token(const ProviderKey& key, config::JwsAlgorithm algorithm,
                       std::string_view header, std::string_view payload);
std::string key_set(std::initializer_list<std::string> keys);

}  // namespace sluice::test
