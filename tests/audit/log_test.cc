#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <thread>

#include "audit/ring.h"
#include "log_fixture.h"

namespace sluice::audit {
namespace {

template <class Condition>
bool within_seconds(int limit, Condition&& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(limit);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace

TEST_CASE("Appended records come back in order and the log verifies") {
  const LogFolder folder;
  {
    const auto log = folder.open();
    WorkerLog& worker = log->worker(0);
    CHECK(worker.has_room());
    CHECK(worker.append_intent(sample_intent()) == 1U);
    CHECK(worker.append_outcome(sample_outcome()) == 2U);
    CHECK(within_seconds(10, [&] { return worker.durable_through() == 2; }));
  }
  const auto report = folder.verify_with_key();
  INFO(report.fault << " " << report.where);
  CHECK(report.ok);
  CHECK(report.records == 4);
  CHECK(report.unsigned_tail_records == 0);
  const auto records = folder.records();
  REQUIRE(records.size() == 4);
  CHECK(records[0].find("\"event\":\"log-opened\"") != std::string::npos);
  CHECK(records[1].find("\"resource\":\"/v1/customers/42/cards?limit=10\"") != std::string::npos);
  CHECK(records[2].find("\"status\":200") != std::string::npos);
  CHECK(records[3].find("\"event\":\"log-closed\"") != std::string::npos);
}

TEST_CASE("A log goes on in a new segment after each start") {
  const LogFolder folder;
  for (int run = 0; run < 4; ++run) {
    const auto log = folder.open();
    log->worker(0).append_single(sample_intent());
  }
  const auto report = folder.verify_with_key();
  INFO(report.fault << " " << report.where);
  CHECK(report.ok);
  CHECK(report.segments == 4);
  CHECK(report.records == 12);
}

TEST_CASE("A running log verifies too") {
  const LogFolder folder;
  const auto log = folder.open();
  WorkerLog& worker = log->worker(0);
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 50; ++i) worker.append_single(sample_intent());
    const auto report = folder.verify_with_key();
    INFO(report.fault << " " << report.where);
    CHECK(report.ok);
  }
}

TEST_CASE("Segments are sealed at their size and chain up") {
  LogFolder folder;
  folder.options.segment_bytes = 8 << 10;
  {
    const auto log = folder.open();
    WorkerLog& worker = log->worker(0);
    for (std::uint64_t i = 1; i <= 400; ++i) {
      REQUIRE(worker.append_single(sample_intent(i)));
      if (i % 40 == 0) {
        worker.request_flush();
        REQUIRE(within_seconds(10, [&] { return worker.durable_through() == i; }));
      }
    }
  }
  const auto report = folder.verify_with_key();
  INFO(report.fault << " " << report.where);
  CHECK(report.ok);
  CHECK(report.segments > 5);
  CHECK(report.records == 402);

  // Reading may begin anywhere and stop anywhere.
  std::vector<std::uint64_t> seen;
  const auto end = read_records(folder.options.directory, 200, [&](std::uint64_t index, ByteView) {
    seen.push_back(index);
    return seen.size() < 5;
  });
  CHECK(end == 205U);
  CHECK(seen == std::vector<std::uint64_t>{200, 201, 202, 203, 204});
}

TEST_CASE("Records of several workers are ordered by time, each worker's as appended") {
  const LogFolder folder(3);
  {
    const auto log = folder.open();
    // One batch: the writer is not hurried and naps between polls.
    for (std::uint64_t i = 1; i <= 30; ++i) {
      Record record = sample_intent(i);
      record.time.wall.ns += static_cast<std::int64_t>(i);
      log->worker(static_cast<std::uint32_t>(2 - i % 3)).append_single(record);
    }
  }
  CHECK(folder.verify_with_key().ok);
  CHECK(folder.records().size() == 32);
}

TEST_CASE("A worker in a hurry need not wait for the interval") {
  LogFolder folder;
  folder.options.flush_interval = milliseconds(900);
  std::atomic<int> calls{0};
  std::atomic<int> calls_for_others{0};
  // From the writer's thread, where Catch2 must not be used.
  const auto log =
      folder.open([&](std::uint32_t worker) { ++(worker == 0 ? calls : calls_for_others); });
  WorkerLog& worker = log->worker(0);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const auto start = std::chrono::steady_clock::now();
  const auto sequence = worker.append_intent(sample_intent());
  worker.request_flush();
  CHECK(within_seconds(5, [&] { return worker.durable_through() >= *sequence; }));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::milliseconds(400));
  CHECK(within_seconds(5, [&] { return calls == 1; }));
  CHECK(calls_for_others == 0);
  worker.append_outcome(sample_outcome());
}

TEST_CASE("Only one gateway may hold an audit directory") {
  const LogFolder folder;
  const auto log = folder.open();
  const auto second = folder.try_open();
  REQUIRE_FALSE(second);
  CHECK(second.error().message.find("in use by another gateway") != std::string::npos);
}

TEST_CASE("A missing signing key names the command that makes one") {
  LogFolder folder;
  folder.options.signing_key = folder.folder.path() / "absent.key";
  const auto log = folder.try_open();
  REQUIRE_FALSE(log);
  CHECK(log.error().message.find("sluice key signing --file") != std::string::npos);
}

TEST_CASE("A log keeps its key") {
  LogFolder folder;
  { const auto log = folder.open(); }
  folder.options.signing_key = folder.folder.path() / "other.key";
  REQUIRE(create_signing_key(folder.options.signing_key, std::string(test_origin)));
  const auto log = folder.try_open();
  REQUIRE_FALSE(log);
  CHECK(log.error().message.find("names another key") != std::string::npos);
}

}  // namespace sluice::audit
