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
