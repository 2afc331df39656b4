#include "identity/oidc.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "base/text_codec.h"
#include "token_bench.h"

using namespace sluice;
using namespace sluice::test;
using config::JwsAlgorithm;
using identity::TokenFault;

namespace {

std::string token_with(std::string_view header, std::string_view claims) {
  return make_token(provider_keys().p256, JwsAlgorithm::es256, header, claims);
}

struct Signed {
  JwsAlgorithm algorithm;
  const ProviderKey& key;
  const char* id;
};
std::vector<Signed> kinds() {
  const ProviderKeys& made = provider_keys();
  return {{JwsAlgorithm::rs256, made.rsa, "rsa"},         {JwsAlgorithm::rs384, made.rsa, "rsa"},
          {JwsAlgorithm::rs512, made.rsa, "rsa"},         {JwsAlgorithm::ps256, made.rsa, "rsa"},
          {JwsAlgorithm::ps384, made.rsa, "rsa"},         {JwsAlgorithm::ps512, made.rsa, "rsa"},
          {JwsAlgorithm::rs256, made.bound_rsa, "bound"}, {JwsAlgorithm::es256, made.p256, "p256"},
          {JwsAlgorithm::es384, made.p384, "p384"},       {JwsAlgorithm::es512, made.p521, "p521"},
          {JwsAlgorithm::eddsa, made.ed25519, "ed"}};
}
std::string token_of(const Signed& kind) {
  const auto name = config::jws_algorithm_names[static_cast<std::size_t>(kind.algorithm)];
  return make_token(kind.key, kind.algorithm,
                    fmt::format(R"({{"alg":"{}","typ":"at+jwt","kid":"{}"}})", name, kind.id),
                    good_claims);
}

}  // namespace

TEST_CASE("a token by any algorithm gives its principal") {
  const TokenBench bench;
  for (const Signed& kind : kinds()) {
    INFO(static_cast<int>(kind.algorithm));
    const auto verdict = bench.verify(token_of(kind));
    REQUIRE(name(verdict.fault) == name(TokenFault::none));
    CHECK(verdict.issuer == &bench.issuers.front());
    const config::Principal& principal = verdict.principal;
    CHECK(principal.subject == "ann");
    CHECK(principal.issuer == "corp");
    CHECK(principal.groups == std::vector<std::string>{"staff", "payments"});
    CHECK(principal.proof == config::Proof::oidc);
    CHECK(principal.credential_id == "t-1");
    CHECK(principal.actors.empty());
    CHECK(principal.expires == WallTime{1'800'000'660'000'000'000});
  }
}

TEST_CASE("every shorter token is refused") {
  const TokenBench bench;
  for (const Signed& kind : {kinds().front(), kinds()[7], kinds().back()}) {
    const std::string token = token_of(kind);
    for (std::size_t size = 0; size < token.size(); ++size) {
      if (bench.verify(token.substr(0, size)).fault == TokenFault::none) FAIL(size);
    }
  }
}

TEST_CASE("a token with one bit flipped is refused, whichever") {
  const TokenBench bench;
  for (const Signed& kind : {kinds().front(), kinds()[7], kinds().back()}) {
    const std::string token = token_of(kind);
    for (std::size_t bit = 0; bit < 8 * token.size(); ++bit) {
      std::string flipped = token;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
      if (bench.verify(flipped).fault == TokenFault::none) FAIL(bit);
    }
  }
}

TEST_CASE("types are compared without case and without their prefix; none is for who says so") {
  TokenBench bench;
  const auto fault_of = [&](const char* header) {
    return bench.verify(token_with(header, good_claims)).fault;
  };
  for (const char* type : {"JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"}) {
    CHECK(fault_of(fmt::format(R"({{"alg":"ES256","kid":"p256","typ":"{}"}})", type).c_str()) ==
          TokenFault::none);
  }
  const char* const untyped = R"({"alg":"ES256","kid":"p256","x5t":"thumb"})";
  CHECK(fault_of(untyped) == TokenFault::wrong_type);
  bench.issuers.front().untyped = true;
  CHECK(fault_of(untyped) == TokenFault::none);
}

TEST_CASE("a token without a key id is the only fitting key's") {
  const TokenBench bench;
  CHECK(bench
            .verify(make_token(provider_keys().other, JwsAlgorithm::es256,
                               R"({"alg":"ES256","typ":"JWT"})",
                               R"({"iss":"https://other.example.com","aud":"sluice",)"
                               R"("sub":"bob","exp":1800000001})"))
            .principal.subject == "bob");
  CHECK(bench
            .verify(make_token(provider_keys().ed25519, JwsAlgorithm::eddsa,
                               R"({"alg":"EdDSA","typ":"JWT"})", good_claims))
            .fault == TokenFault::none);
}

