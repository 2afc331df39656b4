// Crashes of the whole gateway at any moment, on disks that fill up, fail and heal: what
// the target saw and what clients had to the end is in the log after the restart, as the
// promise table of docs/audit_log.md has it for each mode of release.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <tuple>
#include <utility>

#include "faulty_disk.h"
#include "gateway.h"
#include "must.h"
#include "plain_log.h"
#include "sim_gateway.h"

using namespace sluice;
using namespace sluice::dataplane;
using audit::FaultyDisk;

namespace {

/// Some seeds, or as many as SLUICE_SIM_SEEDS says, or the one in SLUICE_SIM_SEED: a
/// failure prints its seed.
std::vector<std::uint64_t> seeds() {
  if (const char* only = std::getenv("SLUICE_SIM_SEED")) return {std::stoull(only)};
  const char* const count = std::getenv("SLUICE_SIM_SEEDS");
  std::vector<std::uint64_t> all(count == nullptr ? 150 : std::stoul(count));
  std::iota(all.begin(), all.end(), 1);
  return all;
}

SimOptions network(std::uint64_t seed) {
  SimOptions options;
  options.seed = seed;
  SimRandom shape(seed);
  options.chunk_bytes_max = 1U << (6 + shape.up_to(10));
  options.window_bytes = 1U << (8 + shape.up_to(10));
  return options;
}

/// A disk that fails, a moment to die, and what is left then.
class Disaster {
 public:
  explicit Disaster(std::uint64_t seed)
      : random_(seed), fault_(some_fault()), disk_(30 + random_() % 300, fault_) {}

  [[nodiscard]] FaultyDisk& disk() { return disk_; }
  [[nodiscard]] std::uint64_t up_to(std::uint64_t most) { return random_() % (most + 1); }
  [[nodiscard]] bool is_power_cut() const { return is_power_cut_; }

  /// Between two turns of the gateway: the log is written, or not; true: this is the end.
  bool strikes(audit::Log& log) {
    if (random_() % turns_per_batch_ == 0) log.turn();
    if (fault_ == FaultyDisk::Fault::stopped) return disk_.has_failed() || --turns_left_ == 0;
    if (random_() % 40 == 0) disk_.heal();
    return --turns_left_ == 0;
  }

  /// The log as a stranger reads it when the gateway has started again.
  test::PlainLog aftermath(const SimWorker& worker) {
    audit::LogOptions options = worker.log_options();
    const auto remains = options.directory.parent_path() / "remains";
    std::filesystem::copy(options.directory, remains);
    is_power_cut_ = fault_ == FaultyDisk::Fault::stopped || random_() % 2 == 0;
    if (is_power_cut_) {
      disk_.cut_power(random_, remains);
      for (const char* ring : {"ring-0", "ring-1"}) std::filesystem::remove(remains / ring);
    }
    options.directory = remains;
    options.disk = nullptr;
    test::must(audit::Log::open(options, {}, {})).reset();
    return test::read_plain_log(remains, worker.verifier());
  }

 private:
  FaultyDisk::Fault some_fault() {
    constexpr FaultyDisk::Fault faults[] = {FaultyDisk::Fault::error, FaultyDisk::Fault::sync_error,
                                            FaultyDisk::Fault::full, FaultyDisk::Fault::read_only,
                                            FaultyDisk::Fault::stopped};
    return faults[random_() % std::size(faults)];
  }

