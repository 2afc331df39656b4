#include "cli/configuration.h"

#include <catch2/catch.hpp>

using namespace sluice;

TEST_CASE("Settings that name no keys file give a table without keys") {
  const auto keys = cli::read_keys(config::Settings{});
  REQUIRE(keys);
  CHECK((*keys)->size() == 0);
}

TEST_CASE("A keys file that cannot be read is an error that names it") {
  config::Settings settings;
  settings.identity.api_keys_file = "no/such/keys.yaml";
  const auto keys = cli::read_keys(settings);
  REQUIRE_FALSE(keys);
  CHECK(keys.error().message == "cannot read the API keys file 'no/such/keys.yaml'");
}