TEST_CASE("times count to the skew and no further") {
  const TokenBench bench;
  const auto fault_of = [&](const char* from, const char* to) {
    return bench.verify(token_with(good_header, with(good_claims, from, to))).fault;
  };
  CHECK(fault_of("1800000600", "1799999940.5") == TokenFault::none);
  CHECK(fault_of("1800000600", "1799999940") == TokenFault::expired);
  CHECK(fault_of(R"("nbf":1799999990)", R"("nbf":1800000060)") == TokenFault::none);
  CHECK(fault_of(R"("iat":1799999990)", R"("iat":1800000060)") == TokenFault::none);
  CHECK(fault_of("1800000600", "1.8000006e9") == TokenFault::none);
}

TEST_CASE("a principal expires with its token, or with the keys that proved it") {
  TokenBench bench;
  bench.keys.issuers.front().good_until = token_now + seconds(5);
  CHECK(bench.verify(token_with(good_header, good_claims)).principal.expires ==
        token_now + seconds(5));
}

TEST_CASE("claims are found by name or by path, and get the issuer's prefix") {
  TokenBench bench;
  config::OidcIssuer& corp = bench.issuers.front();
  const auto principal_of = [&](const std::string& claims) {
    const auto verdict = bench.verify(token_with(good_header, claims));
    INFO(text(verdict.fault));
    CHECK(verdict.fault == TokenFault::none);
    return verdict.principal;
  };
  corp.groups_claim = "realm_access.roles";
  corp.subject_claim = "preferred_username";
  corp.prefix = "corp:";
  const auto principal =
      principal_of(with(good_claims, R"("groups":["staff","payments"])",
                        R"("realm_access":{"roles":["clerk"]},"preferred_username":"Ann")"));
  CHECK(principal.subject == "corp:Ann");
  CHECK(principal.groups == std::vector<std::string>{"corp:clerk"});

  // The name as a whole comes first: Auth0's are URLs.
  corp.groups_claim = "https://example.com/roles";
  CHECK(principal_of(with(good_claims, R"("groups":["staff","payments"])",
                          R"("https://example.com/roles":"one group","preferred_username":"A")"))
            .groups == std::vector<std::string>{"corp:one group"});

  corp.groups_claim.clear();
  CHECK(principal_of(with(good_claims, R"("sub":"ann")", R"("preferred_username":"A")"))
            .groups.empty());
}

TEST_CASE("an empty list of groups is a list, and an audience may be one of several") {
  const TokenBench bench;
  CHECK(bench.verify(token_with(good_header, with(good_claims, R"(["staff","payments"])", "[]")))
            .fault == TokenFault::none);
  CHECK(bench
            .verify(
                token_with(good_header, with(good_claims, R"("sluice")", R"(["api",7,"sluice"])")))
            .fault == TokenFault::none);
}

TEST_CASE("a token of an accepted client is taken, by either claim's name") {
  const TokenBench bench;
  for (const char* party : {R"("azp":"console")", R"("client_id":"console")",
                            R"("azp":"console","client_id":"console")"}) {
    CHECK(bench
              .verify(make_token(provider_keys().rsa, JwsAlgorithm::rs256,
                                 R"({"alg":"RS256","typ":"JWT","kid":"rsa"})",
                                 fmt::format(R"({{"iss":"https://strict.example.com",)"
                                             R"("aud":"sluice","sub":"ann","exp":1800000600,{}}})",
                                             party)))
              .fault == TokenFault::none);
  }
}

TEST_CASE("the chain of actors is kept, who acts now first") {
  const TokenBench bench;
  const auto verdict = bench.verify(token_with(
      good_header,
      with(good_claims, R"("jti")",
           R"("act":{"sub":"tool","act":{"sub":"agent","iss":"https://agents.example"}},"jti")")));
  REQUIRE(verdict.fault == TokenFault::none);
  const auto& chain = verdict.principal.actors;
  REQUIRE(chain.size() == 2);
  CHECK(chain[0].subject == "tool");
  CHECK(chain[0].issuer == "corp");
  CHECK(chain[1].subject == "agent");
  CHECK(chain[1].issuer == "https://agents.example");
}

TEST_CASE("a token without an id of its own is named by a digest") {
  const TokenBench bench;
  const std::string token = token_with(good_header, with(good_claims, R"("jti")", R"("jtj")"));
  const auto verdict = bench.verify(token);
  REQUIRE(verdict.fault == TokenFault::none);
  CHECK(verdict.principal.credential_id.starts_with("sha256:"));
  CHECK(verdict.principal.credential_id.size() == 7 + 32);
}
