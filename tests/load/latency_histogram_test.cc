#include "load/latency_histogram.h"

#include <catch2/catch.hpp>
#include <random>

using namespace sluice;
using load::LatencyHistogram;

namespace {

LatencyHistogram of(std::initializer_list<std::int64_t> values) {
  LatencyHistogram histogram;
  for (const std::int64_t value : values) histogram.record({value});
  return histogram;
}

}  // namespace

TEST_CASE("a latency comes back within three significant digits, from 1 ns to 1 h") {
  for (std::int64_t decade = 1; decade <= 3'600'000'000'000; decade *= 10) {
    for (const std::int64_t value : {decade, decade * 3 / 2, decade * 2 - 1, decade * 7}) {
      if (static_cast<std::uint64_t>(value) > LatencyHistogram::highest_value) continue;
      CAPTURE(value);
      // A second value keeps the bucket's end from being cut to the maximum.
      const auto histogram =
          of({value, value, static_cast<std::int64_t>(LatencyHistogram::highest_value)});
      const std::uint64_t found = histogram.quantile(0.5);
      CHECK(found >= static_cast<std::uint64_t>(value));
      CHECK(static_cast<double>(found - static_cast<std::uint64_t>(value)) <=
            static_cast<double>(value) / 1000);
    }
  }
}

TEST_CASE("buckets lie side by side, as HdrHistogram cuts them") {
  for (std::size_t i = 1; i < (LatencyHistogram::buckets + 1) * 1024; ++i) {
    REQUIRE(LatencyHistogram::lowest_at(i) == LatencyHistogram::highest_at(i - 1) + 1);
  }
  // Its sub-buckets: exact to 2047, then twos to 4095, fours to 8191.
  CHECK(LatencyHistogram::highest_at(2047) == 2047);
  CHECK(LatencyHistogram::highest_at(2048) == 2049);
  CHECK(LatencyHistogram::lowest_at(3072) == 4096);
  CHECK(LatencyHistogram::highest_at(3072) == 4099);
}

TEST_CASE("quantiles are those of the sorted values") {
  std::mt19937_64 random(7);
  std::vector<std::int64_t> values;
  LatencyHistogram histogram;
  for (int i = 0; i < 10'000; ++i) {
    values.push_back(static_cast<std::int64_t>(random() % 50'000'000) + 1);
    histogram.record({values.back()});
  }
  std::sort(values.begin(), values.end());
  for (const double q : {0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    CAPTURE(q);
    const auto rank = static_cast<std::size_t>(std::ceil(q * 10'000)) - 1;
    CHECK(static_cast<double>(histogram.quantile(q)) ==
          Approx(static_cast<double>(values[rank])).epsilon(0.001));
  }
}

TEST_CASE("histograms add up, clear to nothing and hold what is out of range at its edge") {
  auto sum = of({5, 1'000'000});
  sum.add(of({70, 9'000'000'000'000}));
  CHECK(sum.count() == 4);
  CHECK(sum.max() == LatencyHistogram::highest_value);
  CHECK(sum.quantile(0.25) == 5);
  sum.clear();
  CHECK(sum.count() == 0);
  CHECK(sum.quantile(0.5) == 0);
  CHECK(sum.mean() == 0);
  sum.record({-3});
  CHECK(sum.quantile(1) == 0);
  CHECK(sum.count() == 1);
}

TEST_CASE("mean and deviation are those of the values") {
  const auto histogram = of({100, 200, 300, 400});
  CHECK(histogram.mean() == Approx(250).epsilon(0.002));
  CHECK(histogram.deviation() == Approx(111.8).epsilon(0.01));
}
