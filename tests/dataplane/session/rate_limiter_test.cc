#include "dataplane/session/rate_limiter.h"

#include <array>
#include <catch2/catch.hpp>
#include <string>

using namespace sluice;
using dataplane::RateLimiter;

namespace {

const std::array<config::RateRule, 2> rates{
    config::RateRule{"reads", milliseconds(100), milliseconds(300)},  // 10/s, three at once
    config::RateRule{"all", milliseconds(500), milliseconds(500)}};   // 2/s, one at once
constexpr RateLimiter::Caller ann{"api_keys", "ann"};
constexpr RateLimiter::Caller bob{"api_keys", "bob"};
constexpr Instant start{1'000'000'000};

Instant after(std::int64_t ms) {
  return start + milliseconds(ms);
}

struct Fixture {
  RateLimiter limiter{FingerprintKey{1, 2}};

  std::string_view exceeded(std::uint64_t which, const RateLimiter::Caller& caller, Instant now,
                            std::uint64_t count = 1) {
    const auto answer = limiter.take(rates, which, caller, count, now);
    return answer.exceeded == nullptr ? std::string_view() : answer.exceeded->rule;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "A burst passes at once, then as many as the rate says") {
  for (int i = 0; i < 3; ++i) CHECK(exceeded(1, ann, start).empty());
  CHECK(exceeded(1, ann, start) == "reads");
  CHECK(exceeded(1, ann, after(99)) == "reads");
  CHECK(exceeded(1, ann, after(100)).empty());
  CHECK(exceeded(1, ann, after(100)) == "reads");
  for (int i = 0; i < 3; ++i) CHECK(exceeded(1, ann, after(5000)).empty());
  CHECK(exceeded(1, ann, after(5000)) == "reads");
}

TEST_CASE_METHOD(Fixture, "Who is refused learns how long to wait, and that is true") {
  for (int i = 0; i < 3; ++i) CHECK(exceeded(1, ann, start).empty());
  const auto answer = limiter.take(rates, 1, ann, 1, after(30));
  REQUIRE(answer.exceeded != nullptr);
  CHECK(answer.wait == milliseconds(70));
  CHECK(exceeded(1, ann, after(30) + answer.wait).empty());
}

TEST_CASE_METHOD(Fixture, "Who only asks gets the same answer, and uses up nothing") {
  const auto refused = [&] { return limiter.ask(rates, 1, ann, 1, start).exceeded != nullptr; };
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(refused());
    CHECK_FALSE(refused());
    CHECK(exceeded(1, ann, start).empty());
  }
  CHECK(refused());
  CHECK(limiter.ask(rates, 1, ann, 1, start).wait == milliseconds(100));
}

TEST_CASE_METHOD(Fixture, "Principals do not use up each other's rate") {
  CHECK(exceeded(2, ann, start).empty());
  CHECK(exceeded(2, ann, start) == "all");
  CHECK(exceeded(2, bob, start).empty());
  // Nor can a name be chosen that runs into another's.
  CHECK(exceeded(2, {"api_keysa", "nn"}, start).empty());
}

TEST_CASE_METHOD(Fixture, "What one rate refuses uses up none of the others") {
  CHECK(exceeded(3, ann, start).empty());
  CHECK(exceeded(3, ann, start) == "all");
  CHECK(exceeded(3, ann, start) == "all");
  CHECK(exceeded(1, ann, start).empty());
  CHECK(exceeded(1, ann, start).empty());
  CHECK(exceeded(1, ann, start) == "reads");
}

TEST_CASE_METHOD(Fixture, "Several statements in one text count as many, and too many never pass") {
  CHECK(exceeded(1, ann, start, 4) == "reads");
  CHECK(exceeded(1, ann, start, UINT64_MAX) == "reads");
  CHECK(exceeded(1, ann, start, 3).empty());
  CHECK(exceeded(1, ann, start) == "reads");
}

TEST_CASE_METHOD(Fixture, "A full table refuses newcomers, and has room again when time went by") {
  std::size_t refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string subject = "user" + std::to_string(i);
    if (!exceeded(2, {"x", subject}, start).empty()) ++refused;
  }
  CHECK(refused > 10'000);
  CHECK(exceeded(2, {"x", "user0"}, start) == "all");  // the first are not forgotten for the last
  for (int i = 0; i < 100; ++i) {
    const std::string subject = "late" + std::to_string(i);
    CHECK(exceeded(2, {"x", subject}, after(500)).empty());
  }
}
