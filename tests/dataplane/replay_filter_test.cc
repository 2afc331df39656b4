#include "dataplane/replay_filter.h"

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

using namespace sluice;
using dataplane::ReplayFilter;
using Verdict = ReplayFilter::Verdict;

namespace {

constexpr WallTime start{1'800'000'000'000'000'000};
constexpr Duration life = seconds(60);

WallTime at(std::int64_t second) {
  return start + seconds(second);
}

struct Bench {
  ReplayFilter filter{FingerprintKey(1, 2), start};
  Verdict show(const std::string& name, std::int64_t now, std::int64_t made = 0) {
    return filter.show(name, at(made), at(made) + life, at(now));
  }
};

}  // namespace

TEST_CASE("a proof counts once while it is good") {
  Bench bench;
  CHECK(bench.show("a", 1) == Verdict::fresh);
  CHECK(bench.show("a", 1) == Verdict::seen);
  CHECK(bench.show("b", 1) == Verdict::fresh);
  CHECK(bench.show("a", 60) == Verdict::seen);
}

TEST_CASE("what is kept no longer makes room, also when the seconds go round") {
  Bench bench;
  for (const std::int64_t later : {100L, 1'048'576L, 1'048'576L + 7, 3'000'000L}) {
    INFO(later);
    const std::string name = std::to_string(later);
    CHECK(bench.show(name, later, later) == Verdict::fresh);
    CHECK(bench.show(name, later + 60, later) == Verdict::seen);
  }
}

TEST_CASE("what was made before the filter began may have been seen before it") {
  Bench bench;
  CHECK(bench.show("a", 1, -1) == Verdict::seen);
}

TEST_CASE("what is good for longest, and was made ahead, is kept until it is too old") {
  ReplayFilter filter(FingerprintKey(1, 2), start);
  const auto show = [&filter](std::int64_t now) {
    return filter.show("a", at(10), at(10 + 300), at(now));
  };
  CHECK(show(0) == Verdict::fresh);
  for (std::int64_t now = 0; now <= 310; ++now) REQUIRE(show(now) == Verdict::seen);
}

TEST_CASE("a clock that is set back lets nothing through twice") {
  Bench bench;
  CHECK(bench.show("a", 30, 30) == Verdict::fresh);
  CHECK(bench.show("a", 5, 30) == Verdict::seen);
  CHECK(bench.show("a", -20, 30) == Verdict::seen);
}

TEST_CASE("as many as it is said to hold are fresh but for a few, and none of them twice") {
  Bench bench;
  std::size_t full = 0;
  for (std::size_t i = 0; i < ReplayFilter::proofs_max; ++i) {
    const Verdict verdict = bench.show(std::to_string(i), 1);
    REQUIRE(verdict != Verdict::seen);
    if (verdict == Verdict::full) ++full;
  }
  CHECK(full <= 20);
  for (std::size_t i = 0; i < ReplayFilter::proofs_max; i += 7) {
    REQUIRE(bench.show(std::to_string(i), 2) != Verdict::fresh);
  }
}

TEST_CASE("a filter that is full refuses") {
  Bench bench;
  std::size_t full = 0;
  for (std::size_t i = 0; i < 6 * ReplayFilter::proofs_max; ++i) {
    if (bench.show(std::to_string(i), 1) == Verdict::full) ++full;
  }
  CHECK(full >= ReplayFilter::proofs_max);
  // Later it has room again.
  CHECK(bench.show("later", 100, 100) == Verdict::fresh);
}

TEST_CASE("of workers that are shown the same proof at once at most one takes it") {
  constexpr std::size_t names = 20'000;
  ReplayFilter filter(FingerprintKey(1, 2), start);
  std::vector<std::atomic<int>> taken(names);
  std::atomic<int> waiting{2};
  const auto work = [&](std::int64_t clock) {
    --waiting;
    while (waiting != 0) {
    }
    for (std::size_t i = 0; i < names; ++i) {
      // Some of what one worker's clock keeps the other's keeps no longer.
      const std::int64_t made = i % 2 == 0 ? 0 : 30;
      const auto verdict =
          filter.show(std::to_string(i % (names / 2)), at(made), at(made) + life, at(clock));
      if (verdict == Verdict::fresh) ++taken[i % (names / 2)];
    }
  };
  std::array<std::thread, 2> workers{std::thread(work, 30), std::thread(work, 31)};
  for (std::thread& worker : workers) worker.join();
  for (const auto& count : taken) REQUIRE(count <= 1);
}
