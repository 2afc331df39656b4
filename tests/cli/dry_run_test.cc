// What verbs of policy and the control API share.
#include "cli/dry_run.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "cli/policy_changes.h"
#include "cli/rules_of_file.h"

using namespace sluice::cli;
using Json = nlohmann::json;

TEST_CASE("Reports of two pages are those of one") {
  const auto page = [](int operations, const char* rule, const char* at) {
    const Json way{{"listener", "in"},
                   {"was", {{"ruling", "allow"}, {"rule", rule}}},
                   {"would_be", {{"ruling", "deny"}, {"rule", "new"}}},
                   {"operations", operations},
                   {"unsure", 1},
                   {"example", {{"time", at}}}};
    return Json{{"judged", 10},          {"changed", operations}, {"unsure", 2},
                {"without_listener", 3}, {"changes", {way}},      {"next", "1.2"},
                {"has_more", true}};
  };
  const std::string one = page(4, "a", "first").dump();
  const auto sum = Json::parse(
      sum_of_reports(sum_of_reports(sum_of_reports("{}", one), page(5, "a", "second").dump()),
                     page(1, "b", "third").dump()));
  CHECK(sum.at("judged") == 30);
  CHECK(sum.at("changed") == 10);
  CHECK(sum.at("unsure") == 6);
  CHECK(sum.at("without_listener") == 9);
  REQUIRE(sum.at("changes").size() == 2);
  CHECK(sum.at("changes")[0].at("operations") == 9);
  CHECK(sum.at("changes")[0].at("unsure") == 2);
  CHECK(sum.at("changes")[0].at("example").at("time") == "first");
  CHECK(sum.at("changes")[1].at("was").at("rule") == "b");
}

TEST_CASE("What differs is told by name, and variables count") {
  const auto changes = [](const char* before, const char* after) {
    return Json::parse(policy_changes(before, after)).at("changes");
  };
  const char* const old =
      R"({"configuration": {"policies": [{"name": "a", "ruling": "allow"}, {"name": "b"}],
          "drain_timeout": "10s"}, "environment": {"X": "1"}})";
  CHECK(changes(old, old).empty());
  CHECK(changes(old, R"({"environment": {"X": "1"}, "configuration": {"drain_timeout": "10s",
      "policies": [{"name": "b"}, {"ruling": "allow", "name": "a"}]}})")
            .empty());
  CHECK(changes(old, R"({"configuration": {"policies": [{"name": "a", "ruling": "deny"}],
      "drain_timeout": "10s"}, "environment": {"X": "2"}})") == Json::parse(R"([
    {"change": "changed", "section": "policies", "name": "a",
     "before": {"name": "a", "ruling": "allow"}, "after": {"name": "a", "ruling": "deny"}},
    {"change": "removed", "section": "policies", "name": "b", "before": {"name": "b"}, "after": null},
    {"change": "changed", "section": "environment", "name": "",
     "before": {"X": "1"}, "after": {"X": "2"}}])"));
}

TEST_CASE("A version is named by its digest, and everything else is a file") {
  CHECK(is_version("current"));
  CHECK(is_version(std::string(64, 'a')));
  CHECK_FALSE(is_version("./current"));
  CHECK_FALSE(is_version(std::string(64, 'g')));
  CHECK_FALSE(is_version(std::string(62, 'a')));
}
