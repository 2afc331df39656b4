// Who gets a token of the gateway's own, and what the log has of it.
#include "control/token_mint.h"

#include <unistd.h>

#include <catch2/catch.hpp>

#include "control/revocations.h"
#include "must.h"
#include "temporary_folder.h"
#include "token_bench.h"

using namespace sluice;
using namespace sluice::control;
using config::JwsAlgorithm;
using identity::TokenFault;
using test::must;
using test::token_now;
using Kind = MintRefusal::Kind;

namespace {

struct Entry {
  std::string event;
  std::string subject;
  std::string proof;
  std::string id;
  std::string detail;
  std::size_t actors = 0;
};

struct Bench {
  Bench() {
    settings.identity.oidc = providers.issuers;
    config::GatewayTokens& tokens = settings.identity.gateway_tokens.emplace();
    tokens.revocations = folder.path() / "revoked";
    settings.targets.emplace_back().name = "ledger-db";
    const std::vector<std::uint8_t> random(32, 7);
    made = identity::make_key("batch", {"settlement"}, token_now + seconds(600), random);
    api_keys = must(identity::ApiKeys::parse(made.yaml_entry, "keys.yaml", {}));
  }
  [[nodiscard]] MintBasis basis() const {
    return {settings, keys.get(), *api_keys, providers.keys};
  }
  Result<MintedToken, MintRefusal> mint(const MintRequest& request) {
    return desk.mint(request, basis());
  }
  Kind refusal_of(const MintRequest& request) {
    const auto minted = mint(request);
    REQUIRE_FALSE(minted);
    CHECK(log.back().event == "token-refused");
    return minted.error().kind;
  }
  [[nodiscard]] config::Principal principal_of(const std::string& token) const {
    static const identity::RevokedTokens none;
    auto verdict = identity::verify_token(
        token, {settings.identity.oidc, providers.keys, &keys->proving(), none}, token_now);
    CHECK(verdict.fault == TokenFault::none);
    return verdict.principal;
  }

  test::TemporaryFolder folder;
  test::TokenBench providers;
  config::Settings settings;
  identity::NewKey made;
  std::shared_ptr<const identity::ApiKeys> api_keys;
  std::shared_ptr<const identity::GatewayTokenKeys> keys =
      must(identity::GatewayTokenKeys::read(must(identity::make_token_key()), ""));
  std::vector<Entry> log;
  bool log_takes = true;
  std::uint8_t next = 0;
  TokenMint desk{{.now = [] { return token_now; },
                  .random = [this](std::size_t n) { return std::vector<std::uint8_t>(n, ++next); },
                  .record = [this](const audit::Record& record) -> Result<void> {
                    if (!log_takes) return fail("the audit log cannot take a record");
                    CHECK(record.phase == audit::Phase::control);
                    log.push_back({std::string(record.event), std::string(record.subject),
                                   std::string(record.proof), std::string(record.credential_id),
                                   std::string(record.detail), record.delegation.size()});
                    return {};
                  }}};
};

std::string provider_token(std::string_view more = "") {
  return test::make_token(
      test::provider_keys().p256, JwsAlgorithm::es256, test::good_header,
      test::with(test::good_claims, R"("jti")", std::string(more) + R"("jti")"));
}

}  // namespace

TEST_CASE("Who shows a credential gets a token for whom it proves") {
  Bench bench;
  SECTION("an API key, which it does not outlive") {
    const auto minted = must(bench.mint({.credential = bench.made.secret}));
    CHECK(minted.subject == "batch");
    CHECK(minted.expires == token_now + seconds(600));
    const auto who = bench.principal_of(minted.token);
    CHECK(who.subject == "batch");
    CHECK(who.groups == std::vector<std::string>{"settlement"});
    CHECK(who.issuer == "api_keys");
    CHECK(bench.log.back().proof == "api-key");
  }
  SECTION("a provider's token, which it may outlive") {
    const auto minted = must(bench.mint({.credential = provider_token(R"("act":{"sub":"tool"},)"),
                                         .target = "ledger-db",
                                         .lifetime = seconds(7200),
                                         .by = "user 1000"}));
    CHECK(minted.expires == token_now + seconds(7200));
    const auto who = bench.principal_of(minted.token);
    CHECK(who.subject == "ann");
    CHECK(who.issuer == "corp");
    CHECK(who.target == "ledger-db");
    REQUIRE(who.actors.size() == 1);
    CHECK(who.actors.front().subject == "tool");
    const Entry& entry = bench.log.back();
    CHECK(entry.event == "token-minted");
    CHECK(entry.subject == "ann");
    CHECK(entry.proof == "oidc");
    CHECK(entry.id == minted.id);
    CHECK(entry.actors == 1);
    CHECK(entry.detail ==
          "for ledger-db until 2027-01-15T10:00:00Z, asked by user 1000, on "
          "credential t-1");
  }
  CHECK(bench.desk.counts().minted == 1);
  CHECK(bench.desk.counts().refused == 0);
}

