#include "load/timeline.h"

#include <catch2/catch.hpp>
#include <thread>

using namespace sluice;
using load::Tick;
using load::Timeline;

namespace {

Tick tick(std::int64_t second, std::int64_t latency) {
  Tick made;
  made.second = second;
  made.latency.record({latency});
  return made;
}

}  // namespace

TEST_CASE("a second comes out when every worker is done with it, in order, added up") {
  Timeline timeline(2);
  timeline.add(0, tick(-1, 10));
  timeline.add(0, tick(0, 20));
  timeline.add(1, tick(-1, 30));
  auto first = timeline.next();
  REQUIRE(first);
  CHECK(first->second == -1);
  CHECK(first->latency.count() == 2);
  timeline.recycle(std::move(first));
  timeline.add(1, tick(0, 40));
  auto second = timeline.next();
  REQUIRE(second);
  CHECK(second->second == 0);
  CHECK(second->latency.max() == 40);
  CHECK(second->latency.count() == 2);
  timeline.leave(0);
  timeline.leave(1);
  CHECK_FALSE(timeline.next());
}

TEST_CASE("a worker that left holds nobody up") {
  Timeline timeline(2);
  timeline.add(0, tick(0, 10));
  timeline.leave(0);
  timeline.add(1, tick(0, 10));
  timeline.add(1, tick(1, 10));
  CHECK(timeline.next()->latency.count() == 2);
  CHECK(timeline.next()->latency.count() == 1);
  timeline.leave(1);
  CHECK_FALSE(timeline.next());
}

TEST_CASE("workers on threads lose nothing") {
  constexpr std::int64_t seconds = 50;
  Timeline timeline(4);
  std::vector<std::jthread> workers;
  for (std::uint32_t worker = 0; worker < 4; ++worker) {
    workers.emplace_back([&timeline, worker] {
      for (std::int64_t second = 0; second < seconds; ++second)
        timeline.add(worker, tick(second, 7));
      timeline.leave(worker);
    });
  }
  std::int64_t expected = 0;
  while (auto tick = timeline.next()) {
    CHECK(tick->second == expected++);
    CHECK(tick->latency.count() == 4);
    timeline.recycle(std::move(tick));
  }
  CHECK(expected == seconds);
}
