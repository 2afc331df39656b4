#include "base/histogram.h"

#include <catch2/catch.hpp>

using sluice::Histogram;

TEST_CASE("quantiles are within a thirty-second of the recorded value") {
  Histogram h;
  for (std::uint64_t v = 1; v <= 100'000; ++v) h.record(v);
  CHECK(h.count() == 100'000);
  CHECK(h.max() == 100'000);
  for (const double q : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const double exact = q * 100'000;
    const auto got = static_cast<double>(h.quantile(q));
    CHECK(got >= exact);
    CHECK(got <= exact * (1 + 1.0 / 32) + 1);
  }
}

TEST_CASE("an empty histogram answers zero") {
  const Histogram h;
  CHECK(h.quantile(0.5) == 0);
  CHECK(h.count() == 0);
}

TEST_CASE("values beyond the range land in the last bucket and keep the true maximum") {
  Histogram h;
  h.record(std::uint64_t{1} << 50);
  CHECK(h.count() == 1);
  CHECK(h.max() == std::uint64_t{1} << 50);
}

TEST_CASE("adding merges counts, sums and maxima") {
  Histogram a;
  Histogram b;
  a.record(10);
  b.record(1000);
  a.add(b);
  CHECK(a.count() == 2);
  CHECK(a.sum() == 1010);
  CHECK(a.max() == 1000);
  CHECK(a.count_up_to(10) == 1);
}
