// Requests whose tokens only their issuer can read wait for what it says, on the loop that asks.
#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "sim_worker.h"
#include "snapshot_of.h"
#include "talker.h"

using namespace sluice;
using namespace sluice::dataplane;

namespace {

constexpr const char* configuration = R"(version: 1
listeners:
  - {name: payments, address: "127.0.0.1:8080", protocol: http, target: api}
targets:
  - {name: api, addresses: ["127.0.0.1:9001"]}
identity:
  failed_proofs_per_source: 1000/m
  oidc:
    - {name: corp, issuer: "https://id.example", audience: gw, introspection: {client_id: gw, client_secret: file:s}}
policies:
  - {name: the api is open, ruling: allow}
audit: {directory: audit, signing_key: file:audit.key}
)";

/// Answers each request alike.
class Target final : public SimPeer {
 public:
  void on_bytes(SimRemote& remote, ByteView bytes) override {
    heard += as_text(bytes);
    if (bytes.empty() || !heard.ends_with("\r\n\r\n")) return;
    remote.send(as_bytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  }
  std::string heard;
};

struct Bench {
  std::vector<std::unique_ptr<Target>> targets;
  std::vector<std::unique_ptr<Talker>> clients;
  std::vector<TokenQuestion> questions;
  bool may_ask = true;
  // Its network knows the peers until it ends.
  SimWorker worker{{.seed = 11, .connections_max = 1024, .buffer_bytes = std::size_t{64} << 20}};

  Bench() {
    worker.transport().serve(test::must(parse_endpoint("127.0.0.1", 9001)), [this] {
      return targets.emplace_back(std::make_unique<Target>()).get();
    });
    LoopOptions options;
    options.ask_issuer = [this](TokenQuestion question) {
      if (may_ask) questions.push_back(std::move(question));
      return may_ask;
    };
    worker.start(test::snapshot_of(configuration, "[]"), std::move(options));
  }
  Talker& show(const std::string& token) {
    clients.push_back(std::make_unique<Talker>(
        "GET /v1 HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer " + token + "\r\n\r\n"));
    worker.transport().bring_client(0, *clients.back());
    return *clients.back();
  }
  void pass(Duration time) {
    const Instant end = worker.transport().now().monotonic + time;
    REQUIRE(worker.run_until([&] { return worker.transport().now().monotonic >= end; }));
  }
  void answer(const TokenQuestion& question, identity::IntrospectionVerdict verdict) {
    WorkerMail mail;
    mail.token_answer = std::make_shared<const TokenAnswer>(
        TokenAnswer{question.print, question.configuration, std::move(verdict)});
    worker.post(std::move(mail));
  }
  [[nodiscard]] config::Principal ann() {
    config::Principal who;
    who.subject = "ann";
    who.proof = config::Proof::introspection;
    who.expires = worker.transport().now().wall + seconds(60);
    return who;
  }
};

std::string status(const Talker& client) {
  return client.heard().empty() ? "none" : client.heard().substr(9, 3);
}

}  // namespace

TEST_CASE("One question does for all who show a token, and its answer for them alone") {
  Bench bench;
  const Talker& first = bench.show("opaque-token-of-ann");
  const Talker& second = bench.show("opaque-token-of-ann");
  Talker& gone = bench.show("opaque-token-of-ann");
  const Talker& other = bench.show("opaque-token-of-ben");
  bench.pass(seconds(1));
  REQUIRE(bench.questions.size() == 2);
  const std::size_t of_ann = bench.questions[0].token == "opaque-token-of-ann" ? 0 : 1;
  CHECK(bench.questions[1 - of_ann].token == "opaque-token-of-ben");
  CHECK(bench.targets.empty());

  gone.leave();
  bench.pass(seconds(1));
  bench.answer(bench.questions[of_ann], bench.ann());
  bench.pass(seconds(1));
  CHECK(status(first) == "200");
  CHECK(status(second) == "200");
  CHECK(status(gone) == "none");
  CHECK(status(other) == "none");
  // Who shows it later need not wait.
  const Talker& late = bench.show("opaque-token-of-ann");
  bench.pass(seconds(1));
  CHECK(status(late) == "200");

  bench.answer(bench.questions[1 - of_ann], tl::unexpected(identity::TokenFault::inactive));
  bench.pass(seconds(1));
  CHECK(status(other) == "401");
  CHECK(bench.questions.size() == 2);
  for (const auto& target : bench.targets) {
    CHECK(target->heard.find("opaque-token") == std::string::npos);
  }
}

TEST_CASE("A question that is not asked is a request that is not answered by the target") {
  Bench bench;
  bench.may_ask = false;
  const Talker& client = bench.show("opaque-token-of-ann");
  bench.pass(seconds(1));
  CHECK(status(client) == "503");
  CHECK(bench.targets.empty());
}

TEST_CASE("So many may wait for an issuer, and no more") {
  constexpr std::size_t waiting_max = 256;
  Bench bench;
  for (std::size_t i = 0; i <= waiting_max; ++i) bench.show("opaque-token-" + std::to_string(i));
  bench.pass(seconds(1));
  CHECK(bench.questions.size() == waiting_max);
  const auto told = std::ranges::count_if(
      bench.clients, [](const auto& client) { return status(*client) == "503"; });
  CHECK(told == 1);
  // Room for one who waited is room for another.
  bench.answer(bench.questions.front(), bench.ann());
  bench.pass(seconds(1));
  bench.show("opaque-token-of-ann");
  bench.pass(seconds(1));
  CHECK(bench.questions.size() == waiting_max + 1);
}
