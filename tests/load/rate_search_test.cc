#include "load/rate_search.h"

#include <catch2/catch.hpp>

using namespace sluice;
using load::LatencyGoal;
using load::RateSearch;

namespace {

/// Every rate up to `capacity` holds; the rates that were tried.
std::vector<double> tried(RateSearch& search, double capacity) {
  std::vector<double> rates;
  while (const auto rate = search.next()) {
    REQUIRE(rates.size() < 100);
    rates.push_back(*rate);
    search.judge(*rate <= capacity);
  }
  return rates;
}

load::Report answered_in(Duration latency) {
  load::Report report;
  report.latency.record(latency);
  return report;
}

}  // namespace

TEST_CASE("the search doubles until a trial fails, then halves the gap") {
  RateSearch search(1000);
  const auto rates = tried(search, 5300);
  CHECK(std::vector<double>(rates.begin(), rates.begin() + 6) ==
        std::vector<double>{1000, 2000, 4000, 8000, 6000, 5000});
  REQUIRE(search.best());
  CHECK(*search.best() <= 5300);
  CHECK(*search.best() >= 5300 / 1.02);
}

TEST_CASE("the search finds any capacity from any beginning within two per cent") {
  for (const double first : {1.0, 700.0, 1e6}) {
    for (const double capacity : {60.0, 999.0, 123'456.0, 5e6}) {
      CAPTURE(first, capacity);
      RateSearch search(first);
      tried(search, capacity);
      REQUIRE(search.best());
      CHECK(*search.best() <= capacity);
      CHECK(*search.best() >= capacity / 1.04);
    }
  }
}

TEST_CASE("low rates are found to the next whole one") {
  RateSearch search(10);
  CHECK(tried(search, 10.5).size() < 10);
  CHECK(search.best() == 10);
}

TEST_CASE("a search ends where rates end") {
  RateSearch hopeless(1000);
  tried(hopeless, 0);
  CHECK_FALSE(hopeless.best());
  RateSearch boundless(1000);
  tried(boundless, 1e12);
  CHECK(boundless.best() == load::rate_max);
}

TEST_CASE("a goal is a quantile and a limit with its unit") {
  struct Row {
    const char* text;
    double quantile;
    std::int64_t limit_ns;
  };
  for (const Row& row : {Row{"p99<2ms", 0.99, 2'000'000}, Row{"p99.9<500us", 0.999, 500'000},
                         Row{"p50<1.5µs", 0.5, 1'500}, Row{"p100<1s", 1, 1'000'000'000},
                         Row{"p90<900ns", 0.9, 900}}) {
    CAPTURE(row.text);
    const auto goal = LatencyGoal::parse(row.text);
    REQUIRE(goal);
    CHECK(goal->quantile == Approx(row.quantile));
    CHECK(goal->limit.ns == row.limit_ns);
  }
  for (const char* text : {"", "p99", "99<2ms", "p<2ms", "p0<2ms", "p101<2ms", "p99<2", "p99<ms",
                           "p99<-2ms", "p99>2ms", "p99<2h", "p99<2s s"}) {
    CAPTURE(text);
    CHECK_FALSE(LatencyGoal::parse(text));
  }
}

TEST_CASE("a goal holds below its limit, for a run in which every request was answered") {
  const LatencyGoal goal = LatencyGoal::parse("p99<2ms").value();
  CHECK(goal.holds(answered_in(milliseconds(1))));
  CHECK_FALSE(goal.holds(answered_in(milliseconds(2))));
  CHECK_FALSE(goal.holds({}));
  auto faulty = answered_in(milliseconds(1));
  faulty.figures.read_errors = 1;
  CHECK_FALSE(goal.holds(faulty));
  auto late = answered_in(milliseconds(1));
  late.steps.push_back({});
  late.figures.unanswered = 1;
  CHECK_FALSE(goal.holds(late));
}
