// The log as a whole: what one writer takes per second, and what durable release adds to
// an operation beside the sync that it waits for.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "audit/file.h"
#include "audit/merkle.h"
#include "log_folder.h"

namespace sluice::audit {
namespace {

using Clock = std::chrono::steady_clock;

/// 200 bytes as it lies in the log.
Record record_of_200_bytes() {
  Record record;
  record.phase = Phase::intent;
  record.time = {{5'000'000'000}, {1'790'000'000'123'456'789}};
  record.session = 281'474'976'710'663;
  record.operation = 12;
  record.configuration = 3;
  record.subject = "service:billing";
  record.proof = "api-key";
  record.credential_id = "k_5d2f";
  record.peer = "192.0.2.7:50123";
  record.listener = "payments";
  record.target = "payments-api";
  record.protocol = "http";
  record.verb = "GET";
  record.resource = "/v1/customers/42/cards?l";
  record.ruling = RulingKind::allow;
  record.rule = "billing-reads";
  return record;
}

/// One writer behind two full rings: checks, orders, hashes, grows the tree, frames,
/// has signed, writes and syncs, until they are empty. The signer is a process when range(0)
/// is 1.
void writer_drains_rings(benchmark::State& state) {
  LogFolder folder("/dev/shm");
  folder.options.workers = 2;
  folder.options.has_thread = false;
  folder.options.ring_bytes = std::size_t{8} << 20;
  const auto signer = state.range(0) != 0 ? start_signer(folder) : nullptr;
  folder.options.signer = signer.get();
  const auto log = folder.open();
  Record record = record_of_200_bytes();
  const std::uint64_t before = log->status().records;
  const std::uint64_t bytes_before = log->status().bytes;
  for (auto _ : state) {
    state.PauseTiming();
    for (bool has_room = true; has_room;) {
      ++record.time.wall.ns;
      has_room = log->worker(0).append_single(record) && log->worker(1).append_single(record);
    }
    const std::uint64_t last = log->status().records;
    state.ResumeTiming();
    for (std::uint64_t seen = last, then = 0; seen != then; seen = log->status().records) {
      then = seen;
      log->turn();
    }
  }
  const auto records = static_cast<std::int64_t>(log->status().records - before);
  if (!log->status().failure.empty()) throw std::runtime_error(log->status().failure);
  state.SetItemsProcessed(records);
  state.counters["bytes_per_record"] = static_cast<double>(log->status().bytes - bytes_before) /
                                       static_cast<double>(std::max<std::int64_t>(records, 1));
}
BENCHMARK(writer_drains_rings)->ArgName("process")->Arg(0)->Arg(1)->UseRealTime();

void leaf_of_200_bytes(benchmark::State& state) {
  const std::vector<std::uint8_t> leaf(201);
  for (auto _ : state) benchmark::DoNotOptimize(sha256(leaf));
}
BENCHMARK(leaf_of_200_bytes);

/// Without the leaf's own hash: one inner node per leaf, on average.
void tree_grows(benchmark::State& state) {
  Tree tree;
  for (auto _ : state) tree.append_hash(Hash{});
  benchmark::DoNotOptimize(tree.root());
}
BENCHMARK(tree_grows);

double microseconds(Clock::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

/// The operating system's disk, and how long it took for each sync.
class TimedDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> create(const std::filesystem::path& path) override {
    return timed(real_disk().create(path));
  }
  Result<std::unique_ptr<File>> open(const std::filesystem::path& path) override {
    return timed(real_disk().open(path));
  }
  Result<void> truncate(const std::filesystem::path& path, std::uint64_t bytes) override {
    return real_disk().truncate(path, bytes);
  }
  Result<void> rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    return real_disk().rename(from, to);
  }
  Result<void> remove(const std::filesystem::path& path) override {
    return real_disk().remove(path);
  }
  Result<void> sync_directory(const std::filesystem::path& path) override {
    return real_disk().sync_directory(path);
  }
  /// In µs, once nothing writes any more.
  [[nodiscard]] const std::vector<double>& syncs() const noexcept { return syncs_; }

 private:
  class TimedFile final : public File {
   public:
    TimedFile(std::unique_ptr<File> file, std::vector<double>& syncs)
        : file_(std::move(file)), syncs_(syncs) {}
    Result<void> append(ByteView bytes) override { return file_->append(bytes); }
    Result<void> overwrite(ByteView bytes) override { return file_->overwrite(bytes); }
    Result<void> sync() override {
      const auto begin = Clock::now();
      auto done = file_->sync();
      syncs_.push_back(microseconds(Clock::now() - begin));
      return done;
    }

   private:
    std::unique_ptr<File> file_;
    std::vector<double>& syncs_;
  };
  Result<std::unique_ptr<File>> timed(Result<std::unique_ptr<File>> file) {
    if (!file) return file;
    return std::make_unique<TimedFile>(std::move(*file), syncs_);
  }

  std::vector<double> syncs_;
};

/// Once told to, signs nothing, at once: what is left is what disks and waiting cost.
class FreeSigner final : public LogSigner {
 public:
  explicit FreeSigner(LogSigner& other) : other_(other) {}
  [[nodiscard]] const Verifier& verifier() const noexcept override { return other_.verifier(); }
  [[nodiscard]] const DerivedKeys& derived_keys() const noexcept override {
    return other_.derived_keys();
  }
  [[nodiscard]] const SignedHeads& heads() const noexcept override { return other_.heads(); }
  [[nodiscard]] Result<Signature> sign(const Extension& next) override {
    return is_free ? Signature{} : other_.sign(next);
  }

  std::atomic<bool> is_free = false;

 private:
  LogSigner& other_;
};

struct Operation {
  Clock::time_point due;
  std::uint64_t intent = 0;
  std::uint64_t outcome = 0;
};

/// A worker with range(0) operations a second that are answered at once: from when one is
/// due until its intent and its outcome are durable (range(1)), or only appended. The signer
/// is a process, or costs nothing (range(2)). What a sync takes is taken from the log's own, in the
/// same seconds.
void operations_wait(benchmark::State& state) {
  LogFolder folder("/tmp");
  const bool durable = state.range(1) != 0;
  const auto signer = start_signer(folder);
  TimedDisk disk;
  FreeSigner free(*signer);
  folder.options.signer = &free;
  folder.options.disk = &disk;
  auto log = folder.open();
  free.is_free = state.range(2) != 0;
  WorkerLog& worker = log->worker(0);
  const Record record = record_of_200_bytes();
  const Clock::duration gap = std::chrono::nanoseconds(1'000'000'000 / state.range(0));
  std::vector<double> waits;
  for (auto _ : state) {
    std::deque<Operation> begun;
    std::deque<Operation> ending;
    Clock::time_point due = Clock::now();
    const Clock::time_point end = due + std::chrono::seconds(2);
    while (due < end || !begun.empty() || !ending.empty()) {
      const Clock::time_point now = Clock::now();
      const std::uint64_t through = durable ? worker.durable_through() : UINT64_MAX;
      for (; due <= now && due < end; due += gap) {
        const auto intent = worker.append_intent(record);
        if (!intent) break;  // The ring is full: this one waits.
        begun.push_back({due, *intent, 0});
      }
      for (; !begun.empty() && begun.front().intent <= through; begun.pop_front()) {
        ending.push_back(begun.front());
        ending.back().outcome = worker.append_outcome(record);
      }
      for (; !ending.empty() && ending.front().outcome <= through; ending.pop_front()) {
        waits.push_back(microseconds(Clock::now() - ending.front().due));
      }
      if (durable && !(begun.empty() && ending.empty())) worker.request_flush();
      std::this_thread::yield();
    }
  }
  log.reset();
  std::ranges::sort(waits);
  std::vector<double> syncs = disk.syncs();
  std::ranges::sort(syncs);
  const double sync_us = percentile(syncs, 0.5);
  state.counters["p50_us"] = percentile(waits, 0.5);
  state.counters["p99_us"] = percentile(waits, 0.99);
  state.counters["sync_us"] = sync_us;
  state.counters["sync_p99_us"] = percentile(syncs, 0.99);
  state.counters["syncs"] = static_cast<double>(syncs.size());
  if (durable) state.counters["p50_in_syncs"] = percentile(waits, 0.5) / sync_us;
}
BENCHMARK(operations_wait)
    ->ArgNames({"per_s", "durable", "free"})
    ->ArgsProduct({{10'000, 50'000}, {0, 1}, {0, 1}})
    ->Iterations(1)
    ->UseRealTime();

}  // namespace
}  // namespace sluice::audit
