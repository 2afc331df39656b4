// Requests that show a token of an OpenID Connect issuer.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

#include "session_bench.h"
#include "snapshot_of.h"
#include "token_bench.h"

using namespace sluice;
using namespace sluice::dataplane;
using config::JwsAlgorithm;

namespace {

constexpr const char* configuration = R"(version: 1
listeners:
  - {name: payments, address: "127.0.0.1:8080", protocol: http, target: api}
targets:
  - {name: api, addresses: ["127.0.0.1:9001"]}
identity:
  oidc:
    - {name: corp, issuer: "https://id.example.com", audience: sluice, groups_claim: groups}
policies:
  - {name: staff may, principals: {groups: [staff]}, operations: {http: {paths: ["/staff"]}}, ruling: allow}
  - name: bodies without secrets
    principals: {groups: [staff]}
    operations: {http: {paths: ["/body"], body: ["secret"]}}
    ruling: deny
  - {name: bodies, principals: {groups: [staff]}, operations: {http: {paths: ["/body"]}}, ruling: allow}
audit: {directory: audit, signing_key: file:audit.key}
)";

std::shared_ptr<const identity::TokenKeys> keys() {
  return std::make_shared<const identity::TokenKeys>(test::TokenBench().keys);
}

/// The same, whose issuer is asked about tokens that only it can read.
std::string asking(std::string_view rate = "30/m") {
  const std::string limited =
      test::with(configuration, "identity:\n",
                 fmt::format("identity:\n  failed_proofs_per_source: {}\n", rate));
  return test::with(limited, "groups_claim: groups}",
                    "groups_claim: groups, introspection: {client_id: gw, client_secret: file:s}}");
}
constexpr const char* opaque = "G3mQmWm3p2ZJ-0pVq8uRtA";

struct Bench : SessionBench {
  explicit Bench(const std::string& settings = configuration)
      : SessionBench(test::snapshot_of(settings, "[]")) {
    worker().now.wall = test::token_now;
    worker().tokens.take_up(keys());
  }
  void ask(std::string_view path, const std::string& token, std::string_view more = "\r\n") {
    client_sends("POST " + std::string(path) + " HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer " +
                 token + "\r\n" + std::string(more));
  }
  std::string status() {
    const std::string answer = to_client();
    return answer.empty() ? "none" : answer.substr(9, 3);
  }
};

std::string good_token() {
  return test::make_token(test::provider_keys().p256, JwsAlgorithm::es256, test::good_header,
                          test::good_claims);
}
std::string token_of_new_key() {
  return test::make_token(test::provider_keys().p256, JwsAlgorithm::es256,
                          R"({"alg":"ES256","typ":"JWT","kid":"new"})", test::good_claims);
}
/// After so many attempts that brought nothing new.
std::shared_ptr<const identity::TokenKeys> keys_after(std::uint64_t attempts) {
  auto table = test::TokenBench().keys;
  table.issuers.front().attempts = attempts;
  return std::make_shared<const identity::TokenKeys>(std::move(table));
}
std::shared_ptr<const identity::TokenKeys> keys_with_new(Instant ask_from) {
  auto table = test::TokenBench().keys;
  table.generation = 2;
  table.issuers.front().ask_from = ask_from;
  table.issuers.front().keys = std::make_shared<const identity::JwkSet>(
      *identity::parse_jwk_set(test::key_set({test::provider_keys().p256.jwk("new")})));
  return std::make_shared<const identity::TokenKeys>(std::move(table));
}

}  // namespace

TEST_CASE("Who shows a good token is judged by its groups, and the token goes no further") {
  Bench bench;
  const std::string token = good_token();
  bench.ask("/staff", token);
  bench.connect_upstream();
  const std::string onward = bench.to_upstream();
  CHECK(onward.starts_with("POST /staff HTTP/1.1"));
  CHECK(onward.find(token) == std::string::npos);
  CHECK(onward.find("uthorization") == std::string::npos);

  Bench other;
  other.ask("/elsewhere", token);
  CHECK(other.status() == "403");
}

TEST_CASE("Who shows a bad token learns nothing of why") {
  Bench bench;
  std::string token = good_token();
  token[token.size() - 5] = token[token.size() - 5] == 'A' ? 'B' : 'A';
  bench.ask("/staff", token);
  const std::string answer = bench.to_client();
  CHECK(answer.starts_with("HTTP/1.1 401 "));
  CHECK(answer.find("the token was not accepted") != std::string::npos);
  CHECK(answer.find("signature") == std::string::npos);
  CHECK(bench.worker()
            .metrics.tokens_refused[static_cast<std::size_t>(identity::TokenFault::bad_signature)]
            .read() == 1);
  CHECK(bench.worker().metrics.requests_unauthenticated.read() == 1);
  // The connection is as good as before.
  bench.ask("/elsewhere", good_token());
  CHECK(bench.status() == "403");
}

