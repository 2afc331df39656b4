#include "base/timestamp.h"

#include <catch2/catch.hpp>

using namespace sluice;

TEST_CASE("a timestamp is RFC 3339, with any offset and up to nine decimals") {
  const std::pair<const char*, std::int64_t> good[] = {
      {"1970-01-01T00:00:01Z", 1'000'000'000},
      {"2000-02-29T23:59:59Z", 951'868'799'000'000'000},
      {"2026-11-21T10:00:00Z", 1'795'255'200'000'000'000},
      {"2026-11-21T10:00:00+00:00", 1'795'255'200'000'000'000},
      {"2026-11-21T11:30:00+01:30", 1'795'255'200'000'000'000},
      {"2026-11-20T22:00:00-12:00", 1'795'255'200'000'000'000},
      {"2026-11-21T10:00:00.25Z", 1'795'255'200'250'000'000},
      {"2026-11-21T10:00:00.123456789Z", 1'795'255'200'123'456'789},
      {"2261-12-31T23:59:59Z", 9'214'646'399'000'000'000}};
  for (const auto& [text, ns] : good) {
    INFO(text);
    CHECK(parse_timestamp(text) == WallTime{ns});
    CHECK(parse_timestamp(timestamp_text(WallTime{ns}, 9)) == WallTime{ns});
  }
}

TEST_CASE("a timestamp is written with as many decimals as asked for, never rounded up") {
  const WallTime time{1'795'219'200'999'999'999};
  CHECK(timestamp_text(timestamp_end) == "2262-01-01T00:00:00Z");
  CHECK(timestamp_text(time) == "2026-11-21T00:00:00Z");
  CHECK(timestamp_text(time, 3) == "2026-11-21T00:00:00.999Z");
  CHECK(timestamp_text(WallTime{1'795'219'200'000'000'001}, 9) == "2026-11-21T00:00:00.000000001Z");
}

TEST_CASE("anything else is no timestamp") {
  for (const char* text : {"",
                           "2026",
                           "2026-11-21",
                           "2026-1-1T00:00:00Z",
                           "2026-02-29T00:00:00Z",
                           "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "2026-01-00T00:00:00Z",
                           "1969-12-31T23:59:59Z",
                           "2262-01-01T00:00:00Z",
                           "9999-01-01T00:00:00Z",
                           "2026-11-21T",
                           "2026-11-21T10:00Z",
                           "2026-11-21T10:00:00",
                           "2026-11-21 10:00:00Z",
                           "2026-11-21T24:00:00Z",
                           "2026-11-21T10:60:00Z",
                           "2026-11-21T10:00:60Z",
                           "2026-11-21T10:00:00.Z",
                           "2026-11-21T10:00:00.1234567891Z",
                           "2026-11-21T10:00:00+24:00",
                           "2026-11-21T10:00:00+1:00",
                           "2026-11-21T10:00:00Zx",
                           "+026-11-21T10:00:00Z"}) {
    INFO(text);
    CHECK_FALSE(parse_timestamp(text).has_value());
  }
}
