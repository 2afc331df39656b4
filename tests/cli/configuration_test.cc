#include "cli/configuration.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "audit/log.h"
#include "must.h"
#include "temporary_folder.h"

using namespace sluice;
using sluice::test::must;

namespace {

config::Settings signed_settings(const sluice::test::TemporaryFolder& folder) {
  config::Settings settings;
  settings.audit.signing_key = folder.path() / "audit.key";
  must(audit::create_signing_key(settings.audit.signing_key, "test.sluice"));
  return settings;
}

}  // namespace

TEST_CASE("Settings that name no keys file give a table without keys") {
  const sluice::test::TemporaryFolder folder;
  const auto keys = cli::read_keys(signed_settings(folder));
  REQUIRE(keys);
  CHECK((*keys)->size() == 0);
}

TEST_CASE("A configuration that is not there is an error that says how to name another") {
  const auto settings = cli::read_settings("no/such/sluice.yaml");
  REQUIRE_FALSE(settings);
  CHECK(settings.error().message ==
        "there is no configuration 'no/such/sluice.yaml'; name yours with -c FILE");
}

TEST_CASE("A faulty configuration still says where its gateway is asked") {
  const auto path = std::filesystem::temp_directory_path() / "sluice_faulty_configuration.yaml";
  std::ofstream(path) << "version: 1\nadmin: {socket: /run/here.sock}\nmaks: []\n";
  CHECK_FALSE(cli::read_settings(path));
  CHECK(cli::admin_socket(path) == std::string("/run/here.sock"));
  std::filesystem::remove(path);
  CHECK_FALSE(cli::admin_socket(path));
}

TEST_CASE("A keys file that cannot be read is an error that names it") {
  const sluice::test::TemporaryFolder folder;
  config::Settings settings = signed_settings(folder);
  settings.identity.api_keys_file = "no/such/keys.yaml";
  const auto keys = cli::read_keys(settings);
  REQUIRE_FALSE(keys);
  CHECK(keys.error().message == "cannot read the API keys file 'no/such/keys.yaml'");
}

TEST_CASE("Who has no verifier is asked alike after a reload, and otherwise by another gateway") {
  const sluice::test::TemporaryFolder folder;
  const sluice::test::TemporaryFolder other;
  const auto settings = signed_settings(folder);
  const auto asked = [](const config::Settings& of) {
    return must(cli::read_keys(of))->scram_login("nobody", {}).value().verifier.text();
  };
  CHECK(asked(settings) == asked(settings));
  CHECK(asked(settings) != asked(signed_settings(other)));
  CHECK_FALSE(cli::read_keys(config::Settings{}));
}
