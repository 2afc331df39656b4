#include "load/report.h"

#include <catch2/catch.hpp>

using sluice::load::Report;

TEST_CASE("reports of workers add up, and time is the longest") {
  Report a;
  Report b;
  a.completed = 10;
  a.statuses[200] = 10;
  a.elapsed = sluice::seconds(2);
  a.latency_ns.record(1'000);
  b.completed = 5;
  b.statuses[403] = 5;
  b.elapsed = sluice::seconds(1);
  b.read_errors = 2;
  b.latency_ns.record(9'000);
  a.add(b);
  CHECK(a.completed == 15);
  CHECK(a.statuses[200] == 10);
  CHECK(a.statuses[403] == 5);
  CHECK(a.read_errors == 2);
  CHECK(a.latency_ns.count() == 2);
  CHECK(a.per_second() == Approx(7.5));
  CHECK(report_json(a).find("\"statuses\":{\"200\":10,\"403\":5}") != std::string::npos);
  CHECK(report_text(a).find("200 × 10 403 × 5") != std::string::npos);
}

TEST_CASE("an empty report divides by nothing") {
  const Report empty;
  CHECK(report_json(empty).find("\"cpu_us_per_request\":0.000") != std::string::npos);
  CHECK(empty.per_second() == 0);
}
