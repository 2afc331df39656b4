#include "audit/record_filter.h"

#include <catch2/catch.hpp>

namespace sluice::audit {
namespace {

RecordFields intent(std::uint64_t operation, std::string_view subject, RulingKind ruling) {
  RecordFields record;
  record.time_ns = 100;
  record.epoch = 14;
  record.sequence = operation;
  record.phase = static_cast<std::uint64_t>(Phase::intent);
  record.session = 1;
  record.operation = operation;
  record.ruling = static_cast<std::uint64_t>(ruling);
  record.subject = subject;
  return record;
}

RecordFields outcome(std::uint64_t operation) {
  RecordFields record = intent(operation, {}, RulingKind{});
  record.time_ns = 101;
  record.phase = static_cast<std::uint64_t>(Phase::outcome);
  return record;
}

RecordFields control() {
  RecordFields record;
  record.phase = static_cast<std::uint64_t>(Phase::control);
  return record;
}

}  // namespace

TEST_CASE("A search for operations brings their outcomes too, and no others") {
  RecordQuery query;
  query.subject = "anna";
  query.ruling = RulingKind::allow;
  RecordFilter filter(query);
  CHECK(filter.wants(intent(1, "anna", RulingKind::allow)));
  CHECK_FALSE(filter.wants(intent(2, "bert", RulingKind::allow)));
  CHECK_FALSE(filter.wants(intent(3, "anna", RulingKind::deny)));
  CHECK_FALSE(filter.wants(outcome(2)));
  CHECK_FALSE(filter.wants(outcome(3)));
  CHECK(filter.wants(outcome(1)));
  CHECK_FALSE(filter.wants(outcome(1)));
  CHECK_FALSE(filter.wants(control()));
}

TEST_CASE("A record's id, as a refusal shows it, finds its record") {
  RecordQuery query;
  query.record = RecordId::parse("000000000000000e-0-7");
  REQUIRE(query.record);
  RecordFilter filter(query);
  CHECK_FALSE(filter.wants(intent(17, "anna", RulingKind::deny)));
  CHECK(filter.wants(intent(7, "anna", RulingKind::allow)));
  CHECK_FALSE(filter.wants(outcome(5)));
  CHECK(filter.wants(outcome(7)));
}

TEST_CASE("A session's records are all that carry its number") {
  RecordQuery query;
  query.session = 1;
  RecordFilter filter(query);
  CHECK(filter.wants(intent(1, "anna", RulingKind::allow)));
  CHECK(filter.wants(outcome(1)));
  RecordFields closed = control();
  CHECK_FALSE(filter.wants(closed));
  closed.phase = static_cast<std::uint64_t>(Phase::session);
  closed.session = 1;
  CHECK(filter.wants(closed));
}

TEST_CASE("Bounds of time include the first and exclude the last") {
  RecordQuery query;
  query.from_ns = 100;
  query.until_ns = 101;
  RecordFilter filter(query);
  CHECK(filter.wants(intent(1, "a", RulingKind::allow)));
  CHECK_FALSE(filter.wants(outcome(1)));
  query.from_ns = 101;
  CHECK_FALSE(RecordFilter(query).wants(intent(2, "a", RulingKind::allow)));
}

TEST_CASE("Without conditions everything is wanted") {
  RecordFilter filter{RecordQuery{}};
  CHECK(filter.wants(outcome(9)));
  CHECK(filter.wants(control()));
}

}  // namespace sluice::audit