  std::mt19937_64 random_;
  FaultyDisk::Fault fault_;
  FaultyDisk disk_;
  std::uint64_t turns_left_ = 1 + random_() % 600;
  /// A slow disk: what leaves before it is durable reaches its peer before, too.
  std::uint64_t turns_per_batch_ = std::uint64_t{2} << random_() % 6;
  bool is_power_cut_ = false;
};

constexpr std::uint64_t key_epoch = 2;
constexpr std::uint64_t key_phase = 6;
constexpr std::uint64_t key_session = 8;
constexpr std::uint64_t key_operation = 9;
constexpr std::uint64_t key_resource = 21;
constexpr std::uint64_t intent = 1;
constexpr std::uint64_t outcome = 2;

/// Paths with the operation's number: whether it has an outcome.
std::map<std::string, bool> operations_in(const test::PlainLog& log) {
  const auto key = [](const test::PlainRecord& record) {
    return std::tuple(record.number(key_epoch), record.number(key_session),
                      record.number(key_operation));
  };
  std::set<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>> outcomes;
  for (const auto& record : log.records) {
    if (record.number(key_phase) == outcome) outcomes.insert(key(record));
  }
  std::map<std::string, bool> out;
  for (const auto& record : log.records) {
    const std::string path = record.text(key_resource);
    const std::size_t at = path.find("/op");
    if (record.number(key_phase) != intent || at == path.npos) continue;
    out[path.substr(at + 1, path.find_first_of("/?", at + 1) - at - 1)] =
        outcomes.contains(key(record));
  }
  return out;
}

void crash_http(std::uint64_t seed, bool durable) {
  Disaster disaster(seed);
  SimGateway gateway(network(seed), {.durable = durable}, {0, &disaster.disk()});
  for (int i = 0; i < 4; ++i) gateway.add_client(1 + disaster.up_to(9));
  static_cast<void>(gateway.run_until([&] { return disaster.strikes(gateway.worker().log()); }));
  const test::PlainLog log = disaster.aftermath(gateway.worker());
  REQUIRE(log.fault == "");
  if (disaster.is_power_cut() && !durable) return;
  const auto operations = operations_in(log);
  for (const auto& seen : gateway.target_log().seen) {
    INFO("seen by the target: " << seen.id);
    CHECK(operations.contains(seen.id));
  }
  for (const auto& client : gateway.clients()) {
    for (std::size_t i = 0; i < client->responses().size(); ++i) {
      if (client->responses()[i].status() != 200) continue;
      const auto found = operations.find(client->operations()[i].id);
      INFO("answered: " << client->operations()[i].id);
      CHECK((found != operations.end() && found->second));
    }
  }
}

/// Of what a client was told: how often something was executed up to ReadyForQuery.
std::size_t count_answered(const postgres_sim::Client& client) {
  std::size_t count = 0;
  bool has_completed = false;
  for (const auto& message : client.received()) {
    has_completed = has_completed || message.tag == 'C';
    if (message.tag == 'Z') count += std::exchange(has_completed, false) ? 1U : 0U;
  }
  return count;
}

void crash_postgres(std::uint64_t seed, bool durable) {
  Disaster disaster(seed);
  postgres_sim::GatewayOptions options;
  options.network = network(seed);
  options.durable = durable;
  options.disk = &disaster.disk();
  postgres_sim::Gateway gateway(options);
  SimRandom shape(seed);
  for (int i = 0; i < 3; ++i) {
    postgres_sim::ScriptOptions script;
    script.manner = static_cast<postgres_sim::Manner>(shape.up_to(2));
    script.groups = 6 + shape.up_to(6);
    gateway.add_client(script);
  }
  static_cast<void>(gateway.worker().run_until([&] {
    gateway.disturb();
    return disaster.strikes(gateway.worker().log());
  }));
  const test::PlainLog log = disaster.aftermath(gateway.worker());
  REQUIRE(log.fault == "");
  if (disaster.is_power_cut() && !durable) return;
  std::string texts;
  std::size_t outcomes = 0;
  for (const auto& record : log.records) {
    if (record.number(key_phase) == intent) texts += record.text(key_resource) + '\n';
    outcomes += record.number(key_phase) == outcome ? 1U : 0U;
  }
  for (const auto& execution : gateway.database().executions) {
    INFO("executed: " << execution.tag);
    CHECK(texts.find(execution.tag) != texts.npos);
  }
  std::size_t answered = 0;
  for (const auto& client : gateway.clients()) answered += count_answered(*client);
  CHECK(outcomes >= answered);
}

}  // namespace

TEST_CASE("A crash at any moment finds every request that was let in, as its mode promises") {
  const bool durable = GENERATE(false, true);
  for (const std::uint64_t seed : seeds()) {
    INFO("SLUICE_SIM_SEED=" << seed << (durable ? ", durable" : ", recorded"));
    crash_http(seed, durable);
  }
}

TEST_CASE("A crash at any moment finds every statement that was let in, as its mode promises") {
  const bool durable = GENERATE(false, true);
  for (const std::uint64_t seed : seeds()) {
    INFO("SLUICE_SIM_SEED=" << seed << (durable ? ", durable" : ", recorded"));
    crash_postgres(seed, durable);
  }
}
