#include "dataplane/session/token_proofs.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include <vector>

#include "base/text_codec.h"
#include "snapshot_of.h"
#include "token_bench.h"

using namespace sluice;
using namespace sluice::dataplane;
using config::JwsAlgorithm;
using identity::TokenFault;

namespace {

constexpr const char* configuration = R"(version: 1
listeners:
  - {name: payments, address: "127.0.0.1:8080", protocol: http, target: api}
targets:
  - {name: api, addresses: ["127.0.0.1:9001"]}
identity:
  oidc:
    - {name: corp, issuer: "https://id.example.com", audience: sluice, groups_claim: groups}
    - {name: absent, issuer: "https://absent.example.com", audience: sluice}
policies:
  - {name: staff may all, principals: {groups: [staff]}, ruling: allow}
audit: {directory: audit, signing_key: file:audit.key}
)";

std::string token_of(std::string_view subject) {
  return test::make_token(test::provider_keys().p256, JwsAlgorithm::es256, test::good_header,
                          test::with(test::good_claims, "ann", subject));
}

/// The same, whose first issuer is asked about tokens that only it can read.
std::string asking() {
  const std::string limited =
      test::with(configuration, "identity:\n", "identity:\n  failed_proofs_per_source: 30/m\n");
  return test::with(limited, "groups_claim: groups}",
                    "groups_claim: groups, introspection: {client_id: gw, client_secret: file:s}}");
}
config::Principal ann_until(WallTime expires) {
  config::Principal who;
  who.subject = "ann";
  who.groups = {"staff"};
  who.proof = config::Proof::introspection;
  who.expires = expires;
  return who;
}

struct Bench {
  Bench() { take_up(1); }
  void take_up(std::uint64_t generation) {
    keys = std::make_shared<identity::TokenKeys>(test::TokenBench().keys);
    keys->generation = generation;
    std::erase_if(keys->issuers,
                  [](const auto& one) { return one.issuer == "https://absent.example.com"; });
    proofs.take_up(keys);
  }
  TokenProofs::Answer prove(const std::string& token, ByteView certificate = {}) {
    return proofs.prove(token, print_key.of(token), *snapshot, 0, {.certificate = certificate},
                        now);
  }

