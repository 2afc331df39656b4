// What a record costs: the worker's side (encode and append), the writer's side
// (order, hash, write, sync, sign), and the steps by themselves.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "audit/drain.h"
#include "audit/flush_signal.h"
#include "audit/frame.h"
#include "audit/log.h"
#include "audit/log_signer.h"
#include "audit/operation_key.h"
#include "audit/ring.h"
#include "audit/salt.h"
#include "audit/segment_log.h"
#include "audit/verify.h"

namespace sluice::audit {
namespace {

const OperationKey operation_key{OperationKey::Bytes{}};

class Folder {
 public:
  Folder() {
    const char* base = std::getenv("SLUICE_BENCH_FOLDER");
    std::string name = std::string(base != nullptr ? base : "/tmp") + "/sluice-bench-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::filesystem::path path;
};

constexpr std::array<std::string_view, 2> unmasked{"GET", "/v1/customers/42/cards?limit=10"};
constexpr Hash policy{1, 2, 3};

Record intent() {
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
  record.resource = "/v1/customers/42/cards?limit=10";
  record.host = "payments.example.com";
  record.ruling = RulingKind::allow;
  record.rule = "billing-reads";
  record.policy = policy;
  record.unmasked = unmasked;
  return record;
}

Record outcome() {
  Record record;
  record.phase = Phase::outcome;
  record.time = {{5'001'000'000}, {1'790'000'000'124'456'789}};
  record.session = 281'474'976'710'663;
  record.operation = 12;
  record.status = 200;
  record.result = "ok";
  record.bytes_out = 1024;
  record.duration = {1'000'000};
  record.upstream = "127.0.0.1:9000";
  return record;
}

std::unique_ptr<Ring> make_ring(const Folder& folder, std::size_t bytes) {
  auto ring = Ring::create(folder.path / "ring-0", bytes, 0, 0x1122334455667788U);
  if (!ring) throw std::runtime_error(ring.error().message);
  return std::move(*ring);
}

void encode_intent(benchmark::State& state) {
  const Record record = intent();
  std::vector<std::uint8_t> out(encoded_bytes_max(record));
  Stamp stamp;
  stamp.epoch = 0x1122334455667788U;
  std::size_t bytes = 0;
  for (auto _ : state) {
    ++stamp.sequence;
    bytes = encode(record, stamp, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(encode_intent);

/// bytes   of an operation in one piece.
void digest_operation(benchmark::State& state) {
  const std::string operation(static_cast<std::size_t>(state.range(0)), 'x');
  const std::string_view piece = operation;
  for (auto _ : state) benchmark::DoNotOptimize(operation_key.digest({&piece, 1}));
}
BENCHMARK(digest_operation)->Arg(40)->Arg(100)->Arg(1000);

/// An intent and its outcome, as a worker appends them for one operation.
/// digest   1: of the unmasked operation, too.
void worker_append_pair(benchmark::State& state) {
  const Folder folder;
  const auto ring = make_ring(folder, LogOptions{}.ring_bytes);
  FlushSignal signal;
  WorkerLog log(*ring, signal, operation_key);
  Record first = intent();
  if (state.range(0) == 0) first.unmasked = {};
  const Record second = outcome();
  for (auto _ : state) {
    benchmark::DoNotOptimize(log.append_intent(first));
    benchmark::DoNotOptimize(log.append_outcome(second));
    if (!log.has_room()) {
      state.PauseTiming();
      ring->take(ring->unread().size());
      ring->release_taken();
      state.ResumeTiming();
    }
  }
  state.SetItemsProcessed(2 * static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(worker_append_pair)->ArgName("digest")->Arg(0)->Arg(1);

void salt(benchmark::State& state) {
  SaltSource salts;
  for (auto _ : state) benchmark::DoNotOptimize(salts.next());
}
BENCHMARK(salt);

/// Producer thread and consumer together, frames checked but not hashed.
void ring_throughput(benchmark::State& state) {
  const Folder folder;
  const auto ring = make_ring(folder, std::size_t{8} << 20);
  FlushSignal signal;
  std::atomic<bool> is_over{false};
  std::thread producer([&] {
    WorkerLog log(*ring, signal, operation_key);
    const Record record = intent();
    while (!is_over) log.append_single(record);
  });
  std::int64_t frames = 0;
  for (auto _ : state) {
    ByteView unread = ring->unread();
    while (!unread.empty()) {
      const FrameStep step = read_frame(unread);
      if (step.kind != FrameStep::Kind::frame) throw std::runtime_error("torn frame");
      ring->take(step.bytes);
      unread = unread.subspan(step.bytes);
      ++frames;
    }
    ring->release_taken();
  }
  is_over = true;
  producer.join();
  state.SetItemsProcessed(frames);
}
BENCHMARK(ring_throughput)->UseRealTime();

/// A disk that takes everything at once: what the writer itself costs.
class NullFile final : public File {
 public:
  Result<void> append(ByteView bytes) override {
    benchmark::DoNotOptimize(bytes.data());
    return {};
  }
  Result<void> overwrite(ByteView) override { return {}; }
  Result<void> sync() override { return {}; }
};
class NullDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> create(const std::filesystem::path&) override {
    return std::make_unique<NullFile>();
  }
  Result<std::unique_ptr<File>> open(const std::filesystem::path&) override {
    return std::make_unique<NullFile>();
  }
  Result<void> truncate(const std::filesystem::path&, std::uint64_t) override { return {}; }
  Result<void> rename(const std::filesystem::path&, const std::filesystem::path&) override {
    return {};
  }
  Result<void> remove(const std::filesystem::path&) override { return {}; }
  Result<void> sync_directory(const std::filesystem::path&) override { return {}; }
};

Signer make_signer(const Folder& folder) {
  const auto path = folder.path / "log.key";
  if (auto made = create_signing_key(path, "bench/audit"); !made) {
    throw std::runtime_error(made.error().message);
  }
  auto signer = Signer::load(path);
  if (!signer) throw std::runtime_error(signer.error().message);
  return std::move(*signer);
}

/// The writer's work on batches of state.range(0) records from two rings: check,
/// order, hash, tree, frame, sign; with the real disk when range(1) is 1.
void writer_batch(benchmark::State& state) {
  const Folder folder;
  LocalSigner signer(make_signer(folder));
  NullDisk null_disk;
  Disk& disk = state.range(1) == 0 ? static_cast<Disk&>(null_disk) : real_disk();
  SegmentLog log(disk, folder.path, signer, std::size_t{1} << 40, LogEnd{});
  std::vector<std::unique_ptr<Ring>> rings;
  std::vector<Ring*> sources;
  std::vector<std::unique_ptr<WorkerLog>> ends;
  FlushSignal signal;
  for (std::uint32_t worker = 0; worker < 2; ++worker) {
    auto ring = Ring::create(folder.path / ("ring-" + std::to_string(worker)), std::size_t{8} << 20,
                             worker, 5);
    if (!ring) throw std::runtime_error(ring.error().message);
    sources.push_back(ring->get());
    ends.push_back(std::make_unique<WorkerLog>(**ring, signal, operation_key));
    rings.push_back(std::move(*ring));
  }
  log.set_positions({{5, 0, 0}, {5, 1, 0}});
  Drain drain(sources, Drain::OnDamage::fail);
  const auto records = state.range(0);
  Record record = intent();
  for (auto _ : state) {
    state.PauseTiming();
    for (std::int64_t i = 0; i < records; ++i) {
      ++record.time.wall.ns;
      ends[static_cast<std::size_t>(i % 2)]->append_single(record);
    }
    state.ResumeTiming();
    if (!log.begin_batch() || !drain.look(log) || !drain.stage_into(log) || !log.commit()) {
      throw std::runtime_error("the log failed");
    }
    for (Ring* ring : sources) ring->release_taken();
  }
  state.SetItemsProcessed(records * static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(writer_batch)->Args({10, 0})->Args({100, 0})->Args({1'000, 0})->Args({10'000, 0});
BENCHMARK(writer_batch)->Args({1, 1})->Args({100, 1})->Args({10'000, 1})->UseRealTime();

std::int64_t process_cpu_ns() {
  ::timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::int64_t thread_cpu_ns() {
  ::timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// The whole log at a steady rate of range(0) records/s in `recorded` mode:
/// CPU of the writer thread per record and as a share of a core.
void steady_rate(benchmark::State& state) {
  const Folder folder;
  LogOptions options;
  options.directory = folder.path / "log";
  options.signing_key = folder.path / "log.key";
  (void)make_signer(folder);
  auto log = Log::open(options, Now{}, {});
  if (!log) throw std::runtime_error(log.error().message);
  WorkerLog& worker = (*log)->worker(0);
  const Record record = intent();
  const auto per_ms = state.range(0) / 1000;
  std::int64_t writer_ns = 0;
  std::int64_t records = 0;
  std::int64_t wall_ms = 0;
  for (auto _ : state) {
    const std::int64_t process_before = process_cpu_ns();
    const std::int64_t thread_before = thread_cpu_ns();
    for (int tick = 0; tick < 1000; ++tick, ++wall_ms) {
      for (std::int64_t i = 0; i < per_ms; ++i) records += worker.append_single(record) ? 1 : 0;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    writer_ns += (process_cpu_ns() - process_before) - (thread_cpu_ns() - thread_before);
  }
  if (records > 0) {
    state.counters["writer_ns_per_record"] =
        static_cast<double>(writer_ns) / static_cast<double>(records);
  }
  state.counters["writer_core_percent"] =
      static_cast<double>(writer_ns) / (static_cast<double>(wall_ms) * 1e6) * 100;
  state.counters["commits"] = static_cast<double>((*log)->status().checkpoints);
}
BENCHMARK(steady_rate)->Arg(0)->Arg(1'000)->Arg(20'000)->Arg(100'000)->Iterations(2)->UseRealTime();

/// From append to durable when the worker asks for it: one record at a time.
void durable_round_trip(benchmark::State& state) {
  const Folder folder;
  LogOptions options;
  options.directory = folder.path / "log";
  options.signing_key = folder.path / "log.key";
  (void)make_signer(folder);
  auto log = Log::open(options, Now{}, {});
  if (!log) throw std::runtime_error(log.error().message);
  WorkerLog& worker = (*log)->worker(0);
  const Record record = intent();
  for (auto _ : state) {
    const auto sequence = worker.append_single(record);
    worker.request_flush();
    while (worker.durable_through() < sequence.value_or(0)) std::this_thread::yield();
  }
}
BENCHMARK(durable_round_trip)->UseRealTime();

}  // namespace
}  // namespace sluice::audit

BENCHMARK_MAIN();
