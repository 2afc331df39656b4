#include "audit/ring.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include "audit/flush_signal.h"
#include "audit/frame.h"
#include "audit/operation_key.h"
#include "audit/record_view.h"
#include "audit/worker_log.h"
#include "log_fixture.h"

namespace sluice::audit {
namespace {

const OperationKey operation_key{OperationKey::Bytes{}};

constexpr std::uint64_t test_epoch = 77;

std::unique_ptr<Ring> make_ring(const test::TemporaryFolder& folder) {
  auto ring = Ring::create(folder.path() / "ring-0", Ring::bytes_min, 3, test_epoch);
  if (!ring) throw std::runtime_error(ring.error().message);
  return std::move(*ring);
}

/// Takes every whole frame there is and returns how many.
std::uint64_t take_all(Ring& ring) {
  std::uint64_t frames = 0;
  for (ByteView unread = ring.unread(); !unread.empty();) {
    const FrameStep step = read_frame(unread);
    REQUIRE(step.kind == FrameStep::Kind::frame);
    ring.take(step.bytes);
    unread = unread.subspan(step.bytes);
    ++frames;
  }
  return frames;
}

}  // namespace

TEST_CASE("What the producer publishes the consumer sees, across the ring's end") {
  const test::TemporaryFolder folder;
  const auto ring = make_ring(folder);
  std::mt19937 random(1);
  std::uint8_t next_in = 0;
  std::uint8_t next_out = 0;
  for (int round = 0; round < 2'000; ++round) {
    const std::size_t bytes = 1 + random() % 5'000;
    REQUIRE(ring->has_room(bytes));
    for (std::size_t i = 0; i < bytes; ++i) ring->tail()[i] = next_in++;
    ring->publish(bytes);
    const ByteView unread = ring->unread();
    REQUIRE(unread.size() == bytes);
    REQUIRE(std::all_of(unread.begin(), unread.end(),
                        [&](std::uint8_t byte) { return byte == next_out++; }));
    ring->take(bytes);
    ring->release_taken();
  }
}

TEST_CASE("Taken bytes are not free before they are released") {
  const test::TemporaryFolder folder;
  const auto ring = make_ring(folder);
  REQUIRE(ring->has_room(Ring::bytes_min));
  CHECK_FALSE(ring->has_room(Ring::bytes_min + 1));
  std::memset(ring->tail(), 1, Ring::bytes_min);
  ring->publish(Ring::bytes_min);
  CHECK_FALSE(ring->has_room(1));
  ring->take(100);
  CHECK_FALSE(ring->has_room(1));
  ring->release_taken();
  CHECK(ring->has_room(100));
  CHECK_FALSE(ring->has_room(101));
}

TEST_CASE("A mapped ring is found again as it was left, without what was released") {
  const test::TemporaryFolder folder;
  {
    const auto ring = make_ring(folder);
    std::memcpy(ring->tail(), "abcdef", 6);
    ring->publish(6);
    ring->take(2);
    ring->release_taken();
    ring->take(2);
    std::memcpy(ring->tail(), "never published", 15);
  }
  const auto again = Ring::open(folder.path() / "ring-0");
  REQUIRE(again);
  CHECK((*again)->worker() == 3);
  CHECK((*again)->epoch() == test_epoch);
  CHECK(as_text((*again)->unread()) == "cdef");
}

TEST_CASE("A ring file that is no ring is refused") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "ring-0";
  write_file(path, "");
  CHECK_FALSE(Ring::open(path));
  write_file(path, std::string(4096 + Ring::bytes_min, '\0'));
  CHECK_FALSE(Ring::open(path));
  write_file(path, std::string(5000, 'x'));
  CHECK_FALSE(Ring::open(path));
  { const auto ring = make_ring(folder); }
  for (std::size_t i = 0; i < 48; ++i) {
    const std::string content = read_file(path);
    std::string changed = content;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    write_file(path, changed);
    CHECK_FALSE(Ring::open(path));
    write_file(path, content);
  }
  std::string content = read_file(path);
  content[128] = 1;  // the read index ahead of the write index
  write_file(path, content);
  CHECK_FALSE(Ring::open(path));
  CHECK_FALSE(Ring::create(folder.path() / "odd", Ring::bytes_min + 4096, 0, 1));
}

