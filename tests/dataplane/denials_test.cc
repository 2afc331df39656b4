#include "dataplane/denials.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

using sluice::dataplane::Denials;

TEST_CASE("denials are counted by target and rule, over workers") {
  Denials one, two;
  one.add("api", "no refunds");
  one.add("api", "no refunds");
  one.add("ledger", "no refunds");
  two.add("api", "no refunds");
  two.add("api", "");
  Denials::Counts sum;
  one.add_to(sum);
  two.add_to(sum);
  CHECK(sum == Denials::Counts{
                   {{"api", "no refunds"}, 3}, {{"ledger", "no refunds"}, 1}, {{"api", ""}, 1}});
}

TEST_CASE("beyond the limit pairs are not told apart, and nothing is lost") {
  Denials denials;
  for (std::size_t i = 0; i < Denials::pairs_max; ++i) denials.add("api", std::to_string(i));
  denials.add("api", "one more");
  denials.add("api", "and another");
  denials.add("api", "7");
  Denials::Counts sum;
  denials.add_to(sum);
  CHECK(sum.size() == Denials::pairs_max + 1);
  CHECK(sum.at({"", std::string(Denials::other)}) == 2);
  CHECK(sum.at({"api", "7"}) == 2);
}

TEST_CASE("who looks while the worker counts sees each pair once, and counts that only grow") {
  Denials denials;
  std::atomic<bool> is_done{false};
  std::thread worker([&] {
    for (std::size_t i = 0; i < 200'000; ++i) denials.add("api", std::to_string(i % 1'000));
    is_done = true;
  });
  std::uint64_t before = 0;
  bool has_shrunk = false;
  while (!is_done) {
    Denials::Counts sum;
    denials.add_to(sum);
    std::uint64_t now = 0;
    for (const auto& [names, count] : sum) now += count;
    has_shrunk |= now < before;
    before = now;
  }
  worker.join();
  CHECK_FALSE(has_shrunk);
  Denials::Counts sum;
  denials.add_to(sum);
  CHECK(sum.size() == 1'000);
  CHECK(sum.at({"api", "999"}) == 200);
}
