// A thousand simulated crashes: gateways that die of SIGKILL or of a power cut, on disks
// that fill up, fail and heal meanwhile. The promise table of docs/audit_log.md is checked
// on what an independent reader finds after the restart.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <map>
#include <numeric>

#include "audit/log_signer.h"
#include "faulty_disk.h"
#include "log_fixture.h"
#include "plain_log.h"

namespace sluice::audit {
namespace {

using Fault = FaultyDisk::Fault;
constexpr std::uint32_t workers = 2;

/// A thousand seeds, or the one in SLUICE_SIM_SEED: a failure prints its seed.
std::vector<std::uint64_t> seeds() {
  if (const char* only = std::getenv("SLUICE_SIM_SEED")) return {std::stoull(only)};
  std::vector<std::uint64_t> all(1000);
  std::iota(all.begin(), all.end(), 1);
  return all;
}

/// What one worker of one life of the gateway was told.
struct Promised {
  std::uint64_t recorded = 0;  ///< Appended: survives a kill.
  std::uint64_t durable = 0;   ///< Survives a power cut.
};

/// A signer that outlives the gateways, as its state file does. Which a power cut takes
/// back by what was not synced.
class Memory final : public LogSigner {
 public:
  explicit Memory(const LogFolder& folder) : key_(folder.options.signing_key) { remember({}); }

  [[nodiscard]] const Verifier& verifier() const noexcept override { return now_->verifier(); }
  [[nodiscard]] const DerivedKeys& derived_keys() const noexcept override {
    return now_->derived_keys();
  }
  [[nodiscard]] const SignedHeads& heads() const noexcept override { return now_->heads(); }
  [[nodiscard]] Result<Signature> sign(const Extension& next) override {
    auto signature = now_->sign(next);
    if (signature) unsynced_.push_back(heads());
    return signature;
  }
  void sync() { unsynced_ = {heads()}; }
  /// What is there after a power cut now.
  [[nodiscard]] SignedHeads cut_power(std::mt19937_64& random) const {
    return unsynced_[random() % unsynced_.size()];
  }
  void remember(const SignedHeads& heads) {
    now_ = std::make_unique<LocalSigner>(std::move(*Signer::load(key_)), heads);
    sync();
  }

 private:
  std::filesystem::path key_;
  std::unique_ptr<LocalSigner> now_;
  std::vector<SignedHeads> unsynced_;  ///< From what was synced last to the newest.
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : random_(seed) {
    folder_.options.has_thread = false;
    folder_.options.signer = &signer_;
    folder_.options.segment_bytes = std::size_t{4} << (10 + random_() % 6);
  }

  void run() {
    for (std::uint64_t life = 0, lives = 1 + random_() % 3; life < lives; ++life) live_and_die();
    check();
  }

 private:
  void live_and_die() {
    constexpr Fault faults[] = {Fault::error, Fault::sync_error, Fault::full, Fault::read_only,
                                Fault::stopped};
    const Fault fault = faults[random_() % std::size(faults)];
    // Now and then in the middle of the start.
    FaultyDisk disk(1 + random_() % (random_() % 4 == 0 ? 12 : 80), fault);
    folder_.options.disk = &disk;
    auto log = folder_.try_open();
    if (log) {
      for (std::uint64_t step = 0, steps = random_() % 60; step < steps; ++step) {
        if (random_() % 3 == 0) (*log)->turn();
        if (random_() % 10 == 0) signer_.sync();
        append(**log);
        if (random_() % 12 == 0 && disk.has_failed() && fault != Fault::stopped) disk.heal();
      }
      note_promises(**log);
    }
    die(disk, fault == Fault::stopped || random_() % 2 == 0);
    if (log) log->reset();
    signer_.remember(remembered_);
    std::filesystem::remove_all(folder_.options.directory);
    std::filesystem::rename(remains(), folder_.options.directory);
  }

  void append(Log& log) {
    WorkerLog& worker = log.worker(static_cast<std::uint32_t>(random_() % workers));
    for (std::uint64_t i = 0, count = random_() % 6; i < count; ++i) {
      if (random_() % 2 == 0) {
        const bool is_in = worker.append_single(sample_intent()).has_value();
        CHECK(is_in != worker.is_broken());
        recorded_[worker.worker()] += is_in ? 1 : 0;
      } else if (worker.append_intent(sample_intent())) {
        worker.append_outcome(sample_outcome());
        recorded_[worker.worker()] += 2;
      }
    }
  }

  void note_promises(Log& log) {
    for (std::uint32_t i = 0; i < workers; ++i) {
      const WorkerLog& worker = log.worker(i);
      promised_[{worker.epoch(), i}] = {recorded_[i], worker.durable_through()};
      recorded_[i] = 0;
    }
  }

  /// What a crash leaves, as of this moment, for the next life to find.
  void die(FaultyDisk& disk, bool by_power_cut) {
    std::filesystem::remove_all(remains());
    std::filesystem::create_directories(folder_.options.directory);
    std::filesystem::copy(folder_.options.directory, remains());
    remembered_ = signer_.heads();
    if (!by_power_cut) return;
    disk.cut_power(random_, remains());
    remembered_ = signer_.cut_power(random_);
    for (std::uint32_t i = 0; i <= workers; ++i) cut_power_of_ring(i);
    // Nothing but what was durable is promised to survive this.
    for (auto& [worker, promised] : promised_) promised.recorded = promised.durable;
  }

  /// Rings are never synced: gone, or with pages of any age.
  void cut_power_of_ring(std::uint32_t number) {
    const auto ring = remains() / ("ring-" + std::to_string(number));
    if (!std::filesystem::exists(ring)) return;
    if (random_() % 3 == 0) {
      std::filesystem::remove(ring);
      return;
    }
    std::string content = read_file(ring);
    for (std::size_t page = 0; page < content.size(); page += 4096) {
      if (random_() % 3 == 0) std::fill_n(content.data() + page, 4096, '\0');
    }
    write_file(ring, content);
  }

  void check() {
    folder_.options.disk = nullptr;
    auto log = folder_.try_open();
    INFO((log ? std::string() : log.error().message));
    REQUIRE(log);
    log->reset();
    const test::PlainLog plain = test::read_plain_log(folder_.options.directory, folder_.verifier);
    INFO(plain.fault);
    REQUIRE(plain.fault.empty());
    // The reader has seen that each worker's sequence has no gap and no double.
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> found;
    for (const auto& record : plain.records) ++found[{record.number(2), record.number(3)}];
    for (const auto& [worker, promised] : promised_) {
      CHECK(found[worker] >= promised.recorded);
      CHECK(promised.recorded >= promised.durable);
    }
  }

  [[nodiscard]] std::filesystem::path remains() const { return folder_.folder.path() / "remains"; }

  std::mt19937_64 random_;
  LogFolder folder_{workers};
  Memory signer_{folder_};
  SignedHeads remembered_;                           ///< By the signer, when the gateway died.
  std::map<std::uint32_t, std::uint64_t> recorded_;  ///< Per worker, of this life.
  std::map<std::pair<std::uint64_t, std::uint64_t>, Promised> promised_;
};

}  // namespace

TEST_CASE("A thousand crashes on failing disks keep every promise") {
  for (const std::uint64_t seed : seeds()) {
    INFO("SLUICE_SIM_SEED=" << seed);
    Simulation(seed).run();
  }
}

}  // namespace sluice::audit
