#include "control/admin.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "control/json_text.h"
#include "control/socket.h"
#include "temporary_folder.h"

using namespace sluice::control;
using sluice::Result;

namespace {

struct Gateway {
  bool ready = true;
  bool drained = false;
  Result<std::string> reload = std::string(R"({"reloaded":true})");
  Result<std::string> holds = std::string(R"({"legal_holds":[]})");

  [[nodiscard]] AdminActions actions() {
    return {
        .is_ready = [this] { return ready; },
        .metrics = [] { return std::string("sluice_up 1\n"); },
        .status = [] { return std::string(R"({"state":"running"})"); },
        .reload = [this] { return reload; },
        .drain = [this] { drained = true; },
        .requests = [](const HttpRequest& request) { return HttpReply{.body = request.target}; },
        .legal_holds = [this] { return holds; },
        .add_legal_hold = [](const std::string& body,
                             const std::string& by) { return body + " by " + by; },
        .release_legal_hold = [this](const std::string&,
                                     const std::string&) -> Result<std::string> {
          return holds ? sluice::fail("there is no legal hold 3") : holds;
        },
        .delete_recording = [](const std::string& body,
                               const std::string& by) { return body + " by " + by; },
        .mint_token = [](const HttpRequest& request) { return HttpReply{.body = request.body}; },
        .revoke_token = [](const HttpRequest&) { return HttpReply{.status = 422}; }};
  }
};

int status_of(const AdminActions& actions, const char* method, const char* target,
              bool may_steer = true) {
  return answer(actions, {.method = method, .target = target}, may_steer).status;
}

}  // namespace

TEST_CASE("probes tell life from readiness") {
  Gateway gateway;
  const auto actions = gateway.actions();
  CHECK(status_of(actions, "GET", "/livez") == 200);
  CHECK(status_of(actions, "GET", "/readyz") == 200);
  gateway.ready = false;
  CHECK(status_of(actions, "GET", "/livez") == 200);
  CHECK(status_of(actions, "GET", "/readyz") == 503);
}

TEST_CASE("what steers the gateway, or names people, stays on the unix socket") {
  Gateway gateway;
  const auto actions = gateway.actions();
  for (const char* target : {"/livez", "/readyz", "/metrics"}) {
    CHECK(status_of(actions, "GET", target, false) == 200);
  }
  CHECK(status_of(actions, "GET", "/status", false) == 403);
  CHECK(status_of(actions, "POST", "/reload", false) == 403);
  CHECK(status_of(actions, "POST", "/drain", false) == 403);
  CHECK(status_of(actions, "GET", "/legal-holds", false) == 403);
  CHECK(status_of(actions, "GET", "/requests", false) == 403);
  CHECK(status_of(actions, "POST", "/requests/7KQ2M9XF/approve", false) == 403);
  CHECK(status_of(actions, "GET", "/requests?state=waiting") == 200);
  CHECK(status_of(actions, "GET", "/requestss") == 404);
  CHECK(status_of(actions, "POST", "/legal-holds", false) == 403);
  CHECK(status_of(actions, "POST", "/legal-holds/release", false) == 403);
  CHECK(status_of(actions, "POST", "/recordings/delete", false) == 403);
  CHECK_FALSE(gateway.drained);
}

TEST_CASE("a method that a page does not take is refused and changes nothing") {
  Gateway gateway;
  const auto actions = gateway.actions();
  CHECK(status_of(actions, "GET", "/drain") == 405);
  CHECK(status_of(actions, "POST", "/status") == 405);
  CHECK(status_of(actions, "DELETE", "/legal-holds") == 405);
  CHECK(status_of(actions, "GET", "/nothing") == 404);
  CHECK_FALSE(gateway.drained);
}

TEST_CASE("a failed reload says why as JSON") {
  Gateway gateway;
  gateway.reload = sluice::fail("a.yaml:3:1: unknown key \"x\"");
  const auto reply = answer(gateway.actions(), {.method = "POST", .target = "/reload"}, true);
  CHECK(reply.status == 422);
  CHECK(reply.body == "{\"reloaded\":false,\"error\":\"a.yaml:3:1: unknown key \\\"x\\\"\"}\n");
}

TEST_CASE("legal holds are asked for and changed as JSON") {
  Gateway gateway;
  const auto actions = gateway.actions();
  const auto listed = answer(actions, {.method = "GET", .target = "/legal-holds"}, true);
  CHECK(listed.status == 200);
  CHECK(listed.body == "{\"legal_holds\":[]}\n");
  const auto added =
      answer(actions, {.method = "POST", .target = "/legal-holds", .body = "{}"}, true);
  CHECK(added.status == 200);
  CHECK(added.body == "{} by an unknown user\n");
  const HttpRequest known{
      .method = "POST", .target = "/legal-holds", .body = "{}", .user = std::uint32_t{1000}};
  CHECK(answer(actions, known, true).body == "{} by user 1000\n");
  const auto released = answer(actions, {.method = "POST", .target = "/legal-holds/release"}, true);
  CHECK(released.status == 422);
  CHECK(released.body == "{\"error\":\"there is no legal hold 3\"}\n");
}

TEST_CASE("a recording is deleted in the name of who asks") {
  Gateway gateway;
  const HttpRequest request{
      .method = "POST", .target = "/recordings/delete", .body = "{}", .user = std::uint32_t{1000}};
  const auto reply = answer(gateway.actions(), request, true);
  CHECK(reply.status == 200);
  CHECK(reply.body == "{} by user 1000\n");
}

TEST_CASE("the admin socket is its owner's alone, survives a crash and is removed at the end") {
  const sluice::test::TemporaryFolder folder;
  const std::string path = folder.path() / "admin.sock";
  Gateway gateway;
  {
    const auto left_behind = listen_unix(path);
    REQUIRE(left_behind);
  }
  {
    const auto server = AdminServer::start({.socket = path, .tcp = {}}, gateway.actions());
    REQUIRE(server);
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600U);

    const auto reply = ask(path, {.method = "POST", .target = "/drain"});
    REQUIRE(reply);
    CHECK(reply->status == 202);
    CHECK(gateway.drained);
    const auto held = ask(path, {.method = "POST", .target = "/legal-holds", .body = "{}"});
    REQUIRE(held);
    CHECK(held->body == "{} by user " + std::to_string(::getuid()) + "\n");

    const auto second = AdminServer::start({.socket = path, .tcp = {}}, gateway.actions());
    REQUIRE_FALSE(second);
    CHECK(second.error().message.find("another gateway answers") != std::string::npos);
  }
  CHECK_FALSE(std::filesystem::exists(path));
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
