#include "cli/exit_code.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "cli/verbs.h"
#include "temporary_folder.h"

using namespace sluice::cli;

TEST_CASE("exit codes are the ones that are documented") {
  CHECK(static_cast<int>(ExitCode::ok) == 0);
  CHECK(static_cast<int>(ExitCode::failed) == 1);
  CHECK(static_cast<int>(ExitCode::usage) == 2);
  CHECK(static_cast<int>(ExitCode::bad_configuration) == 3);
  CHECK(static_cast<int>(ExitCode::not_verified) == 4);
  CHECK(static_cast<int>(ExitCode::denied) == 5);
  CHECK(static_cast<int>(ExitCode::try_again) == 75);
}

TEST_CASE("a configuration that is missing or wrong is 3 for every verb that reads it") {
  const sluice::test::TemporaryFolder folder;
  const std::string wrong = folder.path() / "wrong.yaml";
  std::ofstream(wrong) << "version: 1\nlisten: []\n";
  for (const std::string& path : {wrong, (folder.path() / "missing.yaml").string()}) {
    CHECK(perform(CheckOptions{.configuration = path}) == ExitCode::bad_configuration);
    CHECK(perform(RunOptions{.configuration = path}) == ExitCode::bad_configuration);
    CHECK(perform(AuditOptions{.gateway = {.configuration = path}}) == ExitCode::bad_configuration);
    CHECK(perform(EvidenceOptions{.gateway = {.configuration = path}}) ==
          ExitCode::bad_configuration);
    CHECK(perform(StatusOptions{.gateway = {.configuration = path}}) ==
          ExitCode::bad_configuration);
  }
}

TEST_CASE("what the world does not give is 1") {
  const sluice::test::TemporaryFolder folder;
  const std::string nothing = folder.path() / "nothing";
  CHECK(perform(VerifyOptions{.path = nothing}) == ExitCode::failed);
  CHECK(perform(StatusOptions{.gateway = {.socket = nothing}}) == ExitCode::failed);
  CHECK(perform(DrainOptions{.gateway = {.socket = nothing}}) == ExitCode::failed);
  CHECK(perform(ReloadOptions{.gateway = {.socket = nothing}}) == ExitCode::failed);
}

TEST_CASE("arguments that only the verb can judge are 2") {
  CHECK(perform(LoadOptions{.url = "ftp://h/"}) == ExitCode::usage);
  CHECK(perform(LoadOptions{.url = "http://h/", .duration = "soon"}) == ExitCode::usage);
  CHECK(perform(LoadOptions{.url = "http://h/", .headers = {"no colon"}}) == ExitCode::usage);
  CHECK(perform(KeyNewOptions{.subject = "s", .expires = "later"}) == ExitCode::usage);
  CHECK(perform(AuditOptions{.directory = "/", .query = {.from = "once"}}) == ExitCode::usage);
}

TEST_CASE("a key is appended to a file that only its owner may read") {
  const sluice::test::TemporaryFolder folder;
  const std::string file = folder.path() / "keys.yaml";
  for (const char* subject : {"one", "two"}) {
    CHECK(perform(KeyNewOptions{.subject = subject, .append_to = file}) == ExitCode::ok);
  }
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600U);
  std::string text;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) text += line;
  CHECK(text.find("one") != text.npos);
  CHECK(text.find("two") != text.npos);
}
