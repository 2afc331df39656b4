#include "control/admin.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "api/bench.h"
#include "control/json_text.h"
#include "control/socket.h"
#include "temporary_folder.h"

using namespace sluice::control;

TEST_CASE("the admin socket is its owner's alone, survives a crash and is removed at the end") {
  const sluice::test::TemporaryFolder folder;
  const std::string path = folder.path() / "admin.sock";
  api::sample::Bench gateway;
  {
    const auto left_behind = listen_unix(path);
    REQUIRE(left_behind);
  }
  {
    sluice::config::Admin settings;
    settings.socket = path;
    const auto server = AdminServer::start(settings, gateway.actions(), {}, {});
    REQUIRE(server);
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600U);

    const auto reply = ask(path, {.method = "POST", .target = "/v1/drain"});
    REQUIRE(reply);
    CHECK(reply->status == 202);
    CHECK(gateway.has_drained);
    REQUIRE(gateway.log.size() == 1);
    CHECK(gateway.log[0].subject == user_name(::getuid()).value_or(""));

    const auto second = AdminServer::start(settings, gateway.actions(), {}, {});
    REQUIRE_FALSE(second);
    CHECK(second.error().message.find("another gateway answers") != std::string::npos);
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("the admin socket is opened to a group that the host has") {
  const sluice::test::TemporaryFolder folder;
  const std::string path = folder.path() / "admin.sock";
  const auto own = group_name(::getgid());
  REQUIRE(own);
  const auto socket = listen_unix(path, *own);
  REQUIRE(socket);
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0660U);
  CHECK(status.st_gid == ::getgid());
  CHECK_FALSE(listen_unix(folder.path() / "other.sock", "no-such-group"));
}

TEST_CASE("only loopback addresses may listen without authentication") {
  CHECK_FALSE(listen_loopback({.host = "0.0.0.0", .port = 0}));
  CHECK_FALSE(listen_loopback({.host = "::", .port = 0}));
  CHECK_FALSE(listen_loopback({.host = "localhost", .port = 0}));
  CHECK(listen_loopback({.host = "127.0.0.1", .port = 0}));
}

TEST_CASE("texts become JSON strings") {
  CHECK(json_text("a\"b\\c\n\x01") == R"("a\"b\\c\u000a\u0001")");
}
