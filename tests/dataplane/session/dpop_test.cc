// Requests that show a token which is bound to a key, with a proof of it.
#include <catch2/catch.hpp>
#include <string>

#include "dpop_maker.h"
#include "session_bench.h"
#include "snapshot_of.h"

using namespace sluice;
using namespace sluice::dataplane;
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
policies:
  - {name: staff may, principals: {groups: [staff]}, operations: {http: {paths: ["/staff"]}}, ruling: allow}
  - name: bodies without secrets
    principals: {groups: [staff]}
    operations: {http: {paths: ["/body"], body: ["secret"]}}
    ruling: deny
  - {name: bodies, principals: {groups: [staff]}, operations: {http: {paths: ["/body"]}}, ruling: allow}
audit: {directory: audit, signing_key: file:audit.key}
)";

const test::ProviderKey& client_key() {
  return test::provider_keys().other;
}

struct Bench : SessionBench {
  Bench() : SessionBench(test::snapshot_of(configuration, "[]")) {
    worker().now.wall = test::token_now;
    worker().tokens.take_up(std::make_shared<const identity::TokenKeys>(test::TokenBench().keys));
    worker().replays = &replays;
  }
  /// fields  with their line ends.
  void ask(std::string_view path, std::string_view fields, std::string_view rest = "\r\n") {
    client_sends(fmt::format("POST {} HTTP/1.1\r\nHost: api\r\n{}{}", path, fields, rest));
  }
  void show(const std::string& proof, std::string_view path = "/elsewhere") {
    ask(path, fmt::format("Authorization: DPoP {}\r\nDPoP: {}\r\n", token, proof));
  }
  std::string status() {
    const std::string answer = to_client();
    return answer.empty() ? "none" : answer.substr(9, 3);
  }
  std::uint64_t refused(TokenFault fault) {
    return worker().metrics.tokens_refused[static_cast<std::size_t>(fault)].read();
  }
  [[nodiscard]] std::string proof(std::string_view id, std::string_view path = "/elsewhere",
                                  std::string_view method = "POST") const {
    return test::dpop(client_key(),
                      test::dpop_claims(token, id, method, fmt::format("http://api{}", path)));
  }

  std::string token = test::bound_token(client_key());
  ReplayFilter replays{FingerprintKey(1, 2), test::token_now + seconds(-30)};
};

}  // namespace

TEST_CASE("Who shows a token with a proof of its key is judged, and neither goes further") {
  Bench bench;
  const std::string proof = bench.proof("1", "/staff");
  bench.show(proof, "/staff");
  bench.connect_upstream();
  const std::string onward = bench.to_upstream();
  CHECK(onward.starts_with("POST /staff HTTP/1.1"));
  CHECK(onward.find(bench.token) == std::string::npos);
  CHECK(onward.find(proof) == std::string::npos);
  CHECK(onward.find("DPoP") == std::string::npos);
}

TEST_CASE("A proof counts once, and each request brings its own") {
  Bench bench;
  bench.show(bench.proof("1"));
  CHECK(bench.status() == "403");
  bench.show(bench.proof("2"));
  CHECK(bench.status() == "403");
  bench.show(bench.proof("1"));
  CHECK(bench.status() == "401");
  CHECK(bench.refused(TokenFault::replayed_dpop) == 1);
}

