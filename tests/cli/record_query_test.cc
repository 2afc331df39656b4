#include "cli/record_query.h"

#include <catch2/catch.hpp>

using namespace sluice;
using cli::parse_query;
using cli::QueryWords;

namespace {
constexpr WallTime now{1'790'000'000'000'000'000};
}

TEST_CASE("Words that are not given do not restrict a query") {
  const auto query = parse_query({}, now);
  REQUIRE(query);
  CHECK_FALSE(query->is_selective());
  CHECK(query->from_ns == 0);
  CHECK(query->until_ns == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("Each word of a query finds its place") {
  QueryWords words;
  words.from = "15m";
  words.until = "2026-11-21T10:00:00Z";
  words.record = "00000000000000ff-3-17";
  words.principal = "ann";
  words.target = "ledger";
  words.rule = "reads";
  words.ruling = "deny";
  words.session = 7;
  const auto query = parse_query(words, now);
  REQUIRE(query);
  CHECK(query->from_ns == 1'789'999'100'000'000'000U);
  CHECK(query->until_ns == 1'795'255'200'000'000'000U);
  CHECK(query->record->epoch == 255);
  CHECK(query->record->worker == 3);
  CHECK(query->record->sequence == 17);
  CHECK(query->subject == "ann");
  CHECK(query->target == "ledger");
  CHECK(query->rule == "reads");
  CHECK(query->ruling == audit::RulingKind::deny);
  CHECK(query->session == 7U);
  CHECK(query->is_selective());
}

TEST_CASE("What is no record's id, or no time, is told") {
  for (const char* id : {"x", "12-0", "12-0-", "12-0-3-4", "zz-0-1", "12--1", "12-0-1 "}) {
    QueryWords words;
    words.record = id;
    INFO(id);
    CHECK_FALSE(parse_query(words, now));
  }
  QueryWords words;
  words.until = "yesterday";
  CHECK_FALSE(parse_query(words, now));
}
