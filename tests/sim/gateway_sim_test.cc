// The whole gateway under a simulated network: whatever the seed does to reads,
// sends, connections and time, what the oracles say must hold.
#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <set>

#include "record_checks.h"
#include "sim_gateway.h"

using namespace sluice;
using namespace sluice::dataplane;

namespace {

/// Forty seeds, or the one in SLUICE_SIM_SEED: a failure prints its seed.
std::vector<std::uint64_t> seeds(std::uint64_t first) {
  if (const char* only = std::getenv("SLUICE_SIM_SEED")) return {std::stoull(only)};
  std::vector<std::uint64_t> all(40);
  std::iota(all.begin(), all.end(), first);
  return all;
}

/// Values that no byte to a client and no record may show.
constexpr const char* secrets[] = {"4111111111111111", "4111 1111 1111 1111",
                                   "5555-5555-5555-4444"};

int expected_status(const Operation& operation) {
  if (!operation.authenticated) return 401;
  return operation.allowed && (!operation.held || operation.approved) ? 200 : 403;
}

/// A refused request whose body may be long in coming ends the connection.
bool ends_connection(const Operation& operation) {
  const bool has_body = operation.method == "POST" || operation.method == "PUT";
  // What people decide on came whole.
  return expected_status(operation) != 200 && has_body && !operation.held &&
         (operation.request_wire == Wire::chunked || !operation.request_body.plain.empty()) &&
         (operation.expects_continue || operation.request_body.plain.size() > 64 * 1024);
}

void check_response(const Operation& operation, const PlainMessage& response) {
  INFO(operation.id << " " << operation.method << " " << response.start_line << "\n"
                    << response.body.substr(0, 200));
  REQUIRE(response.status() == expected_status(operation));
  if (response.status() != 200) {
    if (!operation.response_has_body()) return;
    CHECK(response.body.find("\"record\":") != std::string::npos);
    return;
  }
  CHECK(response.field("X-Operation") == operation.id);
  if (operation.response_has_body()) {
    const bool same = response.body == operation.response_body.masked;
    CHECK(same);
  }
}

void check_no_secret(const std::string& bytes) {
  for (const char* secret : secrets) CHECK(bytes.find(secret) == std::string::npos);
}

void check_log(SimGateway& gateway) {
  gateway.stop();
  const auto report = gateway.verify_log();
  INFO(report.fault << " " << report.where);
  CHECK(report.ok);

  std::set<std::string> recorded;
  std::size_t allowed = 0;
  std::size_t outcomes = 0;
  const auto records = gateway.records();
  check_session_ends(records);
  for (const std::string& record : records) {
    check_no_secret(record);
    CHECK(record.find(gateway.key()) == std::string::npos);
    if (record.find("\"phase\":\"outcome\"") != std::string::npos) ++outcomes;
    const bool is_allow = record.find("\"ruling\":\"allow\"") != std::string::npos;
    const std::size_t at = record.find("/op");
    if (!is_allow) continue;
    ++allowed;
    REQUIRE(at != std::string::npos);
    recorded.insert(record.substr(at + 1, record.find_first_of("\"/", at + 1) - at - 1));
  }
  CHECK(allowed == outcomes);
  for (const auto& seen : gateway.target_log().seen) {
    INFO(seen.id);
    CHECK(recorded.contains(seen.id));
  }
  CHECK(gateway.target_log().unexpected.empty());
  CHECK(gateway.transport().pool().free_count() == gateway.transport().pool().size());
}

/// Sends a request in the very moment in which a reload is confirmed.
class ReloadingClient final : public SimPeer {
 public:
  explicit ReloadingClient(SimGateway& gateway) : gateway_(gateway) {}

  void on_connected(SimRemote& remote) override { remote.alarm(seconds(1)); }
  void on_alarm(SimRemote& remote) override {
    gateway_.reload_without_keys();
    remote.send(as_bytes("GET /v1/payments HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer " +
                         gateway_.key() + "\r\n\r\n"));
  }
  void on_bytes(SimRemote& /*remote*/, ByteView bytes) override { received_ += as_text(bytes); }