TEST_CASE("A token and another credential are one too many") {
  Bench bench;
  bench.ask("/staff", good_token(), "X-Api-Key: sk_a_b\r\n\r\n");
  CHECK(bench.status() == "401");
}

TEST_CASE("A token of an unknown key waits for newer keys, once") {
  Bench bench;
  bench.ask("/elsewhere", token_of_new_key());
  CHECK(bench.status() == "none");
  REQUIRE(bench.session().wants_keys());
  CHECK(bench.session().take_keys_wish() == "https://id.example.com");
  CHECK_FALSE(bench.session().wants_keys());

  SECTION("which bring it") {
    bench.worker().tokens.take_up(keys_with_new({}));
    bench.session().on_token_news();
    CHECK(bench.status() == "403");
  }
  SECTION("which do not") {
    bench.worker().tokens.take_up(keys_after(2));
    bench.session().on_token_news();
    CHECK(bench.status() == "401");
    CHECK_FALSE(bench.session().wants_keys());
    // The next request may wait anew.
    bench.ask("/elsewhere", token_of_new_key());
    CHECK(bench.session().wants_keys());
  }
  SECTION("while others come, which are another issuer's") {
    for (int i = 0; i < 3; ++i) {
      bench.pass(seconds(3));
      bench.session().on_token_news();
      CHECK(bench.status() == "none");
      CHECK(bench.session().take_keys_wish() == "https://id.example.com");
    }
    bench.pass(seconds(3));
    CHECK(bench.status() == "503");
  }
  SECTION("which never come") {
    bench.pass(seconds(11));
    CHECK(bench.status() == "503");
  }
  SECTION("for which too many wait") {
    bench.session().on_no_proof();
    CHECK(bench.status() == "503");
  }
}

TEST_CASE("An unknown key that was asked for just now is refused at once") {
  Bench bench;
  bench.worker().tokens.take_up(keys_with_new(bench.worker().now.monotonic + seconds(5)));
  bench.ask("/staff", good_token());
  CHECK(bench.status() == "401");
  CHECK_FALSE(bench.session().wants_keys());
}

TEST_CASE("A token whose body is held is proved again when the body is there") {
  Bench bench;
  const std::string token = good_token();
  bench.ask("/body", token, "Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nsec");
  CHECK(bench.status() == "none");
  SECTION("and is still good") {
    bench.client_sends("ret");
    CHECK(bench.status() == "403");
  }
  SECTION("under its own configuration, while others are proved by a newer one") {
    const auto newer = test::snapshot_of(configuration, "[]", "unused", 2);
    const auto print = bench.worker().fingerprint_key.of(token);
    const auto known = [&] {
      return bench.worker().tokens.prove(token, print, *newer, 0, {}, bench.worker().now).proof;
    };
    const TokenProof* const before = known();
    REQUIRE(before != nullptr);
    bench.client_sends("ret");
    CHECK(bench.status() == "403");
    CHECK(known() == before);
  }
  SECTION("and has expired") {
    bench.worker().now.wall = test::token_now + seconds(700);
    bench.client_sends("ret");
    CHECK(bench.status() == "401");
  }
  SECTION("and its key is gone") {
    bench.worker().tokens.take_up(keys_with_new({}));
    bench.client_sends("ret");
    REQUIRE(bench.session().wants_keys());
    static_cast<void>(bench.session().take_keys_wish());
    auto again = *keys();
    again.generation = 3;
    bench.worker().tokens.take_up(std::make_shared<const identity::TokenKeys>(std::move(again)));
    bench.session().on_token_news();
    CHECK(bench.status() == "403");
  }
}

