#include "cli/times.h"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::cli;

TEST_CASE("durations have a number and a unit") {
  CHECK(parse_duration("500ms").value() == milliseconds(500));
  CHECK(parse_duration("10s").value() == seconds(10));
  CHECK(parse_duration("15m").value() == seconds(900));
  CHECK(parse_duration("2h").value() == seconds(7200));
  CHECK(parse_duration("7d").value() == seconds(7 * 86'400));
  for (const char* text : {"", "s", "10", "-1s", "1.5h", "10 s", "10x", "99999999999999d"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}

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
}

TEST_CASE("a time prints as it is read") {
  const WallTime time{1'795'255'200'123'000'000};
  CHECK(rfc3339(time) == "2026-11-21T10:00:00.123Z");
  CHECK(parse_time(rfc3339(time), {}, false).value().ns == time.ns);
}