  [[nodiscard]] const std::string& received() const { return received_; }

 private:
  SimGateway& gateway_;
  std::string received_;
};

void check_target(const SimGateway& gateway) {
  std::map<std::string, Operation> operations;
  for (const auto& client : gateway.clients()) {
    for (const auto& operation : client->operations()) operations[operation.id] = operation;
  }
  for (const auto& seen : gateway.target_log().seen) {
    const Operation& operation = operations.at(seen.id);
    INFO(seen.head);
    CHECK(operation.allowed);
    CHECK(operation.authenticated);
    CHECK((!operation.held || operation.approved));
    const bool same = seen.body == operation.request_body.masked ||
                      (operation.method != "POST" && operation.method != "PUT");
    CHECK(same);
    CHECK(seen.head.find("Authorization") == std::string::npos);
  }
}

void check_answers(const SimGateway& gateway) {
  for (const auto& client : gateway.clients()) {
    const auto& operations = client->operations();
    const auto ending = std::ranges::find_if(operations, ends_connection);
    const auto answered = static_cast<std::size_t>(ending - operations.begin()) +
                          (ending == operations.end() ? 0U : 1U);
    CHECK(client->responses().size() == answered);
    for (std::size_t i = 0; i < client->responses().size(); ++i) {
      check_response(client->operations()[i], client->responses()[i]);
      check_no_secret(client->responses()[i].head + client->responses()[i].body);
    }
  }
}

/// What came whole is right, or says that it failed.
void check_failing_answers(const SimGateway& gateway) {
  for (const auto& client : gateway.clients()) {
    check_no_secret(client->rest());
    for (std::size_t i = 0; i < client->responses().size(); ++i) {
      const PlainMessage& response = client->responses()[i];
      check_no_secret(response.head + response.body);
      const int status = response.status();
      if (status == 200 || status == 401 || status == 403) {
        check_response(client->operations()[i], response);
      } else {
        CHECK((status == 502 || status == 503 || status == 504 || status == 408));
      }
    }
  }
}

/// Whoever keeps the requests is told of each end, and that it ran of no other.
void check_holds(const SimGateway& gateway) {
  CHECK(gateway.ended_holds().size() == gateway.asked());
  std::map<std::string, std::size_t> ran;
  for (const auto& [id, how] : gateway.ended_holds()) {
    if (how == config::HoldEnd::ran) ++ran[id];
  }
  for (const auto& client : gateway.clients()) {
    for (const Operation& operation : client->operations()) {
      INFO(operation.id);
      CHECK(ran[operation.id] <= (operation.held && operation.approved ? 1U : 0U));
    }
  }
  for (const auto& seen : gateway.target_log().seen) {
    INFO(seen.head);
    const bool is_held = seen.head.find("/held ") != std::string::npos;
    CHECK((!is_held || ran[seen.id] == 1));
  }
}

/// The records tell how long the bodies of what was answered were.
void check_sizes(const SimGateway& gateway) {
  std::map<std::string, std::string> outcomes;  // by session and operation
  const auto name = [](const std::string& record) {
    const std::size_t from = record.find("\"session\":");
    const std::size_t to = record.find(',', record.find("\"operation\":"));
    return record.substr(from, to - from);
  };
  const auto records = gateway.records();
  for (const std::string& record : records) {
    if (record.find("\"phase\":\"outcome\"") != std::string::npos) outcomes[name(record)] = record;
  }
  std::size_t checked = 0;
  for (const auto& client : gateway.clients()) {
    for (const Operation& operation : client->operations()) {
      const auto intent = std::ranges::find_if(records, [&](const std::string& record) {
        return record.find("\"ruling\":\"allow\"") != std::string::npos &&
               record.find("/" + operation.id + "\"") != std::string::npos;
      });
      if (intent == records.end()) continue;
      const std::string& outcome = outcomes.at(name(*intent));
      INFO(*intent << "\n" << outcome);
      const std::size_t out =
          operation.response_has_body() ? operation.response_body.plain.size() : 0;
      const auto has = [&](const char* key, std::size_t size) {
        return outcome.find(fmt::format("\"{}\":{}", key, size)) != std::string::npos ||
               (size == 0 && outcome.find(key) == std::string::npos);
      };
      CHECK(has("bytes_in", operation.request_body.plain.size()));
      CHECK(has("bytes_out", out));
      ++checked;
    }
  }
  CHECK(checked > 0);
}

}  // namespace