TEST_CASE("A token that only its issuer can read waits for what that says, once") {
  Bench bench(asking());
  bench.ask("/staff", opaque);
  CHECK(bench.status() == "none");
  REQUIRE(bench.session().wants_issuer());
  const auto question = bench.session().take_token_question();
  CHECK_FALSE(bench.session().wants_issuer());
  CHECK(question->token == opaque);
  CHECK(question->issuer.name == "corp");
  const auto answer = [&](identity::IntrospectionVerdict verdict) {
    bench.worker().tokens.remember({question->print, question->configuration, std::move(verdict)},
                                   bench.worker().now.monotonic);
    bench.session().on_token_news();
  };
  const auto refused = [&](identity::TokenFault fault) {
    return bench.worker().metrics.tokens_refused[static_cast<std::size_t>(fault)].read();
  };
  config::Principal who;
  who.subject = "ann";
  who.groups = {"staff"};
  who.proof = config::Proof::introspection;
  who.expires = test::token_now + seconds(60);

  SECTION("which is that it is good") {
    answer(who);
    bench.connect_upstream();
    const std::string onward = bench.to_upstream();
    CHECK(onward.starts_with("POST /staff HTTP/1.1"));
    CHECK(onward.find(opaque) == std::string::npos);
  }
  SECTION("which is that it is not") {
    answer(tl::unexpected(identity::TokenFault::inactive));
    CHECK(bench.status() == "401");
    CHECK(refused(identity::TokenFault::inactive) == 1);
    // The next request is refused without a question.
    bench.ask("/staff", opaque);
    CHECK(bench.status() == "401");
    CHECK_FALSE(bench.session().wants_issuer());
  }
  SECTION("which cannot be had") {
    answer(tl::unexpected(identity::TokenFault::introspection_failed));
    CHECK(bench.status() == "401");
    CHECK(refused(identity::TokenFault::introspection_failed) == 1);
  }
  SECTION("which is that another must be shown with it") {
    who.bound_key = std::string(32, 'k');
    answer(who);
    CHECK(bench.status() == "401");
    CHECK(refused(identity::TokenFault::wrong_key) == 1);
  }
  SECTION("which was lost, and is asked for again") {
    bench.session().on_token_news();
    CHECK(bench.status() == "none");
    CHECK(bench.session().wants_issuer());
  }
  SECTION("which comes when another configuration is in force") {
    const auto newer = test::snapshot_of(asking(), "[]", "unused", 2);
    const auto print = bench.worker().fingerprint_key.of("another-token");
    const auto shown =
        bench.worker().tokens.prove("another-token", print, *newer, 0, {}, bench.worker().now);
    CHECK(shown.asked != nullptr);
    bench.worker().tokens.remember({print, 2, who}, bench.worker().now.monotonic);
    answer(who);
    CHECK(bench.status() == "503");
    // And who is known there stays known.
    CHECK(bench.worker().tokens.knows(print));
  }
  SECTION("which never comes") {
    bench.pass(seconds(11));
    CHECK(bench.status() == "503");
  }
  SECTION("for which too many wait") {
    bench.session().on_no_proof();
    CHECK(bench.status() == "503");
  }
}

TEST_CASE("No issuer is asked again for a body that came across a change of the configuration") {
  Bench bench(asking());
  bench.ask("/body", opaque, "Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nsec");
  const auto question = bench.session().take_token_question();
  config::Principal who;
  who.subject = "ann";
  who.groups = {"staff"};
  who.proof = config::Proof::introspection;
  who.expires = test::token_now + seconds(60);
  bench.worker().tokens.remember({question->print, question->configuration, who},
                                 bench.worker().now.monotonic);
  bench.session().on_token_news();
  CHECK(bench.status() == "none");

  const auto newer = test::snapshot_of(asking(), "[]", "unused", 2);
  CHECK(bench.worker()
            .tokens.prove(opaque, question->print, *newer, 0, {}, bench.worker().now)
            .asked != nullptr);
  bench.worker().tokens.remember({question->print, 2, who}, bench.worker().now.monotonic);
  bench.client_sends("ret");
  CHECK(bench.status() == "503");
  CHECK_FALSE(bench.session().wants_issuer());
  CHECK(bench.worker().tokens.knows(question->print));
  // The next request on the connection is no part of that.
  bench.ask("/elsewhere", "sk_nobody_x");
  CHECK(bench.status() == "401");
}

TEST_CASE("Who guessed too often has no issuer asked about more") {
  Bench bench(asking("1/m"));
  bench.ask("/staff", opaque);
  const auto question = bench.session().take_token_question();
  bench.worker().tokens.remember(
      {question->print, question->configuration, tl::unexpected(identity::TokenFault::inactive)},
      bench.worker().now.monotonic);
  bench.session().on_token_news();
  CHECK(bench.status() == "401");
  bench.ask("/staff", "another-invented-one");
  CHECK(bench.status() == "429");
  CHECK_FALSE(bench.session().wants_issuer());
}
