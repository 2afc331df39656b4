#include "control/approvals/request.h"

#include <catch2/catch.hpp>

#include "control/api/shapes.h"
#include "requests.h"

using namespace sluice;
using namespace sluice::control;

TEST_CASE("A request has the shape that the control API's document says") {
  auto request = sample::request({{"careful", {.by_groups = {"dba"}}}});
  request.decisions.push_back(sample::decision(sample::person("bob")));
  request.decisions.back().user = 1000;
  request.decisions.back().reason = "ticket 17";
  request.ended = "ran";
  request.what.who.actors.push_back({"tool", "corp"});
  const auto page = identity::read_json_object(to_json(request), {});
  REQUIRE(page);
  CHECK(api::fault_of(*page, api::request_shape) == std::nullopt);
}

TEST_CASE("What a review looks at is read back from what is kept") {
  auto request = sample::request({{"careful", {.by_groups = {"dba"}, .break_glass = {"oncall"}}}});
  request.what.who.actors.push_back({"tool", "corp"});
  request.what.target = "ledger";
  request.state = RequestState::unreviewed;
  request.decisions.push_back(
      sample::decision(sample::person("cid", {"oncall"}), Verdict::break_glass));
  const auto known = request_of(to_json(request));
  REQUIRE(known);
  CHECK(known->state == RequestState::unreviewed);
  CHECK(known->what.request == "7KQ2M9XF");
  CHECK(known->what.target == "ledger");
  CHECK(known->what.who.subject == "ann");
  REQUIRE(known->what.who.actors.size() == 1);
  CHECK(known->what.who.actors[0].subject == "tool");
  REQUIRE(known->what.rules.size() == 1);
  CHECK(known->what.rules[0].rule == "careful");
  CHECK(known->what.rules[0].approval.by_groups == std::vector<std::string>{"dba"});
  REQUIRE(known->decisions.size() == 1);
  CHECK(known->decisions[0].verdict == Verdict::break_glass);
  CHECK(known->decisions[0].who.subject == "cid");
  for (const char* bad : {"", "[]", "{}", R"({"id":"7KQ2M9XF"})"}) CHECK_FALSE(request_of(bad));

  auto reviewed = sample::decision(sample::person("bob"), Verdict::review);
  reviewed.reason = "post mortem";
  const auto page = identity::read_json_object(
      with_decision(to_json(request), reviewed, RequestState::reviewed), {});
  REQUIRE(page);
  CHECK(api::fault_of(*page, api::request_shape) == std::nullopt);
}
