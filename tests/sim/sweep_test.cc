// Deadlines of more connections than a turn looks at.
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

constexpr const char* request = "GET /v1 HTTP/1.1\r\nHost: api\r\n\r\n";

/// Whatever is asked is denied, and the connection kept.
std::shared_ptr<const Snapshot> denying(const std::string& idle, std::uint64_t generation) {
  return test::snapshot_of(R"(version: 1
listeners:
  - {name: payments, address: "127.0.0.1:8080", protocol: http, target: api, timeouts: {idle: )" +
                               idle + R"(}}
targets:
  - {name: api, addresses: ["127.0.0.1:9001"]}
identity: {anonymous: true}
policies:
  - {name: closed, ruling: deny}
audit: {directory: audit, signing_key: file:audit.key}
)",
                           "[]", "unused", generation);
}

struct Bench {
  std::vector<std::unique_ptr<Talker>> clients;
  // Its network knows the peers until it ends.
  SimWorker worker;

  explicit Bench(std::size_t count, Duration turn_cost = Duration{1'000})
      : worker({.seed = 5,
                .connections_max = 1024,
                .buffer_bytes = std::size_t{64} << 20,
                .turn_cost = turn_cost}) {
    worker.start(denying("2s", 1), {});
    for (std::size_t i = 0; i < count; ++i) {
      clients.push_back(std::make_unique<Talker>(request));
      worker.transport().bring_client(0, *clients.back());
    }
  }
  void pass(Duration time) {
    const Instant end = worker.transport().now().monotonic + time;
    REQUIRE(worker.run_until([&] { return worker.transport().now().monotonic >= end; }));
  }
  [[nodiscard]] std::uint64_t served() {
    return static_cast<std::uint64_t>(worker.metrics().clients_open.read());
  }
  [[nodiscard]] std::uint32_t open() { return worker.transport().connections_open(); }
};

}  // namespace

TEST_CASE("Each of many idle connections is closed when its own time is over") {
  constexpr std::size_t count = 300;
  Bench bench(count);
  bench.pass(milliseconds(1'500));
  REQUIRE(std::ranges::all_of(bench.clients, [](const auto& client) {
    return client->heard().starts_with("HTTP/1.1 403");
  }));
  REQUIRE(bench.open() == count);
  bench.clients[7]->say(request);
  bench.pass(milliseconds(1'200));
  CHECK(bench.open() == 1);
  bench.pass(milliseconds(1'500));
  CHECK(bench.open() == 0);
}

TEST_CASE("No turn looks at all of many connections") {
  Bench bench(300);
  bench.pass(milliseconds(1'500));
  std::uint64_t served = bench.served();
  std::uint64_t most = 0;
  REQUIRE(bench.worker.run_until([&] {
    most = std::max(most, served - bench.served());
    served = bench.served();
    return served == 0;
  }));
  CHECK(most == 32);
}

TEST_CASE("However long turns take, each connection is looked at ten times a second") {
  Bench bench(300, milliseconds(20));
  bench.pass(milliseconds(1'000));
  for (const auto& client : bench.clients) client->say(request);
  const auto time = [&bench] { return bench.worker.transport().now().monotonic; };
  REQUIRE(bench.worker.run_until([&] { return bench.served() < 300; }));
  const Instant first = time();
  REQUIRE(bench.worker.run_until([&] { return bench.served() == 0; }));
  CHECK(time() - first <= milliseconds(140));
}

TEST_CASE("Who is idle already is so under a new configuration's time") {
  Bench bench(100);
  bench.pass(milliseconds(500));
  WorkerMail mail;
  mail.snapshot = denying("600ms", 2);
  bench.worker.post(std::move(mail));
  bench.pass(milliseconds(600));
  CHECK(bench.open() == 0);
}
