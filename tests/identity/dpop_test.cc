#include "identity/dpop.h"

#include <catch2/catch.hpp>
#include <set>

#include "dpop_maker.h"
#include "identity/jwk.h"

using namespace sluice;
using namespace sluice::test;
using config::JwsAlgorithm;
using identity::TokenFault;

namespace {

constexpr std::string_view token = "a.b.c";
constexpr identity::DpopClaim about{"POST", token};

/// Read and verified: what a request comes to.
TokenFault judge(std::string_view text, WallTime now = token_now, Duration max_age = seconds(60)) {
  const auto proof = identity::read_dpop(text);
  return proof ? identity::verify_dpop(*proof, about, now, max_age) : proof.error();
}

const ProviderKey& client() {
  return provider_keys().other;
}
std::string good() {
  return dpop(client(), dpop_claims(token));
}
std::string with_claims(std::string_view from, std::string_view to) {
  return dpop(client(), with(dpop_claims(token), from, to));
}
std::string with_header(std::string_view from, std::string_view to) {
  return make_token(client(), JwsAlgorithm::es256, with(dpop_header(client()), from, to),
                    dpop_claims(token));
}

struct Case {
  std::string_view name;
  TokenFault fault;
  std::string (*make)();
};

const Case bad[] = {
    {"nothing", TokenFault::malformed_dpop, [] { return std::string(); }},
    {"two parts", TokenFault::malformed_dpop, [] { return good().substr(0, good().rfind('.')); }},
    {"too long", TokenFault::malformed_dpop,
     [] { return with_claims("proof-1", std::string(9'000, 'a')); }},
    {"a header that is no JSON", TokenFault::malformed_dpop, [] { return "e30x" + good(); }},
    {"a member twice", TokenFault::malformed_dpop,
     [] { return with_claims(R"("htm":"POST")", R"("htm":"GET","htm":"POST")"); }},
    {"no type", TokenFault::malformed_dpop, [] { return with_header(R"("typ":"dpop+jwt",)", ""); }},
    {"an access token's type", TokenFault::malformed_dpop,
     [] { return with_header("dpop+jwt", "at+jwt"); }},
    {"alg none", TokenFault::malformed_dpop, [] { return with_header("ES256", "none"); }},
    {"a shared secret", TokenFault::malformed_dpop, [] { return with_header("ES256", "HS256"); }},
    {"no key", TokenFault::malformed_dpop, [] { return with_header("\"jwk\"", "\"jwq\""); }},
    {"a key that is a text", TokenFault::malformed_dpop,
     [] { return with_header(client().jwk("client"), R"("key")"); }},
    {"a certificate", TokenFault::malformed_dpop,
     [] { return with_header("\"jwk\"", R"("x5c":["MII"],"jwk")"); }},
    {"an extension", TokenFault::malformed_dpop,
     [] { return with_header("\"jwk\"", R"("crit":["b64"],"jwk")"); }},
    {"a private key", TokenFault::bad_dpop_key,
     [] { return with_header(R"("kty")", R"("d":"AQ","kty")"); }},
    {"a shared key", TokenFault::bad_dpop_key, [] { return with_header(R"("EC")", R"("oct")"); }},
    {"a key of another algorithm", TokenFault::bad_dpop_key,
     [] { return with_header("ES256", "EdDSA"); }},
    {"a point off its curve", TokenFault::bad_dpop_key,
     [] {
       const std::string good_y = R"("y":")";
       const std::size_t at = client().jwk("client").find(good_y) + good_y.size();
       const char first = client().jwk("client")[at];
       return with_header(good_y + first, good_y + (first == 'A' ? 'B' : 'A'));
     }},
    {"a weak key", TokenFault::bad_dpop_key,
     [] {
       const ProviderKey weak(ProviderKey::Kind::rsa_1024);
       return make_token(
           weak, JwsAlgorithm::rs256,
           fmt::format(R"({{"typ":"dpop+jwt","alg":"RS256","jwk":{}}})", weak.jwk("client")),
           dpop_claims(token));
     }},
    {"no jti", TokenFault::malformed_dpop, [] { return with_claims("jti", "jtj"); }},
    {"an empty jti", TokenFault::malformed_dpop, [] { return with_claims("proof-1", ""); }},
    {"a jti that is a number", TokenFault::malformed_dpop,
     [] { return with_claims(R"("proof-1")", "1"); }},
    {"a jti of 257 bytes", TokenFault::malformed_dpop,
     [] { return with_claims("proof-1", std::string(257, 'a')); }},
    {"no htm", TokenFault::malformed_dpop, [] { return with_claims("htm", "htn"); }},
    {"no htu", TokenFault::malformed_dpop, [] { return with_claims("htu", "htv"); }},
    {"no iat", TokenFault::malformed_dpop, [] { return with_claims("iat", "iau"); }},
    {"iat in a text", TokenFault::malformed_dpop,
     [] { return with_claims("1800000000", R"("1800000000")"); }},
    {"iat below zero", TokenFault::malformed_dpop, [] { return with_claims("1800000000", "-1"); }},
    {"iat beyond all clocks", TokenFault::malformed_dpop,
     [] { return with_claims("1800000000", "1e300"); }},
    {"no ath", TokenFault::malformed_dpop, [] { return with_claims("ath", "ati"); }},
    {"another method", TokenFault::wrong_dpop_method, [] { return with_claims("POST", "GET"); }},
    {"the method in small letters", TokenFault::wrong_dpop_method,
     [] { return with_claims("POST", "post"); }},
    {"another token", TokenFault::wrong_dpop_token,
     [] { return dpop(client(), dpop_claims("a.b.d")); }},
    {"made a second too long ago", TokenFault::wrong_dpop_time,
     [] { return with_claims("1800000000", "1799999939"); }},
    {"made in the future", TokenFault::wrong_dpop_time,
     [] { return with_claims("1800000000", "1800000011"); }},
    {"signed by another key", TokenFault::bad_dpop_signature,
     [] {
       return make_token(provider_keys().twin, JwsAlgorithm::es256, dpop_header(client()),
                         dpop_claims(token));
     }},
    {"an empty signature", TokenFault::bad_dpop_signature,
     [] { return good().substr(0, good().rfind('.') + 1); }},
    {"a signature that is no base64url", TokenFault::bad_dpop_signature,
     [] { return good() + "="; }},
};

}  // namespace

TEST_CASE("a proof holds for its method, its token and its time") {
  CHECK(judge(good()) == TokenFault::none);
  const auto proof = identity::read_dpop(good());
  REQUIRE(proof);
  CHECK(proof->uri == "http://api/staff");
  CHECK(to_base64url(proof->thumbprint) == thumbprint_of(client()));
}

TEST_CASE("a proof may be as old as is said, and ten seconds from ahead, whatever is said") {
  struct Time {
    std::string_view issued;
    std::int64_t max_age;
    bool holds;
  };
  const Time times[] = {
      {"1799999999.5", 60, true}, {"1799999940", 60, true},   {"1799999939.5", 60, false},
      {"1799999700", 300, true},  {"1799999699", 300, false}, {"1799999995", 5, true},
      {"1799999994", 5, false},   {"1800000010", 60, true},   {"1800000010.5", 60, false},
      {"1800000010", 5, true},    {"1800000011", 5, false},   {"1800000010", 300, true},
      {"1800000011", 300, false}, {"1800000060", 300, false}};
  for (const auto& [issued, max_age, holds] : times) {
    CAPTURE(issued, max_age);
    CHECK(judge(with_claims("1800000000", issued), token_now, seconds(max_age)) ==
          (holds ? TokenFault::none : TokenFault::wrong_dpop_time));
  }
}

TEST_CASE("a key of every kind may make proofs") {
  const ProviderKeys& keys = provider_keys();
  const std::tuple<const ProviderKey&, JwsAlgorithm, std::string_view> kinds[] = {
      {keys.rsa, JwsAlgorithm::rs256, "RS256"},
      {keys.rsa, JwsAlgorithm::ps512, "PS512"},
      {keys.p384, JwsAlgorithm::es384, "ES384"},
      {keys.ed25519, JwsAlgorithm::eddsa, "EdDSA"}};
  for (const auto& [key, algorithm, name] : kinds) {
    INFO(name);
    CHECK(judge(make_token(
              key, algorithm,
              fmt::format(R"({{"typ":"dpop+jwt","alg":"{}","jwk":{}}})", name, key.jwk("client")),
              dpop_claims(token))) == TokenFault::none);
  }
}

TEST_CASE("a bad proof is refused, each for its own reason") {
  for (const Case& one : bad) {
    INFO(one.name);
    CHECK(name(judge(one.make())) == name(one.fault));
  }
}

TEST_CASE("each byte of a proof counts") {
  const std::string whole = good();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string other = whole;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    INFO(i);
    CHECK(judge(other) != TokenFault::none);
    CHECK(judge(whole.substr(0, i)) != TokenFault::none);
  }
}

TEST_CASE("a key's thumbprint is that of RFC 7638") {
  // Its section 3.1.
  const auto jwk = identity::read_json_object(
      R"({"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"})",
      {});
  REQUIRE(jwk);
  CHECK(to_base64url(*identity::jwk_thumbprint(*jwk)) ==
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  // RFC 8037, appendix A.3.
  const auto edwards = identity::read_json_object(
      R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})", {});
  REQUIRE(edwards);
  CHECK(to_base64url(*identity::jwk_thumbprint(*edwards)) ==
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}
