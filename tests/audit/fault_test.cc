// The promise table of docs/audit_log.md: what each kind of failure may cost.
#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "audit/segment.h"
#include "faulty_disk.h"
#include "log_fixture.h"

namespace sluice::audit {
namespace {

struct Outcome {
  bool is_open = false;
  std::uint64_t appended = 0;
  std::uint64_t durable = 0;
  bool is_broken = false;
  std::string failure;
};

/// Opens the log on the disk and appends in bursts until all is done or it breaks.
Outcome fill(const LogFolder& folder, int bursts, std::mt19937_64& random) {
  Outcome out;
  auto log = folder.try_open();
  if (!log) return out;
  out.is_open = true;
  WorkerLog& worker = (*log)->worker(0);
  for (int burst = 0; burst < bursts; ++burst) {
    for (std::uint64_t i = 0, count = 1 + random() % 12; i < count; ++i) {
      if (const auto sequence = worker.append_single(sample_intent(out.appended + 1))) {
        out.appended = *sequence;
      }
    }
    worker.request_flush();
    while (worker.durable_through() < out.appended && !worker.is_broken())
      std::this_thread::yield();
    out.durable = worker.durable_through();
  }
  out.is_broken = worker.is_broken();
  out.failure = (*log)->status().failure;
  if (out.is_broken) {
    CHECK_FALSE(worker.append_single(sample_intent()));
    CHECK_FALSE(worker.append_intent(sample_intent()));
    CHECK_FALSE(out.failure.empty());
  }
  return out;
}

/// How many of the fill's records the log holds, which must be the first ones.
std::uint64_t intents_in(const LogFolder& folder) {
  std::uint64_t count = 0;
  for (const auto& json : folder.records()) {
    if (json.find("\"phase\":\"intent\"") == std::string::npos) continue;
    ++count;
    CHECK(json.find("\"operation\":" + std::to_string(count) + ",") != std::string::npos);
  }
  return count;
}

void check_verifies(const LogFolder& folder) {
  const auto report = folder.verify_with_key();
  INFO(report.fault << " | " << report.where);
  CHECK(report.ok);
}

void check_opens_on_a_good_disk(LogFolder& folder) {
  folder.options.disk = nullptr;
  auto log = folder.try_open();
  INFO((log ? std::string() : log.error().message));
  REQUIRE(log);
  log->reset();
  check_verifies(folder);
}

}  // namespace

TEST_CASE("After a failed write or sync nothing is lost by a restart on a healed disk") {
  for (const auto fault : {FaultyDisk::Fault::error, FaultyDisk::Fault::sync_error,
                           FaultyDisk::Fault::full, FaultyDisk::Fault::read_only}) {
    for (std::uint64_t fail_at = 1; fail_at <= 45; ++fail_at) {
      INFO("operation " << fail_at << ", fault " << static_cast<int>(fault));
      LogFolder folder;
      folder.options.segment_bytes = 4 << 10;
      folder.options.retry_min = folder.options.retry_max = seconds(3600);
      std::mt19937_64 random(fail_at);
      FaultyDisk disk(fail_at, fault);
      folder.options.disk = &disk;
      const Outcome outcome = fill(folder, 10, random);
      if (outcome.is_open) CHECK(outcome.is_broken == disk.has_failed());
      // Records that were appended wait in the ring for a disk that works.
      check_opens_on_a_good_disk(folder);
      CHECK(intents_in(folder) == outcome.appended);
    }
  }
}

TEST_CASE("A segment that failed is not trusted where its sync never succeeded") {
  std::mt19937_64 random(7);
  // Which operation is a sync depends on the code; of these some are.
  std::size_t cut = 0;
  for (std::uint64_t fail_at = 20; fail_at <= 40; ++fail_at) {
    LogFolder one;
    one.options.retry_min = one.options.retry_max = seconds(3600);
    FaultyDisk disk(fail_at, FaultyDisk::Fault::sync_error);
    one.options.disk = &disk;
    const Outcome outcome = fill(one, 10, random);
    if (!outcome.is_broken) continue;
    const auto path = segment_path(one.options.directory, 1);
    const auto size = std::filesystem::file_size(path);
    one.options.disk = nullptr;
    { const auto log = one.open(); }
    const auto kept = std::filesystem::file_size(path);
    cut += kept < size ? 1 : 0;
    check_verifies(one);
    CHECK(intents_in(one) == outcome.appended);
  }
  CHECK(cut >= 2);
}

TEST_CASE("Power loss costs nothing that was durable, at any operation") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    std::mt19937_64 random(seed);
    LogFolder folder;
    folder.options.segment_bytes = 4 << 10;
    FaultyDisk disk(8 + random() % 60, FaultyDisk::Fault::stopped);
    folder.options.disk = &disk;
    const Outcome outcome = fill(folder, 12, random);
    disk.cut_power(random);
    // The rings are never synced: gone, or with pages of any age.
    const auto ring = folder.options.directory / "ring-0";
    if (std::filesystem::exists(ring)) {
      if (seed % 3 == 0) {
        std::filesystem::remove(ring);
      } else {
        std::string content = read_file(ring);
        for (std::size_t page = 0; page < content.size(); page += 4096) {
          if (random() % 3 == 0)
            std::fill_n(content.begin() + static_cast<std::ptrdiff_t>(page), 4096, '\0');
        }
        write_file(ring, content);
      }
    }
    std::filesystem::remove(folder.options.directory / "ring-1");

