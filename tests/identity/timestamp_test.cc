#include "identity/timestamp.h"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::identity;

TEST_CASE("times are RFC 3339 in UTC, a day, or never") {
  const std::pair<const char*, std::int64_t> good[] = {{"1970-01-01", 0},
                                                       {"1970-01-01T00:00:01Z", 1},
                                                       {"2000-02-29T23:59:59Z", 951'868'799},
                                                       {"2026-11-21", 1'795'219'200},
                                                       {"2261-12-31T23:59:59Z", 9'214'646'399}};
  for (const auto& [text, second] : good) {
    INFO(text);
    const auto time = parse_timestamp(text);
    REQUIRE(time);
    CHECK(time->ns == second * 1'000'000'000);
    CHECK(parse_timestamp(timestamp_text(*time)) == time);
  }
  CHECK(parse_timestamp("never") == never);
  CHECK(timestamp_text(never) == "never");
  CHECK(timestamp_text(WallTime{1'795'219'200'999'999'999}) == "2026-11-21T00:00:00Z");
}

TEST_CASE("anything else is no time") {
  for (const char* text : {"",
                           "2026",
                           "2026-11",
                           "2026-1-1",
                           "2026-02-29",
                           "2026-13-01",
                           "2026-00-01",
                           "2026-01-00",
                           "1969-12-31",
                           "2262-01-01",
                           "2026-11-21T",
                           "2026-11-21T10:00Z",
                           "2026-11-21T10:00:00",
                           "2026-11-21T10:00:00+00:00",
                           "2026-11-21 10:00:00Z",
                           "2026-11-21T24:00:00Z",
                           "2026-11-21T10:60:00Z",
                           "2026-11-21T10:00:60Z",
                           "2026-11-21T10:00:00Zx",
                           "2026-11-21x",
                           "Never",
                           "+026-11-21"}) {
    INFO(text);
    CHECK_FALSE(parse_timestamp(text).has_value());
  }
}
