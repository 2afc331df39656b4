#include "dataplane/target_latencies.h"

#include <array>
#include <catch2/catch.hpp>

using namespace sluice;
using dataplane::TargetLatencies;

namespace {

std::uint64_t count_of(const TargetLatencies& latencies, std::string_view target) {
  Histogram sum;
  latencies.add_to(sum, target);
  return sum.count();
}

}  // namespace

TEST_CASE("every target has a histogram of its own, in the order it was asked for") {
  TargetLatencies latencies;
  const auto found = latencies.adopt(std::array<std::string_view, 2>{"payments", "accounts"});
  REQUIRE(found.size() == 2);
  found[0]->record(1'000);
  found[1]->record(2'000);
  found[1]->record(3'000);
  CHECK(count_of(latencies, "payments") == 1);
  CHECK(count_of(latencies, "accounts") == 2);
  CHECK(count_of(latencies, "ledger") == 0);
}

TEST_CASE("a target keeps its histogram across reloads, wherever it stands in them") {
  TargetLatencies latencies;
  const auto before = latencies.adopt(std::array<std::string_view, 2>{"payments", "accounts"});
  before[0]->record(1'000);
  const auto after =
      latencies.adopt(std::array<std::string_view, 3>{"ledger", "accounts", "payments"});
  CHECK(after[2] == before[0]);
  CHECK(after[1] == before[1]);
  // An operation that began before the reload ends after it.
  before[0]->record(1'000);
  CHECK(count_of(latencies, "payments") == 2);
  CHECK(count_of(latencies, "ledger") == 0);
}

TEST_CASE("a target that left is forgotten; its last operations still have where to record") {
  TargetLatencies latencies;
  const auto before = latencies.adopt(std::array<std::string_view, 1>{"payments"});
  before[0]->record(1'000);
  (void)latencies.adopt(std::array<std::string_view, 1>{"accounts"});
  before[0]->record(1'000);
  CHECK(before[0]->count() == 2);
  CHECK(count_of(latencies, "payments") == 0);

  // It comes back as a new one: counters that restart, as Prometheus expects them.
  const auto again = latencies.adopt(std::array<std::string_view, 1>{"payments"});
  CHECK(again[0]->count() == 0);
}
