#include "cli/configuration.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "cli/signer.h"
#include "must.h"
#include "temporary_folder.h"

using namespace sluice;
using sluice::test::must;

namespace {

constexpr identity::Digest mocks{1};

}  // namespace

TEST_CASE("Settings that name no keys file give a table without keys") {
  const auto keys = cli::read_keys({}, mocks);
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
  config::Settings settings;
  settings.identity.api_keys_file = "no/such/keys.yaml";
  const auto keys = cli::read_keys(settings, mocks);
  REQUIRE_FALSE(keys);
  CHECK(keys.error().message == "cannot read the API keys file 'no/such/keys.yaml'");
}

TEST_CASE("Keys that were revoked are not read, and without their list none is") {
  const test::TemporaryFolder folder;
  config::Settings settings;
  settings.identity.api_keys_file = folder.path() / "keys.yaml";
  settings.identity.revoked_keys = folder.path() / "revoked_keys";
  const std::string rest = ", expires: never, sha256: " + std::string(64, 'a') + "}\n";
  std::ofstream(settings.identity.api_keys_file)
      << "- {id: good, subject: s" << rest << "- {id: lost, subject: s" << rest;
  CHECK(must(cli::read_keys(settings, mocks))->size() == 2);
  std::ofstream(settings.identity.revoked_keys) << "sluice-revoked-keys1\nlost never\n";
  const auto keys = must(cli::read_keys(settings, mocks));
  REQUIRE(keys->size() == 1);
  CHECK(keys->principal(0).credential_id == "good");
  std::ofstream(settings.identity.revoked_keys) << "sluice-revoked-keys1\nlost";
  const auto refused = cli::read_keys(settings, mocks);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "identity.revoked_keys: " + settings.identity.revoked_keys +
                                       " is no list of revoked API keys");
}

TEST_CASE("Who has no verifier is asked alike after a reload, and otherwise by another gateway") {
  const auto asked = [](const identity::Digest& of) {
    return must(cli::read_keys({}, of))->scram_login("nobody", {}).value().verifier.text();
  };
  CHECK(asked(mocks) == asked(mocks));
  CHECK(asked(mocks) != asked({2}));
}

TEST_CASE("The signer's state lies beside the log, not in it, where nothing else is said") {
  config::Audit audit;
  audit.signing_key.file = "/key";
  audit.directory = "/var/log/audit/";
  CHECK(cli::signer_settings(audit).state == "/var/log/audit.signed");
  CHECK(cli::signer_settings(audit).key == "/key");
  CHECK(cli::signer_settings(audit).user == "nobody");
  audit.signer = {"/safe/state", "signer"};
  CHECK(cli::signer_settings(audit).state == "/safe/state");
  CHECK(cli::signer_settings(audit).user == "signer");
}
