#include "cli/audit_filter.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using sluice::cli::AuditFilter;
using Json = nlohmann::json;

namespace {

Json intent(std::uint64_t operation, const char* subject, const char* ruling) {
  return {{"phase", "intent"},  {"time", "2026-11-21T10:00:00.000000000Z"},
          {"epoch", "e"},       {"worker", 0U},
          {"session", 1U},      {"operation", operation},
          {"subject", subject}, {"target", "api"},
          {"ruling", ruling}};
}

Json outcome(std::uint64_t operation) {
  return {{"phase", "outcome"}, {"time", "2026-11-21T10:00:01.000000000Z"},
          {"epoch", "e"},       {"worker", 0U},
          {"session", 1U},      {"operation", operation}};
}

}  // namespace

TEST_CASE("a search for operations brings their outcomes too, and no others") {
  AuditFilter filter;
  filter.principal = "anna";
  filter.ruling = "allow";
  CHECK(filter.wants(intent(1, "anna", "allow")));
  CHECK_FALSE(filter.wants(intent(2, "bert", "allow")));
  CHECK_FALSE(filter.wants(intent(3, "anna", "deny")));
  CHECK_FALSE(filter.wants(outcome(2)));
  CHECK_FALSE(filter.wants(outcome(3)));
  CHECK(filter.wants(outcome(1)));
  CHECK_FALSE(filter.wants(outcome(1)));
  CHECK_FALSE(filter.wants({{"phase", "control"}, {"time", "2026-11-21T10:00:00.000000000Z"}}));
}

TEST_CASE("a record's id, as a refusal shows it, finds its operation") {
  AuditFilter filter;
  filter.record = "e-0-7";
  Json found = intent(4, "anna", "deny");
  found["sequence"] = 7U;
  Json other = intent(5, "anna", "deny");
  other["sequence"] = 17U;
  CHECK_FALSE(filter.wants(other));
  CHECK(filter.wants(found));
  CHECK_FALSE(filter.wants(outcome(5)));
  CHECK(filter.wants(outcome(4)));
}

TEST_CASE("bounds of time include the first and exclude the last") {
  AuditFilter filter;
  filter.since = "2026-11-21T10:00:00.000000000Z";
  filter.until = "2026-11-21T10:00:01.000000000Z";
  CHECK(filter.wants(intent(1, "a", "allow")));
  CHECK_FALSE(filter.wants(outcome(1)));
  filter.since = "2026-11-21T10:00:00.000000001Z";
  CHECK_FALSE(filter.wants(intent(2, "a", "allow")));
}

TEST_CASE("without conditions everything is wanted") {
  AuditFilter filter;
  CHECK(filter.wants(outcome(9)));
  CHECK(filter.wants({{"phase", "control"}}));
}
