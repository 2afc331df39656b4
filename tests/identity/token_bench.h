// Issuers with keys of every kind, and a good token that tests make bad.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "identity/oidc.h"
#include "token_maker.h"

namespace sluice::test {

inline constexpr WallTime token_now{1'800'000'000'000'000'000};
inline constexpr std::string_view issuer_url = "https://id.example.com";
inline constexpr std::string_view good_header = R"({"alg":"ES256","typ":"JWT","kid":"p256"})";
inline constexpr std::string_view good_claims =
    R"({"iss":"https://id.example.com","aud":"sluice","sub":"ann","exp":1800000600,)"
    R"("iat":1799999990,"nbf":1799999990,"groups":["staff","payments"],"jti":"t-1"})";

/// Made once per program: RSA keys take their time.
struct ProviderKeys {
  ProviderKey rsa{ProviderKey::Kind::rsa_2048};
  ProviderKey bound_rsa{ProviderKey::Kind::rsa_2048};  ///< Its `alg` is RS256.
  ProviderKey p256{ProviderKey::Kind::p256};
  ProviderKey p384{ProviderKey::Kind::p384};
  ProviderKey p521{ProviderKey::Kind::p521};
  ProviderKey ed25519{ProviderKey::Kind::ed25519};
  ProviderKey twin{ProviderKey::Kind::p256};   ///< Another key of the id "twin".
  ProviderKey other{ProviderKey::Kind::p256};  ///< The other issuer's.
};
inline const ProviderKeys& provider_keys() {
  static const ProviderKeys keys;
  return keys;
}

/// Configured: corp; strict, which takes RS256 from one client; absent, whose keys were never
/// fetched; stale, whose keys are too old; other, with a key of its own.
struct TokenBench {
  TokenBench() {
    const ProviderKeys& made = provider_keys();
    add("corp", std::string(issuer_url));
    issuers.back().groups_claim = "groups";
    add("strict", "https://strict.example.com");
    issuers.back().algorithms = {"RS256"};
    issuers.back().authorized_parties = {"console"};
    add("absent", "https://absent.example.com");
    add("stale", "https://stale.example.com");
    add("other", "https://other.example.com");
    const std::string all =
        key_set({made.rsa.jwk("rsa"), made.bound_rsa.jwk("bound", R"(,"alg":"RS256","use":"sig")"),
                 made.p256.jwk("p256"), made.p384.jwk("p384"), made.p521.jwk("p521"),
                 made.ed25519.jwk("ed"), made.p256.jwk("twin"), made.twin.jwk("twin")});
    const auto set = std::make_shared<const identity::JwkSet>(*identity::parse_jwk_set(all));
    const WallTime later = token_now + seconds(3600);
    keys.generation = 1;
    keys.issuers = {{issuers[0].issuer, set, later, 1, {}},
                    {issuers[1].issuer, set, later, 1, {}},
                    {issuers[3].issuer, set, token_now, 1, {}},
                    {issuers[4].issuer,
                     std::make_shared<const identity::JwkSet>(
                         *identity::parse_jwk_set(key_set({made.other.jwk("only")}))),
                     later,
                     1,
                     {}}};
  }

  [[nodiscard]] identity::TokenVerdict verify(std::string_view token) const {
    return identity::verify_token(token, {issuers, keys, nullptr, revoked}, token_now);
  }

  std::vector<config::OidcIssuer> issuers;
  identity::TokenKeys keys;
  identity::RevokedTokens revoked;

 private:
  void add(const std::string& name, const std::string& url) {
    config::OidcIssuer& issuer = issuers.emplace_back();
    issuer.name = name;
    issuer.issuer = url;
    issuer.audience = "sluice";
  }
};

/// A text with its first `from` replaced.
inline std::string with(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  return out.replace(out.find(from), from.size(), to);
}

}  // namespace sluice::test