  FingerprintKey print_key{1, 2};
  std::shared_ptr<const Snapshot> snapshot = test::snapshot_of(configuration, "[]");
  std::shared_ptr<identity::TokenKeys> keys;
  TokenProofs proofs;
  Now now{{1'000'000'000}, test::token_now};
};

}  // namespace

TEST_CASE("A token that held is remembered until it expires") {
  Bench bench;
  const std::string token = token_of("ann");
  const auto first = bench.prove(token);
  REQUIRE(first.proof != nullptr);
  CHECK(first.proof->principal().subject == "ann");
  const auto view = first.proof->view(*bench.snapshot, 0);
  const auto again = bench.prove(token);
  CHECK(again.proof == first.proof);
  CHECK(again.proof->view(*bench.snapshot, 0) == view);

  bench.now.wall = bench.now.wall + seconds(660);
  CHECK(bench.prove(token).fault == TokenFault::expired);
}

TEST_CASE("A token that is bound to a certificate is good on its connections only") {
  Bench bench;
  const std::vector<std::uint8_t> own(32, 0x5A);
  const std::vector<std::uint8_t> other(32, 0x5B);
  std::string claims(test::good_claims);
  claims.insert(claims.rfind('}'), R"(,"cnf":{"x5t#S256":")" + to_base64url(own) + R"("})");
  const std::string token =
      test::make_token(test::provider_keys().p256, JwsAlgorithm::es256, test::good_header, claims);
  CHECK(bench.prove(token).fault == TokenFault::wrong_certificate);
  CHECK(bench.prove(token, other).fault == TokenFault::wrong_certificate);
  const auto first = bench.prove(token, own);
  REQUIRE(first.proof != nullptr);
  CHECK(first.proof->principal().subject == "ann");
  // Also once it is remembered.
  CHECK(bench.prove(token, own).proof == first.proof);
  CHECK(bench.prove(token, other).fault == TokenFault::wrong_certificate);
  CHECK(bench.prove(token).fault == TokenFault::wrong_certificate);
  // Others do not care who shows what.
  CHECK(bench.prove(token_of("bob"), own).proof != nullptr);
}

TEST_CASE("What was proved is proved again under other keys or another configuration") {
  Bench bench;
  const std::string token = token_of("ann");
  REQUIRE(bench.prove(token).proof != nullptr);
  SECTION("keys that went") {
    auto keys = std::make_shared<identity::TokenKeys>();
    keys->generation = 2;
    bench.proofs.take_up(keys);
    CHECK(bench.prove(token).fault == TokenFault::no_keys);
  }
  SECTION("an issuer that went") {
    bench.snapshot = test::snapshot_of(test::open_gateway(""), "[]", "unused", 2);
    CHECK(bench.prove(token).fault == TokenFault::unknown_issuer);
  }
}

TEST_CASE(
    "A request under an older configuration is proved anew, and nothing is forgotten for it") {
  Bench bench;
  const auto older = test::snapshot_of(
      test::with(configuration, "targets:\n",
                 "  - {name: more, address: \"127.0.0.1:8081\", protocol: http, target: api}\n"
                 "targets:\n"),
      "[]");
  const std::string token = token_of("ann");
  const auto under_older = [&](const std::string& shown) {
    return bench.proofs.prove(shown, bench.print_key.of(shown), *older, 1, {}, bench.now);
  };

  SECTION("by its own issuers and listeners") {
    bench.snapshot = test::snapshot_of(configuration, "[]", "unused", 2);
    TokenProof* const known = bench.prove(token).proof;
    REQUIRE(known != nullptr);
    const auto answer = under_older(token);
    REQUIRE(answer.proof != nullptr);
    CHECK(answer.proof != known);
    CHECK(answer.proof->principal().subject == "ann");
    CHECK(answer.proof->view(*older, 1) != nullptr);
    CHECK_FALSE(bench.proofs.is_under(*older));
    CHECK(bench.prove(token).proof == known);
  }
  SECTION("and what that proves is nothing to the newer one") {
    bench.snapshot = test::snapshot_of(test::open_gateway(""), "[]", "unused", 2);
    CHECK(bench.prove(token).fault == TokenFault::unknown_issuer);
    CHECK(under_older(token).proof != nullptr);
    CHECK_FALSE(bench.proofs.knows(bench.print_key.of(token)));
    CHECK(bench.prove(token).fault == TokenFault::unknown_issuer);
  }
  SECTION("by the newest keys") {
    bench.snapshot = test::snapshot_of(configuration, "[]", "unused", 2);
    REQUIRE(bench.prove(token).proof != nullptr);
    auto keys = std::make_shared<identity::TokenKeys>();
    keys->generation = 2;
    bench.proofs.take_up(keys);
    CHECK(under_older(token).fault == TokenFault::no_keys);
    CHECK(bench.prove(token).fault == TokenFault::no_keys);
  }
}

TEST_CASE("What an issuer says is no answer under an older configuration, and is kept") {
  Bench bench;
  const auto older = test::snapshot_of(asking(), "[]");
  bench.snapshot = test::snapshot_of(asking(), "[]", "unused", 2);
  const std::string token = "G3mQmWm3p2ZJ-0pVq8uRtA";
  const Fingerprint print = bench.print_key.of(token);
  const auto under_older = [&] {
    return bench.proofs.prove(token, print, *older, 0, {}, bench.now);
  };
  REQUIRE(bench.prove(token).asked != nullptr);

  SECTION("that it is good") {
    bench.proofs.remember({print, 2, ann_until(bench.now.wall + seconds(60))}, bench.now.monotonic);
    const auto answer = under_older();
    CHECK(answer.proof == nullptr);
    CHECK(answer.asked != nullptr);
    CHECK(bench.prove(token).proof != nullptr);
  }
  SECTION("that it is not") {
    bench.proofs.remember({print, 2, tl::unexpected(TokenFault::inactive)}, bench.now.monotonic);
    CHECK(under_older().asked != nullptr);
    CHECK(bench.prove(token).fault == TokenFault::inactive);
  }
}

TEST_CASE("A token that is bad stays bad, and nothing of it is kept") {
  Bench bench;
  std::string token = token_of("ann");
  token[token.size() - 5] = token[token.size() - 5] == 'A' ? 'B' : 'A';
  for (int i = 0; i < 2; ++i) {
    const auto answer = bench.prove(token);
    CHECK(answer.fault == TokenFault::bad_signature);
    CHECK(answer.proof == nullptr);
    CHECK(answer.awaited == nullptr);
  }
}

TEST_CASE("Newer keys are awaited where they could help, and not too often") {
  Bench bench;
  const std::string token =
      test::make_token(test::provider_keys().p256, JwsAlgorithm::es256,
                       R"({"alg":"ES256","typ":"JWT","kid":"new"})", test::good_claims);
  auto answer = bench.prove(token);
  CHECK(answer.fault == TokenFault::unknown_key);
  REQUIRE(answer.awaited != nullptr);
  CHECK(answer.awaited->name == "corp");

  bench.keys->issuers.front().ask_from = bench.now.monotonic + milliseconds(1);
  answer = bench.prove(token);
  CHECK(answer.fault == TokenFault::unknown_key);
  CHECK(answer.awaited == nullptr);

  answer = bench.prove(
      test::make_token(test::provider_keys().p256, JwsAlgorithm::es256, test::good_header,
                       test::with(test::good_claims, "id.example.com", "absent.example.com")));
  CHECK(answer.fault == TokenFault::no_keys);
  CHECK(answer.awaited != nullptr);
}

TEST_CASE("Of many tokens those in use are remembered") {
  Bench bench;
  const std::string used = token_of("ann");
  const auto* const proof = bench.prove(used).proof;
  for (int i = 0; i < 6'000; ++i) {
    REQUIRE(bench.prove(token_of(fmt::format("user-{}", i))).proof != nullptr);
    if (i % 1000 == 0) CHECK(bench.prove(used).proof == proof);
  }
}

TEST_CASE("A token that only its issuer can read is asked about, and the answer is remembered") {
  Bench bench;
  bench.snapshot = test::snapshot_of(asking(), "[]");
  const std::string token = "G3mQmWm3p2ZJ-0pVq8uRtA";
  const Fingerprint print = bench.print_key.of(token);
  const auto unknown = bench.prove(token);
  REQUIRE(unknown.asked != nullptr);
  CHECK(unknown.asked->name == "corp");
  CHECK(unknown.proof == nullptr);
  CHECK_FALSE(bench.proofs.knows(print));
  const std::uint64_t generation = bench.snapshot->generation;
  const WallTime end = bench.now.wall + seconds(60);

  SECTION("that it is good") {
    bench.proofs.remember({print, generation, ann_until(end)}, bench.now.monotonic);
    CHECK(bench.proofs.knows(print));
    const auto answer = bench.prove(token);
    REQUIRE(answer.proof != nullptr);
    CHECK(answer.proof->principal().subject == "ann");
    bench.now.wall = bench.now.wall + seconds(59);
    CHECK(bench.prove(token).proof == answer.proof);
    bench.now.wall = end;
    CHECK(bench.prove(token).asked != nullptr);
  }
  SECTION("that it is not, for a short time") {
    bench.proofs.remember({print, generation, tl::unexpected(TokenFault::inactive)},
                          bench.now.monotonic);
    CHECK_FALSE(bench.proofs.knows(print));
    CHECK(bench.prove(token).fault == TokenFault::inactive);
    bench.now.monotonic = bench.now.monotonic + TokenProofs::refused_for;
    CHECK(bench.prove(token).asked != nullptr);
  }
  SECTION("that it is bound, for whoever has what it is bound to") {
    auto who = ann_until(end);
    who.bound_certificate = std::string(32, 'c');
    bench.proofs.remember({print, generation, who}, bench.now.monotonic);
    CHECK(bench.prove(token).fault == TokenFault::wrong_certificate);
    CHECK(bench.prove(token, as_bytes(who.bound_certificate)).proof != nullptr);
  }
  SECTION("under another configuration, which is no answer") {
    bench.proofs.remember({print, generation + 1, ann_until(end)}, bench.now.monotonic);
    CHECK(bench.prove(token).asked != nullptr);
    bench.proofs.remember({print, generation, ann_until(end)}, bench.now.monotonic);
    bench.snapshot = test::snapshot_of(asking(), "[]", "unused", 2);
    CHECK(bench.prove(token).asked != nullptr);
  }
  SECTION("of so many that are refused that not all are remembered") {
    const auto refused = [&](std::uint64_t i) {
      bench.proofs.remember({{i, i}, generation, tl::unexpected(TokenFault::inactive)},
                            bench.now.monotonic);
    };
    for (std::uint64_t i = 0; i < TokenProofs::refused_max; ++i) refused(i);
    bench.proofs.remember({print, generation, tl::unexpected(TokenFault::inactive)},
                          bench.now.monotonic);
    CHECK(bench.prove(token).fault == TokenFault::inactive);
  }
}

TEST_CASE("No issuer is asked about a token that may be another's, nor where none is to be asked") {
  Bench bench;
  const std::string opaque = "G3mQmWm3p2ZJ-0pVq8uRtA";
  CHECK(bench.prove(opaque).fault == TokenFault::not_compact);
  bench.snapshot = test::snapshot_of(asking(), "[]", "unused", 2);
  CHECK(bench.prove(token_of("ann")).proof != nullptr);
  const std::string header = to_base64url(as_bytes(std::string_view(R"({"alg":"none"})")));
  CHECK(bench.prove(header + ".e30.").fault == TokenFault::unsigned_token);
  CHECK(bench.prove(header + ".a.b.c.d").fault == TokenFault::encrypted);
  CHECK(bench.prove(std::string(5000, 'a')).fault == TokenFault::not_compact);
}
