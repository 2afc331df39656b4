// PostgreSQL through the whole gateway under a simulated network: whatever the seed
// does to bytes, buffers, peers and configuration, what the oracles say must hold.
#include <catch2/catch.hpp>

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

ScriptOptions some_script(SimRandom& random) {
  ScriptOptions options;
  options.manner = static_cast<Manner>(random.up_to(3));
  options.groups = (options.manner == Manner::soup ? 60 : 12) + random.up_to(12);
  return options;
}

void check(Gateway& gateway, bool whole) {
  check_replies(gateway, whole);
  check_secrets(gateway);
  check_target(gateway);
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
