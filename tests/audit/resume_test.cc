// A log whose disk failed and heals while the gateway runs.
#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <thread>

#include "audit/segment.h"
#include "faulty_disk.h"
#include "log_fixture.h"
#include "plain_log.h"

namespace sluice::audit {
namespace {

using Fault = FaultyDisk::Fault;
constexpr std::uint64_t key_event = 33;
constexpr std::uint64_t key_detail = 34;

struct StillFolder : LogFolder {
  StillFolder() {
    options.has_thread = false;
    options.segment_bytes = 4 << 10;
  }
};

test::PlainLog read(const LogFolder& folder) {
  return test::read_plain_log(folder.options.directory, folder.verifier);
}

std::size_t count_intents(const test::PlainLog& log) {
  return static_cast<std::size_t>(
      std::ranges::count_if(log.records, [](const auto& record) { return record.number(6) == 1; }));
}

const test::PlainRecord* find_event(const test::PlainLog& log, const std::string& event) {
  const auto found = std::ranges::find_if(
      log.records, [&](const auto& record) { return record.text(key_event) == event; });
  return found == log.records.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("When its disk heals the log goes on in a new segment, with all that was appended") {
  const Fault fault = GENERATE(Fault::error, Fault::sync_error, Fault::full, Fault::read_only);
  // Which operation fails: of an opened log's batches, its segments and its checkpoints.
  const std::uint64_t fail_at = GENERATE(range<std::uint64_t>(21, 40));
  CAPTURE(static_cast<int>(fault), fail_at);
  StillFolder folder;
  FaultyDisk disk(fail_at, fault);
  folder.options.disk = &disk;
  auto log = folder.open();
  WorkerLog& worker = log->worker(0);
  std::uint64_t appended = 0;
  while (!worker.is_broken()) {
    REQUIRE(appended < 1000);
    for (int i = 0; i < 5; ++i) appended = *worker.append_intent(sample_intent(appended + 1));
    log->turn();
  }
  const std::uint64_t durable = worker.durable_through();
  CHECK(durable < appended);
  CHECK_FALSE(worker.append_intent(sample_intent()));
  const std::uint64_t outcome = worker.append_outcome(sample_outcome());
  CHECK(outcome == appended + 1);
  CHECK(log->status().failure.find("injected") != std::string::npos);
  for (int i = 0; i < 3; ++i) log->turn();
  CHECK(worker.is_broken());
  CHECK(worker.durable_through() == durable);

  disk.heal();
  log->turn();
  CHECK_FALSE(worker.is_broken());
  CHECK(log->status().failure.empty());
  CHECK(log->status().failures == 1);
  CHECK(log->status().refusals == 1);
  CHECK(worker.durable_through() == outcome);
  REQUIRE(worker.append_intent(sample_intent(++appended)));
  log->turn();
  CHECK(worker.durable_through() == outcome + 1);

  const test::PlainLog plain = read(folder);
  CHECK(plain.fault.empty());
  CHECK(count_intents(plain) == appended);
  const auto* const resumed = find_event(plain, "log-resumed");
  REQUIRE(resumed != nullptr);
  CHECK(resumed->text(key_detail).find("injected") != std::string::npos);
  CHECK(resumed->text(key_detail).find("1 appends were refused") != std::string::npos);

  // What the failed sync lost is not part of what was durable.
  std::mt19937_64 random(fail_at);
  disk.cut_power(random);
  const test::PlainLog after = read(folder);
  CHECK(after.fault.empty());
  CHECK(count_intents(after) == appended);
}

TEST_CASE("A log with a thread goes on by itself") {
  LogFolder folder;
  folder.options.retry_min = folder.options.retry_max = milliseconds(1);
  FaultyDisk disk(30, Fault::full);
  folder.options.disk = &disk;
  std::atomic<int> told = 0;
  auto log = folder.open([&told](std::uint32_t) { ++told; });
  WorkerLog& worker = log->worker(0);
  std::uint64_t appended = 0;
  while (!worker.is_broken()) {
    if (worker.append_single(sample_intent(appended + 1))) ++appended;
    worker.request_flush();
  }
  const int told_before = told;
  disk.heal();
  while (worker.is_broken()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK(worker.append_single(sample_intent(++appended)));
  worker.request_flush();
  while (worker.durable_through() < appended) std::this_thread::yield();
  CHECK(told > told_before);
  log.reset();
  const test::PlainLog plain = read(folder);
  CHECK(plain.fault.empty());
  CHECK(count_intents(plain) == appended);
}

TEST_CASE("A log that lost what was durable does not go on") {
  StillFolder folder;
  folder.options.segment_bytes = 1 << 20;
  FaultyDisk disk(40, Fault::error);
  folder.options.disk = &disk;
  auto log = folder.open();
  WorkerLog& worker = log->worker(0);
  while (!worker.is_broken()) {
    REQUIRE(worker.append_single(sample_intent()));
    log->turn();
  }
  const auto path = segment_path(folder.options.directory, 1);
  std::string content = read_file(path);
  content[content.size() / 2] ^= 1;
  write_file(path, content);
  disk.heal();
  for (int i = 0; i < 3; ++i) log->turn();
  CHECK(worker.is_broken());
  CHECK_FALSE(log->status().failure.empty());
}

TEST_CASE("A gateway killed while its disk fails loses nothing") {
  const Fault fault = GENERATE(Fault::error, Fault::sync_error, Fault::full, Fault::read_only);
  CAPTURE(static_cast<int>(fault));
  StillFolder folder;
  FaultyDisk disk(31, fault);
  folder.options.disk = &disk;
  auto log = folder.open();
  WorkerLog& worker = log->worker(0);
  std::uint64_t appended = 0;
  while (!worker.is_broken()) {
    if (worker.append_single(sample_intent(appended + 1))) ++appended;
    if (appended % 3 == 0) log->turn();
  }
  for (int i = 0; i < 2; ++i) log->turn();
  StillFolder copy;
  copy.options.signing_key = folder.options.signing_key;
  std::filesystem::copy(folder.options.directory, copy.options.directory);
  copy.open().reset();
  const test::PlainLog plain = test::read_plain_log(copy.options.directory, folder.verifier);
  CHECK(plain.fault.empty());
  CHECK(count_intents(plain) == appended);
}

}  // namespace sluice::audit
