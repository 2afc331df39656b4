// Proofs of a token's key (RFC 9449), good ones and, by their parts, bad ones.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/text_codec.h"
#include "identity/secret_hash.h"
#include "token_bench.h"

namespace sluice::test {

/// The header of a proof by ES256.
inline std::string dpop_header(const ProviderKey& key) {
  return fmt::format(R"({{"typ":"dpop+jwt","alg":"ES256","jwk":{}}})", key.jwk("client"));
}
/// What a proof says that is made at token_now.
inline std::string dpop_claims(std::string_view token, std::string_view id = "proof-1",
                               std::string_view method = "POST",
                               std::string_view uri = "http://api/staff") {
  return fmt::format(R"({{"jti":"{}","htm":"{}","htu":"{}","iat":1800000000,"ath":"{}"}})", id,
                     method, uri, to_base64url(*identity::sha256(token)));
}
inline std::string dpop(const ProviderKey& key, std::string_view claims) {
  return make_token(key, config::JwsAlgorithm::es256, dpop_header(key), claims);
}
/// RFC 7638 §3, for a key on a curve.
inline std::string thumbprint_of(const ProviderKey& key) {
  const std::string jwk = key.jwk("x");
  const auto member = [&jwk](std::string_view name) {
    const std::string begin = fmt::format(R"("{}":")", name);
    const std::size_t at = jwk.find(begin) + begin.size();
    return jwk.substr(at, jwk.find('"', at) - at);
  };
  return to_base64url(*identity::sha256(
      fmt::format(R"({{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}})", member("x"), member("y"))));
}
/// The good token, bound to the key.
inline std::string bound_token(const ProviderKey& key) {
  std::string claims(good_claims);
  claims.insert(claims.rfind('}'), fmt::format(R"(,"cnf":{{"jkt":"{}"}})", thumbprint_of(key)));
  return make_token(provider_keys().p256, config::JwsAlgorithm::es256, good_header, claims);
}

}  // namespace sluice::test
