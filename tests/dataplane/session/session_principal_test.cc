// A session's client is who it was for as long as what proved it stands.
#include "dataplane/session/session_principal.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "snapshot_of.h"
#include "token_bench.h"

using namespace sluice;
using namespace sluice::dataplane;
using config::JwsAlgorithm;

namespace {

std::string configuration(std::string_view issuer) {
  return R"(version: 1
listeners:
  - {name: ledger, address: "127.0.0.1:5432", protocol: postgres, target: db}
targets:
  - {name: db, addresses: ["127.0.0.1:9001"], credential: {user: app, password: file:secret}}
identity:
  api_keys: file:keys.yaml
  oidc: [{)" +
         std::string(issuer) + R"(}]
policies:
  - {name: staff may all, principals: {groups: [staff]}, ruling: allow}
masks:
  - {name: note, find: {columns: [customers.note]}, show: redact, except_groups: [staff]}
audit: {directory: audit, signing_key: file:audit.key}
)";
}
constexpr std::string_view corp =
    R"(name: corp, issuer: "https://id.example.com", audience: sluice, groups_claim: groups)";

std::string key_of(std::string_view subject, const std::vector<std::string>& groups,
                   WallTime expires = test::token_now + seconds(60)) {
  const std::vector<std::uint8_t> random(32, 7);
  return identity::make_key(subject, groups, expires, random).yaml_entry;
}

struct Bench {
  explicit Bench(const std::string& keys = "[]") { adopt(1, std::string(corp), keys); }

  void adopt(std::uint64_t generation, const std::string& issuer, const std::string& keys = "[]") {
    old_views.push_back(std::move(view));
    view = std::make_unique<SnapshotView>(
        test::snapshot_of(configuration(issuer), keys, "unused", generation),
        std::vector<TargetUse>(1));
  }
  SessionPrincipal by_token() {
    tokens.take_up(std::make_shared<const identity::TokenKeys>(issued));
    const auto answer =
        tokens.prove(token, FingerprintKey(1, 2).of(token), view->snapshot(), 0, {}, {{}, now});
    REQUIRE(answer.proof != nullptr);
    return {*answer.proof, view->snapshot(), 0, tokens};
  }
  bool renew(SessionPrincipal& principal) {
    tokens.take_up(std::make_shared<const identity::TokenKeys>(issued));
    return principal.renew(*view, 0, tokens, now);
  }
  bool sees_notes(const SessionPrincipal& principal) const {
    const config::PrincipalView* const rights = principal.view_under(*view);
    return rights != nullptr && rights->response_masks().none();
  }

  /// Made once: no two signatures of one text are alike.
  const std::string token = test::make_token(test::provider_keys().p256, JwsAlgorithm::es256,
                                             test::good_header, test::good_claims);
  WallTime now = test::token_now;
  identity::TokenKeys issued = test::TokenBench().keys;
  TokenProofs tokens;
  std::vector<std::unique_ptr<SnapshotView>> old_views;  // their addresses stay taken
  std::unique_ptr<SnapshotView> view;
};

}  // namespace

TEST_CASE("Whom a key proved is looked up in each configuration") {
  Bench bench(key_of("ann", {"staff"}));
  SessionPrincipal ann(bench.view->snapshot().keys, 0);
  CHECK(ann.view_under(*bench.view) == nullptr);
  REQUIRE(bench.renew(ann));
  CHECK(ann.who().proof == config::Proof::api_key);
  CHECK(ann.view() == bench.view->principal(0, 0));
  CHECK(bench.sees_notes(ann));

  SECTION("where it may have other groups") {
    bench.adopt(2, std::string(corp), key_of("bob", {}));
    CHECK_FALSE(bench.renew(ann));
    bench.adopt(3, std::string(corp), key_of("ann", {}));
    CHECK(ann.view_under(*bench.view) == nullptr);
    REQUIRE(bench.renew(ann));
    CHECK_FALSE(bench.sees_notes(ann));
  }
  SECTION("and expires") {
    bench.now = bench.now + seconds(60);
    CHECK_FALSE(bench.renew(ann));
  }
  SECTION("and is another's, with the same id") {
    std::string stolen = key_of("ann", {"staff"});
    stolen.replace(stolen.find("subject: \"ann\""), 14, "subject: \"eve\"");
    bench.adopt(2, std::string(corp), stolen);
    CHECK_FALSE(bench.renew(ann));
  }
}

TEST_CASE("Whom a token proved stays as long as its issuer and its key do") {
  Bench bench;
  SessionPrincipal ann = bench.by_token();
  CHECK(ann.who().subject == "ann");
  CHECK(bench.sees_notes(ann));
  REQUIRE(bench.renew(ann));

  SECTION("through a configuration that changes nothing about them") {
    bench.adopt(2, fmt::format("{}, clock_skew: 30s", corp));
    CHECK(ann.view_under(*bench.view) == nullptr);
    REQUIRE(bench.renew(ann));
    CHECK(bench.sees_notes(ann));
  }
  SECTION("through keys that are fetched again, in other words") {
    bench.issued.generation = 2;
    bench.issued.issuers.front().keys = std::make_shared<const identity::JwkSet>(
        *identity::parse_jwk_set(test::key_set({test::provider_keys().p256.jwk("renamed")})));
    CHECK(bench.renew(ann));
  }
  SECTION("until the token expires") {
    bench.now = bench.now + seconds(660);
    CHECK_FALSE(bench.renew(ann));
  }
  SECTION("until the key is withdrawn") {
    bench.issued.generation = 2;
    bench.issued.issuers.front().keys = std::make_shared<const identity::JwkSet>(
        *identity::parse_jwk_set(test::key_set({test::provider_keys().rsa.jwk("p256")})));
    CHECK_FALSE(bench.renew(ann));
  }
  SECTION("until there are no keys") {
    bench.issued = {.generation = 2, .issuers = {}};
    CHECK_FALSE(bench.renew(ann));
  }
  SECTION("until the issuer is another") {
    for (
        const std::string_view changed :
        {R"(name: other, issuer: "https://id.example.com", audience: sluice, groups_claim: groups)",
         R"(name: corp, issuer: "https://id2.example.com", audience: sluice, groups_claim: groups)",
         R"(name: corp, issuer: "https://id.example.com", audience: more, groups_claim: groups)",
         R"(name: corp, issuer: "https://id.example.com", audience: sluice)",
         R"(name: corp, issuer: "https://id.example.com", audience: sluice, groups_claim: groups,
             prefix: "x:")",
         R"(name: corp, issuer: "https://id.example.com", audience: sluice, groups_claim: groups,
             subject_claim: email)",
         R"(name: corp, issuer: "https://id.example.com", audience: sluice, groups_claim: groups,
             algorithms: [RS256])",
         R"(name: corp, issuer: "https://id.example.com", audience: sluice, groups_claim: groups,
             authorized_parties: [console])"}) {
      INFO(changed);
      Bench other;
      SessionPrincipal bob = other.by_token();
      other.adopt(2, std::string(changed));
      CHECK_FALSE(other.renew(bob));
    }
  }
}

TEST_CASE("Sessions of one token share what it may do") {
  Bench bench;
  const SessionPrincipal one = bench.by_token();
  const SessionPrincipal other = bench.by_token();
  CHECK(one.view() == other.view());
}
