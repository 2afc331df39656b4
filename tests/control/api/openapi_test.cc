#include "control/api/openapi.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "control/api/call.h"
#include "control/api/shapes.h"
#include "control/gateway_view.h"

using namespace sluice;
using namespace sluice::control;
using namespace sluice::control::api;

TEST_CASE("The document has each call, and each schema that it names") {
  const auto page = nlohmann::json::parse(openapi_document());
  CHECK(page.at("openapi") == "3.1.0");
  std::size_t operations = 0;
  for (const auto& [path, item] : page.at("paths").items()) operations += item.size();
  CHECK(operations == calls().size());
  const std::string text = openapi_document();
  constexpr std::string_view before = "\"#/components/schemas/";
  for (std::size_t at = text.find(before); at != text.npos; at = text.find(before, at + 1)) {
    const std::size_t begin = at + before.size();
    const std::string name = text.substr(begin, text.find('"', begin) - begin);
    CHECK(page.at("components").at("schemas").contains(name));
  }
  const auto& drain = page.at("paths").at("/v1/drain").at("post");
  CHECK(drain.at("x-changes") == true);
  CHECK(drain.at("x-roles") == nlohmann::json::array({"admin"}));
}

TEST_CASE("A status has the shape that the document says") {
  GatewayView view;
  view.state = "running";
  view.listeners.push_back({"main", "127.0.0.1:1", "api", "http", true});
  view.exports.emplace_back();
  view.issuers.emplace_back();
  view.latencies.push_back(std::make_unique<LatencyView>());
  const auto page = identity::read_json_object(status_json(view), {});
  REQUIRE(page);
  CHECK(fault_of(*page, status_shape) == std::nullopt);
}