TEST_CASE("Every operation is answered as a naive reference says, on any network") {
  const std::uint64_t seed = GENERATE(from_range(seeds(1)));
  CAPTURE(seed);
  SimOptions options;
  options.seed = seed;
  SimRandom shape(seed);
  options.chunk_bytes_max = 1U << (4 + shape.up_to(12));
  options.window_bytes = 1U << (8 + shape.up_to(10));
  options.starve_per_mille = static_cast<unsigned>(shape.up_to(100));
  const bool durable = seed % 10 == 0;
  if (durable) options.chunk_bytes_max = options.window_bytes = 64 * 1024;
  SimGateway gateway(options, {.durable = durable});
  for (int i = 0; i < 6; ++i) gateway.add_client(1 + shape.up_to(12));
  REQUIRE(gateway.run());
  check_answers(gateway);
  check_target(gateway);
  check_log(gateway);
}

TEST_CASE("Behind TLS on one side or both every operation is answered the same") {
  const std::uint64_t seed = GENERATE(from_range(seeds(400)));
  CAPTURE(seed);
  SimOptions options;
  options.seed = seed;
  SimRandom shape(seed);
  options.chunk_bytes_max = 1U << (4 + shape.up_to(12));
  options.window_bytes = 1U << (8 + shape.up_to(10));
  options.starve_per_mille = static_cast<unsigned>(shape.up_to(100));
  const bool long_bodies = seed % 5 == 0;
  if (long_bodies) options.chunk_bytes_max = options.window_bytes = 64 * 1024;
  SimGateway gateway(
      options,
      {.long_bodies = long_bodies, .tls_clients = seed % 3 != 0, .tls_target = seed % 3 != 1});
  for (int i = 0; i < 6; ++i) gateway.add_client(1 + shape.up_to(long_bodies ? 3 : 12));
  REQUIRE(gateway.run());
  check_answers(gateway);
  check_target(gateway);
  for (const auto& client : gateway.tls_clients()) {
    // Whoever was answered whole was told so: nothing was cut off.
    CHECK(client->stream().state() == TlsStream::State::open);
    CHECK_FALSE(client->was_truncated());
  }
  check_log(gateway);
  const WorkerMetrics& metrics = gateway.worker().metrics();
  CHECK(metrics.tls_clients.done_tls13.read() == gateway.tls_clients().size());
  CHECK((metrics.tls_targets.done_tls13.read() != 0) == (seed % 3 != 1));
  CHECK(metrics.tls_clients.handshaking.read() + metrics.tls_targets.handshaking.read() == 0);
}

TEST_CASE("Behind TLS resets and flaky targets cost answers, never secrets or records") {
  const std::uint64_t seed = GENERATE(from_range(seeds(500)));
  CAPTURE(seed);
  SimOptions options;
  options.seed = seed;
  SimRandom shape(seed);
  options.chunk_bytes_max = 1U << (4 + shape.up_to(10));
  options.reset_per_mille = 100;
  options.refuse_per_mille = 100;
  options.starve_per_mille = 50;
  SimGateway gateway(options, {.flaky_target = true, .tls_clients = true, .tls_target = true});
  for (int i = 0; i < 6; ++i) gateway.add_client(1 + shape.up_to(12));
  REQUIRE(gateway.run());
  check_failing_answers(gateway);
  check_target(gateway);
  check_log(gateway);
}