    INFO("seed " << seed);
    check_opens_on_a_good_disk(folder);
    const std::uint64_t kept = intents_in(folder);
    CHECK(kept >= outcome.durable);
    CHECK(kept <= outcome.appended);
  }
}

TEST_CASE("Power lost during recovery, again and again, costs nothing that was durable") {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    std::mt19937_64 random(seed);
    LogFolder folder;
    folder.options.segment_bytes = 4 << 10;
    std::uint64_t durable = 0;
    {
      FaultyDisk disk(30, FaultyDisk::Fault::stopped);
      folder.options.disk = &disk;
      durable = fill(folder, 12, random).durable;
      disk.cut_power(random);
    }
    for (std::uint64_t fail_at = 1; fail_at <= 12; ++fail_at) {
      FaultyDisk disk(fail_at, FaultyDisk::Fault::stopped);
      folder.options.disk = &disk;
      (void)folder.try_open();
      disk.cut_power(random);
    }
    INFO("seed " << seed);
    check_opens_on_a_good_disk(folder);
    CHECK(intents_in(folder) >= durable);
  }
}

TEST_CASE("What a killed gateway wrote and did not sync is synced before the log goes on") {
  for (std::uint64_t fail_at = 8; fail_at <= 40; ++fail_at) {
    INFO("operation " << fail_at);
    LogFolder folder;
    FaultyDisk disk(fail_at, FaultyDisk::Fault::stopped);
    folder.options.disk = &disk;
    folder.options.has_thread = false;
    std::map<std::filesystem::path, std::string> rings;
    {
      const auto log = folder.try_open();
      if (!log) continue;
      while (!disk.has_failed()) {
        REQUIRE((*log)->worker(0).append_single(sample_intent()));
        for (const auto* ring : {"ring-0", "ring-1"}) {
          rings[folder.options.directory / ring] = read_file(folder.options.directory / ring);
        }
        (*log)->turn();
      }
    }
    // Killed in that turn: nothing was noted of a failure, and what was written is still
    // in the page cache.
    for (const auto& [path, content] : rings) write_file(path, content);
    disk.heal();
    folder.options.has_thread = true;
    std::mt19937_64 random(fail_at);
    const Outcome next = fill(folder, 3, random);
    REQUIRE(next.is_open);
    disk.cut_power(random);
    for (const auto& [path, content] : rings) std::filesystem::remove(path);

    check_opens_on_a_good_disk(folder);
    CHECK(std::ranges::count_if(folder.records(), [](const std::string& record) {
            return record.find("\"phase\":\"intent\"") != std::string::npos;
          }) >= static_cast<std::ptrdiff_t>(next.durable));
  }
}

TEST_CASE("A read-only directory stops the start") {
  LogFolder folder;
  FaultyDisk disk(1, FaultyDisk::Fault::error);
  folder.options.disk = &disk;
  const auto log = folder.try_open();
  REQUIRE_FALSE(log);
  CHECK(log.error().message.find("injected") != std::string::npos);
}

}  // namespace sluice::audit
