// PostgreSQL through the whole gateway under a simulated network: whatever the seed
// does to bytes, buffers, peers and configuration, what the oracles say must hold.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "checks.h"

using namespace sluice;
using namespace sluice::dataplane;
using namespace sluice::dataplane::postgres_sim;

namespace {

/// Some seeds, or as many as SLUICE_SIM_SEEDS says, or the one in SLUICE_SIM_SEED: a
/// failure prints its seed.
std::vector<std::uint64_t> seeds(std::uint64_t first) {
  if (const char* only = std::getenv("SLUICE_SIM_SEED")) return {std::stoull(only)};
  const char* const count = std::getenv("SLUICE_SIM_SEEDS");
  std::vector<std::uint64_t> all(count == nullptr ? 25 : std::stoul(count));
  std::iota(all.begin(), all.end(), first);
  return all;
}

/// A network of the seed's choice.
GatewayOptions some_options(SimRandom& random, std::uint64_t seed) {
  GatewayOptions options;
  options.network.seed = seed;
  options.network.chunk_bytes_max = 1U << (6 + random.up_to(10));
  options.network.window_bytes = 1U << (8 + random.up_to(10));
  options.network.starve_per_mille = static_cast<unsigned>(random.up_to(100));
  options.network.delay_max = Duration{static_cast<std::int64_t>(random.up_to(1'000'000))};
  return options;
}

/// A few connections to the target for all clients.
GatewayOptions some_pool(SimRandom& random, std::uint64_t seed) {
  GatewayOptions options = some_options(random, seed);
  options.setup.is_pooled = true;
  options.setup.connections = static_cast<unsigned>(1 + random.up_to(3));
  return options;
}

ScriptOptions some_script(SimRandom& random) {
  ScriptOptions options;
  options.manner = static_cast<Manner>(random.up_to(3));
  options.groups = (options.manner == Manner::soup ? 60 : 12) + random.up_to(12);
  return options;
}

/// Clients of a pool, of which some keep a connection to themselves. Whoever waits for one
/// has patience.
void add_pool_clients(Gateway& gateway, SimRandom& random, int count, bool cancels, bool dies) {
  for (int i = 0; i < count; ++i) {
    ScriptOptions script = some_script(random);
    script.patience = seconds(3600);
    // Nobody can tell what is yet to come of any message after any other.
    if (i == 0) {
      script.silence = seconds(200);
    } else if (script.manner == Manner::soup) {
      script.manner = Manner::simple;
    }
    script.keeps_state = random.chance(300);
    script.cancels = cancels;
    script.dies = dies && random.chance(200);
    gateway.add_client(script);
  }
}

void check(Gateway& gateway, bool whole) {
  check_replies(gateway, whole);
  check_secrets(gateway);
  check_target(gateway);
  check_connections(gateway);
  check_log(gateway);
}

}  // namespace

TEST_CASE("A PostgreSQL client is told what the server would tell it, on any network") {
  const std::uint64_t seed = GENERATE(from_range(seeds(1)));
  CAPTURE(seed);
  SimRandom random(seed);
  Gateway gateway(some_options(random, seed));
  for (int i = 0; i < 4; ++i) gateway.add_client(some_script(random));
  REQUIRE(gateway.run());
  check(gateway, true);
}