TEST_CASE("A proof of another request, or none, lets nobody in") {
  Bench bench;
  const auto refuses = [&bench](TokenFault fault) {
    CHECK(bench.status() == "401");
    INFO(name(fault));
    CHECK(bench.refused(fault) == 1);
  };
  bench.ask("/elsewhere", fmt::format("Authorization: DPoP {}\r\n", bench.token));
  refuses(TokenFault::no_dpop);
  const std::string good = bench.proof("1");
  bench.ask("/elsewhere", fmt::format("Authorization: DPoP {}\r\nDPoP: {}\r\ndpop: {}\r\n",
                                      bench.token, good, good));
  refuses(TokenFault::repeated_dpop);
  bench.ask("/elsewhere",
            fmt::format("Authorization: Bearer {}\r\nDPoP: {}\r\n", bench.token, good));
  refuses(TokenFault::wrong_key);
  bench.show("x");
  refuses(TokenFault::malformed_dpop);
  bench.show(bench.proof("1", "/other"));
  refuses(TokenFault::wrong_dpop_uri);
  bench.show(bench.proof("1", "/elsewhere", "GET"));
  refuses(TokenFault::wrong_dpop_method);
  bench.show(test::dpop(test::provider_keys().twin,
                        test::dpop_claims(bench.token, "1", "POST", "http://api/elsewhere")));
  CHECK(bench.status() == "401");
  CHECK(bench.refused(TokenFault::wrong_key) == 2);
  bench.worker().now.wall = test::token_now + seconds(61);
  bench.show(good);
  refuses(TokenFault::wrong_dpop_time);
  // None of it made the good one known.
  bench.worker().now.wall = test::token_now + seconds(60);
  bench.show(good);
  CHECK(bench.status() == "403");
}

TEST_CASE("A proof from ahead counts once, too, for as long as it is good") {
  Bench bench;
  const auto made_at = [&bench](std::string_view second) {
    return test::dpop(client_key(), test::with(test::dpop_claims(bench.token, "1", "POST",
                                                                 "http://api/elsewhere"),
                                               "1800000000", second));
  };
  bench.show(made_at("1800000011"));
  CHECK(bench.status() == "401");
  CHECK(bench.refused(TokenFault::wrong_dpop_time) == 1);
  const std::string ahead = made_at("1800000010");
  bench.show(ahead);
  CHECK(bench.status() == "403");
  bench.worker().now.wall = test::token_now + seconds(70);
  bench.show(ahead);
  CHECK(bench.status() == "401");
  CHECK(bench.refused(TokenFault::replayed_dpop) == 1);
  bench.worker().now.wall = test::token_now + seconds(71);
  bench.show(ahead);
  CHECK(bench.status() == "401");
  CHECK(bench.refused(TokenFault::wrong_dpop_time) == 2);
}

TEST_CASE("A token that is bound to no key is not shown with a proof") {
  Bench bench;
  bench.token = test::make_token(test::provider_keys().p256, config::JwsAlgorithm::es256,
                                 test::good_header, test::good_claims);
  bench.show(bench.proof("1"));
  CHECK(bench.status() == "401");
  CHECK(bench.refused(TokenFault::not_bound) == 1);
  // Nor once it is remembered.
  bench.ask("/elsewhere", fmt::format("Authorization: Bearer {}\r\n", bench.token));
  CHECK(bench.status() == "403");
  bench.show(bench.proof("2"));
  CHECK(bench.status() == "401");
  CHECK(bench.refused(TokenFault::not_bound) == 2);
}

TEST_CASE("A proof counts for its request until its body is there") {
  Bench bench;
  const std::string fields =
      fmt::format("Authorization: DPoP {}\r\nDPoP: {}\r\nContent-Type: text/plain\r\n", bench.token,
                  bench.proof("1", "/body"));
  bench.ask("/body", fields, "Content-Length: 6\r\n\r\nsec");
  CHECK(bench.status() == "none");
  SECTION("at once") {}
  SECTION("when it would be too old by itself") {
    bench.worker().now.wall = test::token_now + seconds(90);
  }
  bench.client_sends("ret");
  CHECK(bench.status() == "403");
  // The next request on the connection is another.
  bench.ask("/body", fields, "Content-Length: 6\r\n\r\nsecret");
  CHECK(bench.status() == "401");
}

TEST_CASE("Where nothing remembers proofs none is taken") {
  Bench bench;
  bench.worker().replays = nullptr;
  bench.show(bench.proof("1"));
  CHECK(bench.status() == "401");
  CHECK(bench.refused(TokenFault::too_many_dpops) == 1);
}