TEST_CASE("Resets and flaky targets cost answers, never secrets or records") {
  const std::uint64_t seed = GENERATE(from_range(seeds(100)));
  CAPTURE(seed);
  SimOptions options;
  options.seed = seed;
  SimRandom shape(seed);
  options.chunk_bytes_max = 1U << (4 + shape.up_to(10));
  options.reset_per_mille = 100;
  options.refuse_per_mille = 100;
  options.starve_per_mille = 50;
  SimGateway gateway(options, {.flaky_target = true});
  for (int i = 0; i < 6; ++i) gateway.add_client(1 + shape.up_to(12));
  REQUIRE(gateway.run());
  check_failing_answers(gateway);
  check_target(gateway);
  check_log(gateway);
}

TEST_CASE("What people approve reaches the target once, and nothing else that waits for them") {
  const std::uint64_t seed = GENERATE(from_range(seeds(600)));
  CAPTURE(seed);
  SimOptions options;
  options.seed = seed;
  SimRandom shape(seed);
  options.chunk_bytes_max = 1U << (4 + shape.up_to(12));
  options.window_bytes = 1U << (8 + shape.up_to(10));
  options.starve_per_mille = static_cast<unsigned>(shape.up_to(100));
  const bool is_calm = seed % 2 == 0;
  if (!is_calm) options.reset_per_mille = 100;
  SimGateway gateway(options,
                     {.flaky_target = !is_calm, .durable = seed % 20 == 0, .people = true});
  for (int i = 0; i < 6; ++i) gateway.add_client(1 + shape.up_to(12));
  REQUIRE(gateway.run());
  if (is_calm) {
    check_answers(gateway);
  } else {
    check_failing_answers(gateway);
  }
  check_target(gateway);
  check_log(gateway);
  check_holds(gateway);
}

TEST_CASE("Long bodies that nobody looks at arrive as they are, spliced or not") {
  const std::uint64_t seed = GENERATE(from_range(seeds(200)));
  CAPTURE(seed);
  SimOptions options;
  options.seed = seed;
  SimRandom shape(seed);
  options.chunk_bytes_max = options.window_bytes = 1U << (12 + shape.up_to(7));
  options.splices_max = shape.up_to(3);
  options.splice_decline_per_mille = static_cast<unsigned>(shape.up_to(400));
  SimGateway gateway(options, {.durable = seed % 5 == 0, .long_bodies = true});
  for (int i = 0; i < 4; ++i) gateway.add_client(1 + shape.up_to(4));
  REQUIRE(gateway.run());
  check_answers(gateway);
  check_target(gateway);
  check_log(gateway);
  check_sizes(gateway);
  CHECK(gateway.transport().splices_free() == options.splices_max);
}

TEST_CASE("Whoever breaks off inside a long body costs its answer and nothing else") {
  const std::uint64_t seed = GENERATE(from_range(seeds(300)));
  CAPTURE(seed);
  SimOptions options;
  options.seed = seed;
  SimRandom shape(seed);
  options.chunk_bytes_max = options.window_bytes = 1U << (12 + shape.up_to(7));
  options.reset_per_mille = 300;
  SimGateway gateway(options, {.flaky_target = true, .long_bodies = true});
  for (int i = 0; i < 6; ++i) gateway.add_client(1 + shape.up_to(4));
  REQUIRE(gateway.run());
  for (const auto& client : gateway.clients()) {
    for (std::size_t i = 0; i < client->responses().size(); ++i) {
      const int status = client->responses()[i].status();
      if (status == 200 || status == 401 || status == 403) {
        check_response(client->operations()[i], client->responses()[i]);
      } else {
        CHECK((status == 502 || status == 503 || status == 504 || status == 408));
      }
    }
  }
  check_target(gateway);
  check_log(gateway);
  CHECK(gateway.transport().splices_free() == options.splices_max);
}

TEST_CASE("What is sent once a reload was confirmed is judged by it, even in the same turn") {
  SimOptions options;
  options.delay_max = {};
  SimGateway gateway(options);
  ReloadingClient client(gateway);
  gateway.transport().bring_client(0, client);
  REQUIRE(gateway.run_until([&] { return !client.received().empty(); }));
  CHECK_THAT(client.received(), Catch::StartsWith("HTTP/1.1 401 "));
  gateway.stop();
}