TEST_CASE("A cancel ends what its own session runs, or nothing") {
  const std::uint64_t seed = GENERATE(from_range(seeds(10'000)));
  CAPTURE(seed);
  SimRandom random(seed);
  GatewayOptions options = some_options(random, seed);
  options.target.slow_per_mille = 800;
  Gateway gateway(options);
  for (int i = 0; i < 4; ++i) {
    ScriptOptions script = some_script(random);
    script.cancels = true;
    gateway.add_client(script);
  }
  REQUIRE(gateway.run());
  check(gateway, true);
  check_cancels(gateway);
}

TEST_CASE("Servers, clients and connections that die cost replies, never secrets or records") {
  const std::uint64_t seed = GENERATE(from_range(seeds(20'000)));
  CAPTURE(seed);
  SimRandom random(seed);
  GatewayOptions options = some_options(random, seed);
  options.target.dies_per_mille = 400;
  options.network.reset_per_mille = 100;
  options.network.refuse_per_mille = 100;
  options.drains = random.chance(200);
  Gateway gateway(options);
  for (int i = 0; i < 5; ++i) {
    ScriptOptions script = some_script(random);
    script.cancels = random.chance(300);
    script.dies = random.chance(300);
    gateway.add_client(script);
  }
  REQUIRE(gateway.run());
  check(gateway, false);
}

TEST_CASE("A reload changes rules and masks between two statements, and never within one") {
  const std::uint64_t seed = GENERATE(from_range(seeds(30'000)));
  CAPTURE(seed);
  SimRandom random(seed);
  GatewayOptions options = some_options(random, seed);
  options.reloads = true;
  Gateway gateway(options);
  for (int i = 0; i < 4; ++i) gateway.add_client(some_script(random));
  REQUIRE(gateway.run());
  check(gateway, true);
}

TEST_CASE("A client waits for a full log, and for buffers that others hold") {
  const std::uint64_t seed = GENERATE(from_range(seeds(40'000)));
  CAPTURE(seed);
  SimRandom random(seed);
  GatewayOptions options = some_options(random, seed);
  const bool has_small_ring = seed % 5 == 0;
  if (has_small_ring) {
    options.ring_bytes = std::size_t{1} << 18;
    options.network.chunk_bytes_max = options.network.window_bytes = 64 * 1024;
  } else {
    options.network.buffer_bytes = std::size_t{1} << 20;
  }
  Gateway gateway(options);
  for (int i = 0; i < (has_small_ring ? 4 : 12); ++i) gateway.add_client(some_script(random));
  REQUIRE(gateway.run());
  check(gateway, has_small_ring);
}

TEST_CASE("Clients that share server connections notice nothing of one another") {
  const std::uint64_t seed = GENERATE(from_range(seeds(50'000)));
  CAPTURE(seed);
  SimRandom random(seed);
  Gateway gateway(some_pool(random, seed));
  add_pool_clients(gateway, random, 10, false, false);
  REQUIRE(gateway.run());
  check(gateway, true);
}

namespace {

void check_late_cancels(std::uint64_t seed) {
  CAPTURE(seed);
  SimRandom random(seed);
  GatewayOptions options = some_pool(random, seed);
  options.target.slow_per_mille = 800;
  Gateway gateway(options);
  add_pool_clients(gateway, random, 10, true, false);
  REQUIRE(gateway.run());
  check(gateway, true);
}

}  // namespace

TEST_CASE("A cancel that comes late hits nobody who got the connection since") {
  check_late_cancels(GENERATE(from_range(seeds(60'000))));
}

TEST_CASE("What a session discarded is gone from the connections that it had before, too") {
  check_late_cancels(61'492);
}

namespace {

void check_mortal_connections(std::uint64_t seed) {
  CAPTURE(seed);
  SimRandom random(seed);
  GatewayOptions options = some_pool(random, seed);
  options.target.dies_per_mille = 200;
  options.target.naps_per_mille = 600;
  options.network.reset_per_mille = 50;
  options.network.refuse_per_mille = 50;
  options.drains = random.chance(200);
  Gateway gateway(options);
  add_pool_clients(gateway, random, 12, random.chance(300), true);
  REQUIRE(gateway.run());
  check(gateway, false);
}

}  // namespace

TEST_CASE("Server connections that end while they are kept are no client's concern") {
  check_mortal_connections(GENERATE(from_range(seeds(70'000))));
}

TEST_CASE("A server that goes says so once, and nothing comes behind it") {
  check_mortal_connections(GENERATE(std::uint64_t{70'076}, std::uint64_t{70'184},
                                    std::uint64_t{71'090}, std::uint64_t{71'479}));
}

TEST_CASE("Who waits for a server connection when rules or the target move is not forgotten") {
  const std::uint64_t seed = GENERATE(from_range(seeds(80'000)));
  CAPTURE(seed);
  SimRandom random(seed);
  GatewayOptions options = some_pool(random, seed);
  options.reloads = true;
  options.setup.moves = random.chance(500);
  Gateway gateway(options);
  add_pool_clients(gateway, random, 10, false, false);
  REQUIRE(gateway.run());
  check(gateway, true);
}

TEST_CASE("The queue for server connections is bounded in length and time") {
  const std::uint64_t seed = GENERATE(from_range(seeds(90'000)));
  CAPTURE(seed);
  SimRandom random(seed);
  GatewayOptions options = some_pool(random, seed);
  options.setup.waiting_max = static_cast<unsigned>(1 + random.up_to(3));
  options.setup.wait_max = milliseconds(static_cast<std::int64_t>(1 + random.up_to(400)));
  Gateway gateway(options);
  add_pool_clients(gateway, random, 12, false, random.chance(300));
  REQUIRE(gateway.run());
  check(gateway, false);
}

TEST_CASE("A session that ends, and a login that is refused, wait for room in the log") {
  const std::uint64_t seed = GENERATE(from_range(seeds(100'000)));
  CAPTURE(seed);
  SimRandom random(seed);
  GatewayOptions options = some_options(random, seed);
  options.ring_bytes = std::size_t{1} << 18;
  options.network.chunk_bytes_max = options.network.window_bytes = 64 * 1024;
  options.network.reset_per_mille = 100;
  options.sticks = options.fills = true;
  Gateway gateway(options);
  for (int i = 0; i < 16; ++i) {
    ScriptOptions script = some_script(random);
    script.groups *= 4;
    script.patience = script.silence = seconds(100);
    script.dies = random.chance(500);
    gateway.add_client(script);
  }
  REQUIRE(gateway.run());
  check(gateway, false);
}

TEST_CASE("What a rule allows of rows, bytes and executions is kept, and costs the rest nothing") {
  const std::uint64_t seed = GENERATE(from_range(seeds(110'000)));
  CAPTURE(seed);
  SimRandom random(seed);
  GatewayOptions options =
      random.chance(500) ? some_pool(random, seed) : some_options(random, seed);
  Gateway gateway(options);
  for (int i = 0; i < 5; ++i) {
    ScriptOptions script = some_script(random);
    script.patience = script.silence = seconds(200);
    script.meets_limits = true;
    script.groups *= 3;
    gateway.add_client(script);
  }
  REQUIRE(gateway.run());
  check(gateway, !options.setup.is_pooled);
  check_rates(gateway);
}

namespace {

void check_people(std::uint64_t seed) {
  CAPTURE(seed);
  SimRandom random(seed);
  GatewayOptions options =
      random.chance(500) ? some_pool(random, seed) : some_options(random, seed);
  const bool is_calm = random.chance(500);
  options.reloads = !is_calm && random.chance(300);
  options.drains = !is_calm && random.chance(100);
  Gateway gateway(options);
  for (int i = 0; i < 6; ++i) {
    ScriptOptions script = some_script(random);
    script.patience = script.silence = seconds(200);
    script.meets_people = true;
    script.cancels = !is_calm && random.chance(500);
    script.dies = !is_calm && random.chance(300);
    gateway.add_client(script);
  }
  REQUIRE(gateway.run());
  check(gateway, is_calm && !options.setup.is_pooled);
  check_holds(gateway);
}

}  // namespace

TEST_CASE("What people approve runs once, and nothing else that waits for them") {
  check_people(GENERATE(from_range(seeds(130'000))));
}

TEST_CASE("A Parse that fails forgets the unnamed statement before it") {
  check_people(GENERATE(std::uint64_t{130'632}, std::uint64_t{130'878}));
}

TEST_CASE("With durable release nothing runs, and no end is told, before its record is on disk") {
  const std::uint64_t seed = GENERATE(from_range(seeds(120'000)));
  CAPTURE(seed);
  SimRandom random(seed);
  GatewayOptions options =
      random.chance(300) ? some_pool(random, seed) : some_options(random, seed);
  options.durable = options.sticks = true;
  Gateway gateway(options);
  for (int i = 0; i < 4; ++i) {
    ScriptOptions script = some_script(random);
    script.patience = script.silence = seconds(100);
    script.meets_limits = random.chance(300);
    gateway.add_client(script);
  }
  REQUIRE(gateway.run());
  check(gateway, false);
  check_durable(gateway);
}

namespace {

/// On one side or both; cancel requests go the same ways.
void choose_tls(GatewayOptions& options, std::uint64_t seed) {
  options.setup.tls_clients = seed % 3 != 0;
  options.setup.tls_target = seed % 3 != 1;
}

void check_tls(Gateway& gateway) {
  const Setup& setup = gateway.options().setup;
  const WorkerMetrics& metrics = gateway.worker().metrics();
  CHECK((metrics.tls_clients.done_tls13.read() != 0) == setup.tls_clients);
  CHECK((metrics.tls_targets.done_tls13.read() != 0) == setup.tls_target);
  CHECK(metrics.tls_clients.handshaking.read() + metrics.tls_targets.handshaking.read() == 0);
}

}  // namespace

TEST_CASE("Behind TLS on one side or both a PostgreSQL client is told the same") {
  const std::uint64_t seed = GENERATE(from_range(seeds(130'000)));
  CAPTURE(seed);
  SimRandom random(seed);
  GatewayOptions options =
      random.chance(500) ? some_pool(random, seed) : some_options(random, seed);
  choose_tls(options, seed);
  options.target.slow_per_mille = 600;
  Gateway gateway(options);
  for (int i = 0; i < 4; ++i) {
    ScriptOptions script = some_script(random);
    script.patience = script.silence = seconds(200);
    script.cancels = random.chance(500);
    gateway.add_client(script);
  }
  REQUIRE(gateway.run());
  check_tls(gateway);
  CHECK(std::ranges::all_of(gateway.tls_peers(), [](const test::TlsUpgradeSimPeer& peer) {
    return peer.stream().state() == TlsStream::State::open && peer.stream().alpn() == "postgresql";
  }));
  check(gateway, !options.setup.is_pooled);
}

TEST_CASE("Behind TLS peers and connections that die cost replies, never secrets or records") {
  const std::uint64_t seed = GENERATE(from_range(seeds(140'000)));
  CAPTURE(seed);
  SimRandom random(seed);
  GatewayOptions options =
      random.chance(500) ? some_pool(random, seed) : some_options(random, seed);
  choose_tls(options, seed);
  options.target.dies_per_mille = 300;
  options.target.naps_per_mille = 300;
  options.network.reset_per_mille = 100;
  options.network.refuse_per_mille = 100;
  options.reloads = random.chance(300);
  options.drains = random.chance(200);
  Gateway gateway(options);
  for (int i = 0; i < 6; ++i) {
    ScriptOptions script = some_script(random);
    script.patience = script.silence = seconds(200);
    script.cancels = random.chance(300);
    script.dies = random.chance(200);
    gateway.add_client(script);
  }
  REQUIRE(gateway.run());
  check(gateway, false);
}
