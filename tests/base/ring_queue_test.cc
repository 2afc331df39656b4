#include "base/ring_queue.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <deque>
#include <memory>
#include <random>
#include <vector>

using sluice::RingQueue;

TEST_CASE("a ring queue holds what a deque does, whatever is pushed and popped") {
  const auto seed = GENERATE(range(0U, 20U));
  INFO("seed " << seed);
  std::mt19937 random(seed);
  RingQueue<int> queue;
  std::deque<int> wanted;
  for (int i = 0; i < 2000; ++i) {
    // Now and then it runs empty, now and then it grows.
    const bool pushes = random() % 100 < (i % 400 < 200 ? 60U : 40U);
    if (pushes) {
      REQUIRE(queue.push_back(i) == i);
      wanted.push_back(i);
    } else if (!wanted.empty()) {
      queue.pop_front();
      wanted.pop_front();
    }
    REQUIRE(queue.size() == wanted.size());
    REQUIRE(queue.empty() == wanted.empty());
    REQUIRE(std::ranges::equal(queue, wanted));
    REQUIRE(std::equal(queue.rbegin(), queue.rend(), wanted.rbegin(), wanted.rend()));
    if (wanted.empty()) continue;
    REQUIRE(queue.front() == wanted.front());
    REQUIRE(queue.back() == wanted.back());
    REQUIRE(queue[wanted.size() / 2] == wanted[wanted.size() / 2]);
  }
  queue.clear();
  REQUIRE(queue.empty());
}

TEST_CASE("a ring queue gives back what is popped") {
  const auto held = std::make_shared<int>(1);
  RingQueue<std::shared_ptr<int>> queue;
  for (int i = 0; i < 100; ++i) queue.push_back(held);
  REQUIRE(held.use_count() == 101);
  queue.pop_front();
  REQUIRE(held.use_count() == 100);
  queue.clear();
  REQUIRE(held.use_count() == 1);
  queue.push_back(held);
  REQUIRE(*queue.front() == 1);
}