TEST_CASE("An intent is refused when its outcome would not fit, and outcomes always fit") {
  const test::TemporaryFolder folder;
  const auto ring = make_ring(folder);
  FlushSignal signal;
  WorkerLog log(*ring, signal, operation_key);
  std::uint64_t open = 0;
  std::uint64_t singles = 0;
  while (log.append_intent(sample_intent())) ++open;
  CHECK(open > 50);
  CHECK_FALSE(log.has_room());
  while (log.append_single(sample_outcome())) ++singles;

  // The largest outcome there can be, for every open intent.
  const std::string long_text(10'000, 'x');
  Record outcome = sample_outcome();
  outcome.detail = long_text;
  for (std::uint64_t i = 0; i < open; ++i) log.append_outcome(outcome);
  CHECK(take_all(*ring) == 2 * open + singles);
  ring->release_taken();
  CHECK(log.has_room());
}

TEST_CASE("A broken log refuses every append but the outcomes of what it let in") {
  const test::TemporaryFolder folder;
  const auto ring = make_ring(folder);
  FlushSignal signal;
  WorkerLog log(*ring, signal, operation_key);
  REQUIRE(log.append_intent(sample_intent()));
  ring->mark_broken({5, 1234});
  CHECK(log.is_broken());
  CHECK(log.append_outcome(sample_outcome()) == 2);
  CHECK_FALSE(log.append_intent(sample_intent()));
  CHECK_FALSE(log.append_single(sample_outcome()));
  CHECK(ring->refusals() == 2);
  const auto again = Ring::open(folder.path() / "ring-0");
  REQUIRE(again);
  CHECK((*again)->failure().segment == 5);
  CHECK((*again)->failure().trusted_bytes == 1234);
  CHECK((*again)->forget_failure());
  CHECK(ring->failure().segment == 0);
  ring->mend();
  CHECK(log.append_intent(sample_intent()));
}

TEST_CASE("Two threads pass records through a ring, none lost, none torn, in order") {
  const test::TemporaryFolder folder;
  const auto ring = make_ring(folder);
  FlushSignal signal;
  constexpr std::uint64_t records = 100'000;
  std::thread producer([&] {
    WorkerLog log(*ring, signal, operation_key);
    for (std::uint64_t i = 1; i <= records;) {
      if (log.append_single(sample_intent(i)))
        ++i;
      else
        std::this_thread::yield();
    }
  });
  std::uint64_t seen = 0;
  bool is_good = true;
  while (seen < records && is_good) {
    ByteView unread = ring->unread();
    if (unread.empty()) std::this_thread::yield();
    while (!unread.empty() && is_good) {
      const FrameStep step = read_frame(unread);
      const auto origin =
          step.kind == FrameStep::Kind::frame ? origin_of(step.payload()) : std::nullopt;
      is_good = origin && origin->sequence == seen + 1 && origin->worker == 3;
      if (!is_good) break;
      ++seen;
      ring->take(step.bytes);
      unread = unread.subspan(step.bytes);
    }
    ring->release_taken();
  }
  // Lets the producer end even when the consumer gave up.
  if (!is_good) ring->mark_broken({1, 0});
  producer.join();
  CHECK(is_good);
  CHECK(seen == records);
}

TEST_CASE("A flush request between rounds is never slept through") {
  FlushSignal signal;
  std::atomic<int> rounds{0};
  std::atomic<bool> is_over{false};
  std::thread sleeper([&] {
    while (!is_over) {
      signal.begin_round();
      ++rounds;
      signal.wait(seconds(20));
    }
  });
  for (int i = 0; i < 2'000; ++i) {
    const int before = rounds;
    signal.request();
    // A round that began after the request must come without the timeout's help.
    while (rounds == before) std::this_thread::yield();
  }
  is_over = true;
  signal.request();
  sleeper.join();
  CHECK(rounds >= 2'000);
}

}  // namespace sluice::audit