TEST_CASE("Who was proved already gets one, but not by a token of the gateway's own") {
  Bench bench;
  config::Principal who;
  who.subject = "ann";
  who.groups = {"staff"};
  who.proof = config::Proof::api_key;
  who.expires = token_now + seconds(600);
  const auto minted = must(bench.mint({.proved = who, .by = "ann"}));
  CHECK(minted.subject == "ann");
  CHECK(minted.expires == token_now + seconds(600));
  CHECK(bench.log.back().proof == "api-key");
  who.proof = config::Proof::gateway_token;
  CHECK(bench.refusal_of({.proved = who}) == Kind::denied);
  CHECK(bench.refusal_of({.proved = config::Principal{}}) == Kind::denied);
}

TEST_CASE("The operator gets one for whom it names; nobody else does") {
  Bench bench;
  const auto minted =
      must(bench.mint({.subject = "batch", .groups = {"settlement"}, .is_operator = true}));
  CHECK(bench.principal_of(minted.token).issuer == "operator");
  CHECK(minted.expires == token_now + seconds(3600));
  CHECK(bench.refusal_of({.subject = "batch"}) == Kind::denied);
  for (const std::string& name :
       {std::string(), std::string("*"), std::string("a\nb"), std::string(257, 'a')}) {
    CHECK(bench.refusal_of({.subject = name, .is_operator = true}) == Kind::invalid);
    CHECK(bench.refusal_of({.subject = "batch", .groups = {name}, .is_operator = true}) ==
          Kind::invalid);
  }
}

TEST_CASE("What proves nothing gets nothing, and learns nothing of why") {
  Bench bench;
  const std::string own = must(bench.mint({.credential = bench.made.secret})).token;
  std::string forged = provider_token();
  forged[forged.size() - 5] = forged[forged.size() - 5] == 'A' ? 'B' : 'A';
  for (const std::string& bad :
       {own, forged, bench.made.secret + "x", std::string("batch:guess"), std::string("x")}) {
    const auto minted = bench.mint({.credential = bad, .by = "user 7"});
    REQUIRE_FALSE(minted);
    CHECK(minted.error().kind == Kind::denied);
    CHECK(minted.error().message == "the credential was not accepted");
    CHECK(bench.log.back().event == "token-refused");
    CHECK(bench.log.back().detail.find(bad) == std::string::npos);
  }
  CHECK(bench.log[2].detail == "asked by user 7: the token's signature does not hold");
  CHECK(bench.desk.counts().refused == 5);
}

TEST_CASE("Keys that could not be fetched yet are worth another try") {
  Bench bench;
  const auto minted =
      bench.mint({.credential = test::make_token(
                      test::provider_keys().p256, JwsAlgorithm::es256, test::good_header,
                      test::with(test::good_claims, "id.example.com", "absent.example.com"))});
  REQUIRE_FALSE(minted);
  CHECK(minted.error().kind == Kind::unavailable);
  CHECK(minted.error().issuer == "https://absent.example.com");
}

TEST_CASE("What makes no sense is refused") {
  Bench bench;
  const std::string secret = bench.made.secret;
  CHECK(bench.refusal_of({.credential = secret, .target = "elsewhere"}) == Kind::invalid);
  CHECK(bench.refusal_of({.credential = secret, .lifetime = seconds(0)}) == Kind::invalid);
  CHECK(bench.refusal_of({.credential = secret, .lifetime = seconds(12 * 3600 + 1)}) ==
        Kind::invalid);
  CHECK(bench.refusal_of({.credential = secret, .subject = "eve", .is_operator = true}) ==
        Kind::invalid);
  CHECK(bench.refusal_of({.credential = secret, .groups = {"dba"}, .is_operator = true}) ==
        Kind::invalid);
  bench.keys = nullptr;
  CHECK(bench.desk.mint({.credential = secret}, bench.basis()).error().kind == Kind::invalid);
}

TEST_CASE("Without its record no token leaves and none is taken back") {
  Bench bench;
  bench.log_takes = false;
  CHECK(bench.mint({.credential = bench.made.secret}).error().kind == Kind::unavailable);
  const std::string id = "AAECAwQFBgcICQoLDA0ODw";
  CHECK(bench.desk.revoke(id, "user 0", bench.basis()).error().kind == Kind::unavailable);
  CHECK(Revocations::read(revoked_tokens, bench.settings.identity.gateway_tokens->revocations)
            ->ids()
            ->empty());
}

TEST_CASE("What is taken back is recorded and listed") {
  Bench bench;
  const auto minted = must(bench.mint({.credential = bench.made.secret}));
  REQUIRE(bench.desk.revoke(minted.id, "user 7", bench.basis()));
  CHECK(bench.log.back().event == "token-revoked");
  CHECK(bench.log.back().id == minted.id);
  CHECK(bench.log.back().detail == "asked by user 7");
  CHECK(Revocations::read(revoked_tokens, bench.settings.identity.gateway_tokens->revocations)
            ->ids()
            ->contains(minted.id));
  CHECK(bench.desk.revoke("no id", "user 0", bench.basis()).error().kind == Kind::invalid);
  CHECK(bench.desk.counts().revoked == 1);
}
