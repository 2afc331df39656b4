#include "load/report.h"

#include <catch2/catch.hpp>

using namespace sluice;
using load::Figures;
using load::Report;

TEST_CASE("figures of workers add up, and the longest wait is kept") {
  Figures a;
  Figures b;
  a.completed = 10;
  a.statuses[200] = 10;
  a.service.record({1'000});
  a.unanswered_wait_max = seconds(1);
  b.completed = 5;
  b.statuses[403] = 5;
  b.read_errors = 2;
  b.service.record({9'000});
  b.failed_checks = {0, 3};
  b.unanswered_wait_max = seconds(2);
  a.add(b);
  CHECK(a.completed == 15);
  CHECK(a.statuses[200] == 10);
  CHECK(a.statuses[403] == 5);
  CHECK(a.read_errors == 2);
  CHECK(a.service.count() == 2);
  CHECK(a.checks_failed() == 3);
  CHECK(a.unanswered_wait_max == seconds(2));
  a.clear();
  CHECK(a.completed == 0);
  CHECK(a.statuses[200] == 0);
  CHECK(a.checks_failed() == 0);
  CHECK(a.service.count() == 0);
}

TEST_CASE("a report says statuses, steps and failed checks in text and in JSON") {
  Report report;
  report.elapsed = seconds(2);
  report.figures.completed = 15;
  report.figures.statuses[200] = 10;
  report.figures.statuses[403] = 5;
  report.figures.failed_checks = {0, 5};
  report.check_names = {"list: status", "pay: \"status\""};
  report.steps = {{.step = {100, seconds(1)}, .latency = {}, .errors = 0},
                  {.step = {200, seconds(1)}, .latency = {}, .errors = 5}};
  report.steps[1].latency.record(milliseconds(3));
  report.latency.record(milliseconds(3));
  CHECK(report.per_second() == Approx(7.5));
  const std::string json = report_json(report);
  CHECK(json.find("\"statuses\":{\"200\":10,\"403\":5}") != std::string::npos);
  CHECK(json.find("\"failed_checks\":{\"list: status\":0,\"pay: \\\"status\\\"\":5}") !=
        std::string::npos);
  CHECK(json.find("\"due_per_s\":200.000") != std::string::npos);
  const std::string text = report_text(report);
  CHECK(text.find("200 × 10 403 × 5") != std::string::npos);
  CHECK(text.find("CHECK FAILED 5 × pay: \"status\"") != std::string::npos);
  CHECK(text.find("answered/s") != std::string::npos);
}

TEST_CASE("a run is clean only when every request got the answer that was asked for") {
  CHECK(Report{}.is_clean());
  for (std::uint64_t Figures::*fault : {&Figures::connect_errors, &Figures::read_errors}) {
    Report report;
    report.figures.*fault = 1;
    CHECK_FALSE(report.is_clean());
  }
  Report failed;
  failed.figures.failed_checks = {1};
  CHECK_FALSE(failed.is_clean());
  // A closed loop's end cuts off what was in flight; an open loop's must not.
  Report cut;
  cut.figures.unanswered = 1;
  CHECK(cut.is_clean());
  cut.steps.push_back({});
  CHECK_FALSE(cut.is_clean());
}

TEST_CASE("the live line says what the last second was like") {
  CHECK(load::second_text({.number = 4,
                           .due_per_second = 500,
                           .completed = 498,
                           .errors = 1,
                           .p50 = 120'000,
                           .p99 = 2'300'000}) ==
        "5 s: 498 per second of 500 due, p50 120.0 µs, p99 2300.0 µs, errors 1");
  CHECK(load::second_text({.number = -1, .completed = 7}) ==
        "0 s (warm-up): 7 per second, p50 0.0 µs, p99 0.0 µs, errors 0");
}

TEST_CASE("an empty report divides by nothing") {
  const Report empty;
  CHECK(report_json(empty).find("\"cpu_us_per_request\":0.000") != std::string::npos);
  CHECK(empty.per_second() == 0);
}
