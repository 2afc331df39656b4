// Tokens of the gateway's own: what is minted is believed, whole, and nothing else is.
#include "identity/gateway_tokens.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <set>

#include "base/text_codec.h"
#include "must.h"
#include "token_bench.h"

using namespace sluice;
using namespace sluice::identity;
using config::JwsAlgorithm;
using test::must;
using test::token_now;

namespace {

constexpr std::string_view id = "AAECAwQFBgcICQoLDA0ODw";

config::Principal ann() {
  config::Principal who;
  who.subject = "ann \"the\" \xC3\xA9lder";
  who.issuer = "corp";
  who.groups = {"staff", "payments"};
  who.proof = config::Proof::oidc;
  who.credential_id = "t-1";
  who.actors = {{"tool", "corp"}, {"agent", "other"}};
  return who;
}

struct Bench {
  std::string key = must(make_token_key());
  std::shared_ptr<const GatewayTokenKeys> keys = must(GatewayTokenKeys::read(key, ""));
  RevokedTokens revoked;
  test::TokenBench providers;

  [[nodiscard]] std::string mint(const config::Principal& who, std::string_view target = "") const {
    return must(keys->mint({.principal = who,
                            .id = id,
                            .target = target,
                            .issued = token_now,
                            .expires = token_now + seconds(3600)}));
  }
  [[nodiscard]] TokenTrust trust() const {
    return {providers.issuers, providers.keys, &keys->proving(), revoked};
  }
  [[nodiscard]] TokenVerdict verify(std::string_view token, WallTime now = token_now) const {
    return verify_token(token, trust(), now);
  }
};

/// The private half, so that tests may sign what the gateway never would.
struct Forge : Bench {
  Forge() {
    auto set = std::make_shared<const JwkSet>(
        *parse_jwk_set(test::key_set({test::provider_keys().ed25519.jwk("own")})));
    proving = {std::string(gateway_issuer), std::move(set), WallTime{INT64_MAX}, 0, {}};
  }
  [[nodiscard]] TokenFault fault_of(std::string_view header, std::string_view claims) const {
    const std::string token =
        test::make_token(test::provider_keys().ed25519, JwsAlgorithm::eddsa, header, claims);
    return verify_token(token, {providers.issuers, providers.keys, &proving, revoked}, token_now)
        .fault;
  }
  IssuerKeys proving;
};

constexpr std::string_view own_header = R"({"alg":"EdDSA","typ":"sluice+jwt","kid":"own"})";
constexpr std::string_view own_claims =
    R"({"iss":"urn:sluice:gateway","aud":"urn:sluice:target:db","sub":"ann","idp":"corp",)"
    R"("groups":["staff"],"iat":1800000000,"exp":1800003600,"jti":"AAECAwQFBgcICQoLDA0ODw",)"
    R"("act":{"sub":"tool","iss":"corp"}})";

}  // namespace

TEST_CASE("Who a token was minted for comes out of it as it went in") {
  const Bench bench;
  for (const std::string_view target : {"", "ledger-db"}) {
    const auto verdict = bench.verify(bench.mint(ann(), target));
    REQUIRE(verdict.fault == TokenFault::none);
    CHECK(verdict.issuer == nullptr);
    const config::Principal& who = verdict.principal;
    CHECK(who.subject == ann().subject);
    CHECK(who.issuer == "corp");
    CHECK(who.groups == ann().groups);
    CHECK(who.proof == config::Proof::gateway_token);
    CHECK(who.credential_id == id);
    CHECK(who.target == target);
    CHECK(who.expires == token_now + seconds(3600) + gateway_clock_skew);
    REQUIRE(who.actors.size() == 2);
    CHECK(who.actors[0].subject == "tool");
    CHECK(who.actors[0].issuer == "corp");
    CHECK(who.actors[1].subject == "agent");
    CHECK(who.actors[1].issuer == "other");
  }
  config::Principal plain;
  plain.subject = "batch";
  plain.issuer = "operator";
  CHECK(bench.verify(bench.mint(plain)).principal.groups.empty());
}

