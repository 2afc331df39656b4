// The log as a whole: what one writer takes per second, and what durable release adds to
// an operation beside the sync that it waits for.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/log.h"
#include "audit/signer_client.h"

namespace sluice::audit {
namespace {

using Clock = std::chrono::steady_clock;

/// In SLUICE_BENCH_FOLDER, or in memory when the writer's own work is in question.
class LogFolder {
 public:
  explicit LogFolder(const char* otherwise) {
    const char* base = std::getenv("SLUICE_BENCH_FOLDER");
    std::string name = std::string(base != nullptr ? base : otherwise) + "/sluice-bench-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path = name;
    options.directory = path / "log";
    options.signing_key = path / "log.key";
    options.segment_bytes = std::size_t{1} << 40;
    if (auto made = create_signing_key(options.signing_key, "bench/audit"); !made) {
      throw std::runtime_error(made.error().message);
    }
  }
  ~LogFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  LogFolder(const LogFolder&) = delete;
  LogFolder& operator=(const LogFolder&) = delete;

  [[nodiscard]] std::unique_ptr<Log> open() const {
    auto log = Log::open(options, Now{}, {});
    if (!log) throw std::runtime_error(log.error().message);
    return std::move(*log);
  }

  std::filesystem::path path;
  LogOptions options;
};

/// A signer in a process, as the gateway has it; here a copy of this one.
std::unique_ptr<ProcessSigner> start_signer(const LogFolder& folder) {
  const SignerSettings settings{folder.options.signing_key, folder.path / "signed", "nobody"};
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw std::runtime_error("socketpair");
  }
  const pid_t process = ::fork();
  if (process < 0) throw std::runtime_error("fork");
  if (process == 0) {
    ::close(ends[0]);
    ::_exit(serve_signatures(ends[1], settings));
  }
  ::close(ends[1]);
  auto signer = ProcessSigner::attach(ends[0], process, settings);
  if (!signer) throw std::runtime_error(signer.error().message);
  return std::move(*signer);
}

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

void checkpoint_is_signed(benchmark::State& state) {
  const LogFolder folder("/dev/shm");
  auto signer = Signer::load(folder.options.signing_key);
  if (!signer) throw std::runtime_error(signer.error().message);
  for (auto _ : state) benchmark::DoNotOptimize(sign_checkpoint(*signer, 1'000'000, Hash{}));
}
BENCHMARK(checkpoint_is_signed);

/// A batch of one record: its proof, there, checked, remembered, signed, and back.
void checkpoint_is_signed_by_process(benchmark::State& state) {
  const LogFolder folder("/dev/shm");
  const auto signer = start_signer(folder);
  Tree tree;
  for (auto _ : state) {
    TreeGrowth growth(tree);
    growth.append(tree, as_bytes("a record"));
    const auto note =
        sign_checkpoint(*signer, {growth.before(), TreeHead::of(tree), growth.proof(tree)});
    if (!note) throw std::runtime_error(note.error().message);
  }
}
BENCHMARK(checkpoint_is_signed_by_process)->UseRealTime();

double percentile(std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

/// What it is measured in: 4 KiB at the end of a file.
double median_sync_us(const std::filesystem::path& folder) {
  const int fd = ::open((folder / "sync").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) throw std::runtime_error("open");
  const std::vector<char> block(4096);
  std::vector<double> times;
  for (int i = 0; i < 200; ++i) {
    const auto begin = Clock::now();
    const bool is_done =
        ::write(fd, block.data(), block.size()) == static_cast<ssize_t>(block.size()) &&
        ::fdatasync(fd) == 0;
    if (!is_done) throw std::runtime_error("sync");
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
  }
  ::close(fd);
  std::ranges::sort(times);
  return percentile(times, 0.5);
}

struct Operation {
  Clock::time_point due;
  std::uint64_t intent = 0;
  std::uint64_t outcome = 0;
};

/// A worker with range(0) operations a second that are answered at once: from when one is
/// due until its intent and its outcome are durable (range(1)), or only appended.
void operations_wait(benchmark::State& state) {
  const LogFolder folder("/tmp");
  const bool durable = state.range(1) != 0;
  const auto log = folder.open();
  WorkerLog& worker = log->worker(0);
  const Record record = record_of_200_bytes();
  const Clock::duration gap = std::chrono::nanoseconds(1'000'000'000 / state.range(0));
  std::vector<double> waits;
  const double sync_us = median_sync_us(folder.path);
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
        waits.push_back(
            std::chrono::duration<double, std::micro>(Clock::now() - ending.front().due).count());
      }
      if (durable && !(begun.empty() && ending.empty())) worker.request_flush();
      std::this_thread::yield();
    }
  }
  std::ranges::sort(waits);
  state.counters["p50_us"] = percentile(waits, 0.5);
  state.counters["p99_us"] = percentile(waits, 0.99);
  state.counters["sync_us"] = sync_us;
  state.counters["p50_in_syncs"] = percentile(waits, 0.5) / sync_us;
}
BENCHMARK(operations_wait)
    ->ArgNames({"per_s", "durable"})
    ->ArgsProduct({{10'000, 50'000}, {0, 1}})
    ->Iterations(1)
    ->UseRealTime();

}  // namespace
}  // namespace sluice::audit
