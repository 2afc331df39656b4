#include "cli/authorization.h"

#include <catch2/catch.hpp>

#include "dpop_maker.h"
#include "identity/api_keys.h"
#include "snapshot_of.h"

using namespace sluice;
using control::api::Proving;

namespace {

/// A gateway that knows one key, and lets a source fail three times a minute.
struct Bench {
  identity::NewKey made =
      identity::make_key("ann", {"ops"}, {INT64_MAX}, std::vector<std::uint8_t>(32, 7));
  std::shared_ptr<const dataplane::Snapshot> snapshot;
  identity::TokenKeys keys;
  cli::Authorization authorization;
  Instant monotonic{1};

  Bench() {
    std::string configuration = test::open_gateway("");
    const std::string section = "identity:\n";
    configuration.insert(
        configuration.find(section) + section.size(),
        "  failed_proofs_per_source: 3/m\n"
        "  oidc:\n"
        "    - {name: corp, issuer: \"https://id.test\", audience: api}\n"
        "    - {name: main, issuer: \"https://id.example.com\", audience: sluice,\n"
        "       groups_claim: groups}\n");
    snapshot = test::snapshot_of(configuration, made.yaml_entry);
  }

  cli::AuthorizationVerdict verdict(const std::string& field,
                                    std::string_view source = "192.0.2.1") {
    return authorization.prove(field, source, {*snapshot, keys, test::token_now, monotonic});
  }
  Proving prove(const std::string& field, std::string_view source = "192.0.2.1") {
    return verdict(field, source).proving;
  }
};

}  // namespace

TEST_CASE("A key proves its subject on the control API, and what is none says why") {
  Bench bench;
  const Proving good = bench.prove("Bearer " + bench.made.secret);
  CHECK(good.state == Proving::State::proved);
  CHECK(good.who.subject == "ann");
  const Proving bad = bench.prove("Digest nonsense");
  CHECK(bad.state == Proving::State::nobody);
  CHECK(bad.who.subject.empty());
  CHECK_FALSE(bad.fault.empty());
}

TEST_CASE("A source that fails too often is not looked at; others are, and so is the socket") {
  Bench bench;
  const std::string wrong = "Bearer " + std::string(bench.made.secret.size(), 'A');
  const std::string right = "Bearer " + bench.made.secret;
  for (int i = 0; i < 3; ++i) CHECK(bench.prove(wrong).state == Proving::State::nobody);
  CHECK(bench.prove(wrong).state == Proving::State::unseen);
  CHECK(bench.prove(right).state == Proving::State::unseen);
  CHECK(bench.prove(right, "192.0.2.2").state == Proving::State::proved);
  for (int i = 0; i < 9; ++i) CHECK(bench.prove(wrong, "").state == Proving::State::nobody);
  bench.monotonic = bench.monotonic + seconds(21);
  CHECK(bench.prove(right).state == Proving::State::proved);
}

TEST_CASE("A token of an issuer without keys waits for them, and is no guess") {
  Bench bench;
  // {"alg":"ES256","typ":"JWT","kid":"k"} and {"iss":"https://id.test"}
  const std::string token =
      "Bearer eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImsifQ"
      ".eyJpc3MiOiJodHRwczovL2lkLnRlc3QifQ.AAAA";
  bench.keys.issuers.resize(1);
  bench.keys.issuers[0].issuer = "https://id.test";
  for (int i = 0; i < 5; ++i) {
    const auto verdict = bench.verdict(token);
    CHECK(verdict.proving.state == Proving::State::awaits_keys);
    CHECK(verdict.awaited_issuer == "https://id.test");
  }
  // It was asked just now, and has none.
  bench.keys.issuers[0].ask_from = bench.monotonic + seconds(5);
  CHECK(bench.prove(token).state == Proving::State::nobody);
}

TEST_CASE(
    "A token that is bound to a key proves nobody on the control API, with a proof or without") {
  Bench bench;
  bench.keys = test::TokenBench().keys;
  const auto& provider = test::provider_keys();
  const Proving good =
      bench.prove("Bearer " + test::make_token(provider.p256, config::JwsAlgorithm::es256,
                                               test::good_header, test::good_claims));
  CHECK(good.state == Proving::State::proved);
  CHECK(good.who.subject == "ann");
  const std::string bound = test::bound_token(provider.other);
  for (const char* const scheme : {"Bearer ", "DPoP "}) {
    CAPTURE(scheme);
    const Proving bad = bench.prove(scheme + bound);
    CHECK(bad.state == Proving::State::nobody);
    CHECK(bad.who.subject.empty());
    CHECK(bad.fault == text(identity::TokenFault::wrong_key));
  }
}