TEST_CASE("A token is good until it expires or is revoked, and by its own key") {
  Bench bench;
  const std::string token = bench.mint(ann());
  CHECK(bench.verify(token, token_now + seconds(3604)).fault == TokenFault::none);
  CHECK(bench.verify(token, token_now + seconds(3605)).fault == TokenFault::expired);
  CHECK(bench.verify(token, {token_now.ns - seconds(6).ns}).fault == TokenFault::issued_in_future);
  CHECK(Bench().verify(token).fault == TokenFault::unknown_key);
  CHECK(verify_token(token, {bench.providers.issuers, bench.providers.keys, nullptr, bench.revoked},
                     token_now)
            .fault == TokenFault::unknown_issuer);
  bench.revoked.insert(std::string(id));
  CHECK(bench.verify(token).fault == TokenFault::revoked);
}

TEST_CASE("What the key before signed is good while it is named, its public half too") {
  const Bench before;
  const std::string old = before.mint(ann());
  Bench after;
  after.keys = must(GatewayTokenKeys::read(after.key, before.key));
  CHECK(after.verify(old).fault == TokenFault::none);
  CHECK(after.verify(after.mint(ann())).fault == TokenFault::none);
  CHECK(before.verify(after.mint(ann())).fault == TokenFault::unknown_key);

  // openssl pkey -in KEY -pubout, of RFC 8037's appendix A.2.
  constexpr std::string_view published =
      "-----BEGIN PUBLIC KEY-----\n"
      "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
      "-----END PUBLIC KEY-----\n";
  const auto keys = must(GatewayTokenKeys::read(after.key, published));
  // RFC 8037, appendix A.3.
  CHECK(keys->proving().keys->keys.back().id == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  CHECK_FALSE(GatewayTokenKeys::read(published, ""));
}

TEST_CASE("What is no key is said without showing it") {
  const std::string key = must(make_token_key());
  for (const auto& [one, other, why] :
       std::vector<std::array<std::string, 3>>{{"", "", "key: it is no key as PEM"},
                                               {"secret", "", "key: it is no key as PEM"},
                                               {key, "secret", "previous_key: it is no key as PEM"},
                                               {key, key, "previous_key: it is the same as key"}}) {
    const auto read = GatewayTokenKeys::read(one, other);
    REQUIRE_FALSE(read);
    CHECK(read.error().message.starts_with(why));
    CHECK(read.error().message.find("secret") == std::string::npos);
  }
  // A file whose last line has no end, as the configuration's loader gives it.
  CHECK(GatewayTokenKeys::read(key.substr(0, key.size() - 1), "").has_value());
}

TEST_CASE("What cannot be a token is not minted") {
  const Bench bench;
  const auto fault_of = [&](const config::Principal& who) {
    const auto token = bench.keys->mint({who, id, "", token_now, token_now + seconds(60)});
    return token ? std::string() : token.error().message;
  };
  config::Principal many = ann();
  many.groups.assign(200, std::string(200, 'g'));
  CHECK(fault_of(many).find("too many groups") != std::string::npos);
  config::Principal odd = ann();
  odd.subject = "\xFF";
  CHECK(fault_of(odd).find("UTF-8") != std::string::npos);
}

TEST_CASE("Each token that is not quite one of the gateway's is refused for its own reason") {
  struct Case {
    std::string_view from;
    std::string_view to;
    TokenFault fault;
  };
  const Forge forge;
  REQUIRE(forge.fault_of(own_header, own_claims) == TokenFault::none);
  for (const Case& bad : {
           Case{"sluice+jwt", "JWT", TokenFault::wrong_type},
           Case{"sluice+jwt", "at+jwt", TokenFault::wrong_type},
           Case{R"("typ":"sluice+jwt",)", "", TokenFault::wrong_type},
           Case{"EdDSA", "ES256", TokenFault::algorithm_not_allowed},
           Case{"EdDSA", "RS256", TokenFault::algorithm_not_allowed},
           Case{"EdDSA", "none", TokenFault::unsigned_token},
           Case{"EdDSA", "HS256", TokenFault::symmetric_algorithm},
           Case{R"("kid":"own")", R"("kid":"other")", TokenFault::unknown_key},
           Case{R"("kid":"own")", R"("kid":"own","jwk":{})", TokenFault::embedded_key},
           Case{R"("kid":"own")", R"("kid":"own","crit":["exp"])", TokenFault::critical_header},
       }) {
    INFO(bad.from << " -> " << bad.to);
    CHECK(forge.fault_of(test::with(own_header, bad.from, bad.to), own_claims) == bad.fault);
  }
  for (
      const Case& bad : {
          Case{R"("iss":"urn:sluice:gateway")", R"("iss":"urn:sluice:Gateway")",
               TokenFault::unknown_issuer},
          Case{R"("iss":"urn:sluice:gateway")", R"("iss":"https://id.example.com")",
               TokenFault::wrong_type},
          Case{R"("iss":"urn:sluice:gateway",)", "", TokenFault::no_issuer},
          Case{"urn:sluice:target:db", "db", TokenFault::wrong_audience},
          Case{"urn:sluice:target:db", "urn:sluice:target:", TokenFault::wrong_audience},
          Case{R"("aud":"urn:sluice:target:db")", R"("aud":["urn:sluice:target:db"])",
               TokenFault::wrong_audience},
          Case{R"("aud":"urn:sluice:target:db",)", "", TokenFault::wrong_audience},
          Case{R"("idp":"corp")", R"("idp":"corp","idp":"api_keys")", TokenFault::repeated_member},
          Case{R"("exp":1800003600)", R"("exp":1799999990)", TokenFault::expired},
          Case{R"("exp":1800003600,)", "", TokenFault::no_expiry},
          Case{R"("exp":1800003600)", R"("exp":"1800003600")", TokenFault::bad_time},
          Case{R"("exp":1800003600)", R"("exp":1800700000)", TokenFault::incomplete},
          Case{R"("iat":1800000000)", R"("iat":1800000010)", TokenFault::issued_in_future},
          Case{R"("iat":1800000000,)", "", TokenFault::incomplete},
          Case{R"("sub":"ann",)", "", TokenFault::incomplete},
          Case{R"("sub":"ann")", R"("sub":"")", TokenFault::incomplete},
          Case{R"("sub":"ann")", R"("sub":"a\u0000nn")", TokenFault::incomplete},
          Case{R"("sub":"ann")", R"("sub":["ann"])", TokenFault::incomplete},
          Case{R"("idp":"corp",)", "", TokenFault::incomplete},
          Case{R"("jti":"AAECAwQFBgcICQoLDA0ODw",)", "", TokenFault::incomplete},
          Case{R"("groups":["staff"],)", "", TokenFault::incomplete},
          Case{R"("groups":["staff"])", R"("groups":"staff")", TokenFault::incomplete},
          Case{R"("groups":["staff"])", R"("groups":["staff",1])", TokenFault::bad_groups},
          Case{R"("act":{"sub":"tool","iss":"corp"})", R"("act":{"iss":"corp"})",
               TokenFault::bad_actor},
          Case{
              R"("act":{"sub":"tool","iss":"corp"})",
              R"("act":{"sub":"a","act":{"sub":"b","act":{"sub":"c","act":{"sub":"d","act":{"sub":"e"}}}}})",
              TokenFault::delegation_too_deep},
      }) {
    INFO(bad.from << " -> " << bad.to);
    CHECK(forge.fault_of(own_header, test::with(own_claims, bad.from, bad.to)) == bad.fault);
  }
}

TEST_CASE("No byte of a token may be another") {
  const Bench bench;
  const std::string token = bench.mint(ann(), "db");
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string other = token;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    INFO(i);
    CHECK(bench.verify(other).fault != TokenFault::none);
  }
}

TEST_CASE("A provider's token is not one of the gateway's, whatever it says") {
  const Forge forge;
  // Its key signs what names the gateway as issuer.
  const std::string token =
      test::make_token(test::provider_keys().p256, JwsAlgorithm::es256,
                       R"({"alg":"ES256","typ":"sluice+jwt","kid":"p256"})", own_claims);
  CHECK(forge.verify(token).fault == TokenFault::algorithm_not_allowed);
  const std::string eddsa =
      test::make_token(test::provider_keys().ed25519, JwsAlgorithm::eddsa,
                       R"({"alg":"EdDSA","typ":"sluice+jwt","kid":"ed"})", own_claims);
  CHECK(forge.verify(eddsa).fault == TokenFault::unknown_key);
}
