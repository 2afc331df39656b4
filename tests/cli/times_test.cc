#include "cli/times.h"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::cli;

TEST_CASE("times are RFC 3339 or a distance from now") {
  const WallTime now{seconds(1'000'000).ns};
  CHECK(parse_time("15m", now, false).value().ns == now.ns - seconds(900).ns);
  CHECK(parse_time("15m", now, true).value().ns == now.ns + seconds(900).ns);
  CHECK(parse_time("1970-01-01T00:00:01Z", now, false).value().ns == 1'000'000'000);
  CHECK(parse_time("1970-01-01T01:00:01.25+01:00", now, false).value().ns == 1'250'000'000);
  CHECK(parse_time("2026-11-21T10:00:00Z", now, false).value().ns == 1'795'255'200'000'000'000);
  for (const char* text :
       {"", "yesterday", "2026-11-21", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
        "2026-11-21T24:00:00Z", "2026-11-21T10:00:00", "2026-11-21T10:00:00Zx"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_time(text, now, false));
  }
  // The longest duration there is: there is such a past, but no such future.
  CHECK(parse_time("106751d", now, false).has_value());
  CHECK_FALSE(parse_time("106751d", now, true).has_value());
}
