#include "load/schedule.h"

#include <catch2/catch.hpp>

using namespace sluice;
using load::RateStep;
using load::Schedule;

namespace {

std::vector<std::int64_t> due_of(Schedule schedule) {
  std::vector<std::int64_t> due;
  for (; !schedule.is_over(); schedule.advance()) due.push_back(schedule.due().ns);
  return due;
}

}  // namespace

TEST_CASE("requests are due at even distances from the first moment on") {
  CHECK(due_of(Schedule({{4, seconds(1)}}, 0, 1)) ==
        std::vector<std::int64_t>{0, 250'000'000, 500'000'000, 750'000'000});
}

TEST_CASE("steps follow each other, each at its own rate") {
  CHECK(due_of(Schedule({{2, seconds(1)}, {4, seconds(1)}}, 0, 1)) ==
        std::vector<std::int64_t>{0, 500'000'000, 1'000'000'000, 1'250'000'000, 1'500'000'000,
                                  1'750'000'000});
}

TEST_CASE("workers share a sequence without a gap or a request twice, also across steps") {
  const std::vector<RateStep> steps{{7, seconds(1)}, {0.4, seconds(1)}, {5, seconds(2)}};
  const auto whole = due_of(Schedule(steps, 0, 1));
  CHECK(whole.size() == 17);  // 0.4 of a request is none
  for (const std::uint64_t workers : {2U, 3U, 5U, 20U}) {
    CAPTURE(workers);
    std::vector<std::int64_t> parts;
    for (std::uint64_t worker = 0; worker < workers; ++worker) {
      const Schedule share(steps, worker, workers);
      const auto part = due_of(share);
      CHECK(share.left() == part.size());
      parts.insert(parts.end(), part.begin(), part.end());
    }
    std::sort(parts.begin(), parts.end());
    CHECK(parts == whole);
  }
}

TEST_CASE("the schedule does not drift") {
  Schedule schedule({{3, seconds(100'000)}}, 0, 1);
  for (int i = 0; i < 299'997; ++i) schedule.advance();
  CHECK(schedule.due().ns == 99'999'000'000'000);
  CHECK(schedule.left() == 3);
}

TEST_CASE("an empty schedule is over") {
  CHECK(Schedule({}, 0, 1).is_over());
  CHECK(Schedule({}, 0, 1).left() == 0);
}

TEST_CASE("rates are numbers per second") {
  CHECK(load::parse_rate("5000").value() == 5000);
  CHECK(load::parse_rate("2.5k").value() == 2500);
  CHECK(load::parse_rate("0.5").value() == 0.5);
  for (const char* text : {"", "k", "0", "-1", "1e9", "nan", "inf", "5 k", "5K", "99999999"}) {
    CAPTURE(text);
    CHECK_FALSE(load::parse_rate(text));
  }
}

TEST_CASE("steps of a rate go up or down, ends included") {
  const auto rates = [](std::string_view text) {
    std::vector<double> found;
    const auto steps = load::parse_rate_steps(text).value();
    for (const RateStep& step : steps) {
      CHECK(step.lasts == seconds(5));
      found.push_back(step.per_second);
    }
    return found;
  };
  CHECK(rates("1k:3k:1k/5s") == std::vector<double>{1000, 2000, 3000});
  CHECK(rates("10:1:4/5s") == std::vector<double>{10, 6, 2});
  CHECK(rates("7:7:1/5s") == std::vector<double>{7});
  for (const char* text : {"", "1:2:1", "1:2/5s", "1:2:0/5s", "a:2:1/5s", "1:2:1/5x",
                           "1:2:1/1500ms", "1:2:1/0s", "1:9000000:0.1/1s"}) {
    CAPTURE(text);
    const auto steps = load::parse_rate_steps(text);
    REQUIRE_FALSE(steps);
    CHECK(steps.error().message.find("FROM:TO:STEP/DURATION") != std::string::npos);
  }
}
