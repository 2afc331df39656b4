// What is derived from the table of calls: who may call, what is recorded, what is refused.
#include "control/api/router.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "bench.h"

using namespace sluice;
using namespace sluice::control;
using namespace sluice::control::api;
using sample::Bench;

namespace {

/// A path with some value for each parameter.
std::string path_of(const Call& call) {
  std::string path(call.path);
  for (std::size_t at = path.find('{'); at != path.npos; at = path.find('{')) {
    path.replace(at, path.find('}') - at + 1, 1, '1');
  }
  return path;
}

std::string body_of(const Call& call) {
  if (call.body == nullptr) return {};
  nlohmann::json body = nlohmann::json::object();
  for (const Member& member : call.body->members) {
    if (member.is_required) body[std::string(member.name)] = "x";
  }
  return body.dump();
}

}  // namespace

TEST_CASE("Rows of the table are whole, and none hides another") {
  std::set<std::string_view> ids;
  std::set<std::string> places;
  for (const Call& call : calls()) {
    CAPTURE(call.id);
    CHECK(ids.insert(call.id).second);
    CHECK(places.insert(std::string(call.method) + path_of(call)).second);
    CHECK((call.run != nullptr) != (call.stream != nullptr));
    CHECK_FALSE(call.sentence.empty());
    std::set<std::string_view> arguments;
    for (const Member& member : call.parameters) CHECK(arguments.insert(member.name).second);
    for (const std::string_view name : path_parameters(call.path)) CHECK(arguments.contains(name));
    if (call.body != nullptr) {
      for (const Member& member : call.body->members) CHECK(arguments.insert(member.name).second);
    }
    if (call.effect == Effect::changes) {
      CHECK(call.method == "POST");
      CHECK_FALSE(call.roles.empty());
    } else {
      // A question that has no room in a URL is posted.
      CHECK(call.method == (call.body == nullptr ? "GET" : "POST"));
    }
  }
}

TEST_CASE("Each role may make the calls whose rows name it, and no other") {
  const std::vector<std::pair<std::string, Roles>> people{
      {"ann/ops", Role::admin},     {"bob/dba", Role::approver},
      {"cid/audit", Role::auditor}, {"dan/staff", Role::viewer},
      {"eve/none", Roles()},        {"mallory/unix-user:4000000001", Roles()},
      {"nobody", Roles()}};
  for (const Call& call : calls()) {
    for (const auto& [who, role] : people) {
      CAPTURE(call.id, who);
      Bench bench;
      const auto reply = bench.ask_as(who, std::string(call.method), path_of(call), body_of(call));
      const bool may = call.roles.empty() || call.roles.intersects(role) ||
                       call.besides == Besides::this_host ||
                       (call.besides == Besides::proved && who != "nobody");
      CHECK((reply.status != 403 && reply.status != 401) == may);
      if (may) continue;
      CHECK(reply.status == (who == "nobody" ? 401 : 403));
      REQUIRE(bench.log.size() == 1);
      CHECK(bench.log[0].event == "api-denied");
      CHECK(bench.log[0].call == call.id);
      CHECK(bench.log[0].status == static_cast<std::uint32_t>(reply.status));
      CHECK_FALSE(bench.has_drained);
    }
  }
}

TEST_CASE(
    "Each change, and what is disclosed, is recorded durably before, and is not made without") {
  for (const Call& call : calls()) {
    CAPTURE(call.id);
    Bench bench;
    static_cast<void>(bench.ask_as_root(std::string(call.method), path_of(call), body_of(call)));
    const bool is_recorded = call.effect != Effect::reads;
    REQUIRE((!bench.log.empty()) == is_recorded);
    if (!is_recorded) continue;
    CHECK(bench.log[0].event == "api-called");
    CHECK(bench.log[0].call == call.id);
    CHECK(bench.log[0].durably);
    CHECK(bench.log[0].subject == "root");
    CHECK(bench.log[0].proof == "peer-credentials");

    Bench broken;
    broken.log_takes = false;
    CHECK(broken.ask_as_root(std::string(call.method), path_of(call), body_of(call)).status == 503);
    CHECK_FALSE(broken.has_drained);
    CHECK(broken.minted.empty());
    CHECK(broken.holds.empty());
    CHECK(broken.decisions.empty());
    CHECK(broken.killed.empty());
    CHECK(broken.revoked_keys.empty());
  }
}

TEST_CASE("A secret that is shown in the place of an id is in no record") {
  const std::string secret(43, 'Z');
  const std::string id(64, 'a');
  const std::vector<std::pair<std::string, std::string>> shown{
      {"4f1c0de2a9b3", "4f1c0de2a9b3"},
      {"sk_4f1c0de2a9b3_" + secret, "sk_4f1c0de2a9b3_…"},
      {"sk%5F4f1c0de2a9b3%5f" + secret, "sk_4f1c0de2a9b3_…"},
      {"sk_4f1c0de2a9b3_" + secret + "Z", "sk_4f1c0de2a9b3_…"},
      {"sk_4f1c0de2a9b3_" + secret.substr(1) + "%20", "sk_4f1c0de2a9b3_…"},
      {"sk_" + id + "_" + secret, "sk_" + id + "_…"},
      {"sk_" + secret, "sk_…"},
      {"ann:" + secret, "…"},
      {"ann%3A" + secret, "…"},
      {secret + secret + secret, "…"}};
  for (const std::string& who : {std::string("olga/ops"), std::string("carl/audit")}) {
    for (const auto& [argument, recorded] : shown) {
      CAPTURE(argument);
      Bench bench;
      const auto reply = bench.ask_as(who, "POST", "/v1/keys/" + argument + "/revoke");
      CHECK(reply.body.find(secret) == reply.body.npos);
      REQUIRE_FALSE(bench.log.empty());
      for (const auto& entry : bench.log) {
        CHECK(entry.resource == "/v1/keys/" + recorded + "/revoke");
        CHECK(entry.reason.find(secret) == entry.reason.npos);
      }
    }
  }
}

TEST_CASE("A change that fails is recorded as such, with why") {
  Bench bench;
  bench.reloaded = fail("a.yaml:3:1: unknown key \"x\"");
  const auto reply = bench.ask_as_root("POST", "/v1/reload");
  CHECK(reply.status == 422);
  CHECK(reply.content_type == "application/problem+json");
  const auto problem = nlohmann::json::parse(reply.body);
  CHECK(problem.at("detail") == "a.yaml:3:1: unknown key \"x\"");
  CHECK(problem.at("status") == 422);
  REQUIRE(bench.log.size() == 2);
  CHECK(bench.log[1].event == "api-failed");
  CHECK(bench.log[1].status == 422);
  CHECK(bench.log[1].reason == "a.yaml:3:1: unknown key \"x\"");
}

TEST_CASE("JSON that cannot be made ends its call alone, and the operator is told without it") {
  constexpr const char* no_utf8 = "sk_secret\xff";
  Bench bench;
  Actions actions = bench.actions();
  const HttpRequest as_root{.unix_peer = UnixPeer{0, {0}}};
  const auto ask = [&](const char* method, const char* target, const char* body = "") {
    HttpRequest request = as_root;
    request.method = method;
    request.target = target;
    request.body = body;
    return answer(actions, request, Entrance::admin_socket);
  };
  const auto is_fault = [](const HttpReply& reply) {
    CHECK(reply.status == 500);
    CHECK(reply.content_type == "application/problem+json");
    CHECK(nlohmann::json::parse(reply.body).at("status") == 500);
    CHECK(reply.body.find("sk_secret") == std::string::npos);
  };

  SECTION("a text that is no UTF-8") {
    actions.policy_versions = [&]() -> Outcome<VersionsPage> {
      return VersionsPage{.current = no_utf8, .versions = {}};
    };
    is_fault(ask("GET", "/v1/policy/versions"));
    CHECK(bench.alarms == std::vector<std::string>{"api-fault listPolicyVersions: JSON fault 316"});
    CHECK(bench.log.empty());
  }
  SECTION("a type that is another") {
    actions.policy = [] { return nlohmann::json(1).get<std::string>(); };
    is_fault(ask("GET", "/v1/policy"));
    REQUIRE(bench.alarms.size() == 1);
    CHECK(bench.alarms[0].ends_with(": JSON fault 302"));
  }
  SECTION("what is read, whose words would quote it") {
    actions.status = [] { return nlohmann::json::parse("\"sk_secret").dump(); };
    is_fault(ask("GET", "/v1/status"));
    REQUIRE(bench.alarms.size() == 1);
    CHECK(bench.alarms[0].find("sk_secret") == std::string::npos);
  }
  SECTION("after a change, which is recorded as failed") {
    actions.add_legal_hold = [&](audit::LegalHold hold, std::string_view) {
      hold.reason = no_utf8;
      return hold;
    };
    is_fault(ask("POST", "/v1/legal-holds", R"({"reason":"a case"})"));
    REQUIRE(bench.log.size() == 2);
    CHECK(bench.log[0].event == "api-called");
    CHECK(bench.log[1].event == "api-failed");
    CHECK(bench.log[1].status == 500);
    CHECK(bench.alarms.size() == 1);
  }
  SECTION("before a stream") {
    actions.chunk = [](const std::string&, std::uint64_t) -> Result<std::optional<HttpStream>> {
      throw nlohmann::json::other_error::create(501, "sk_secret", nullptr);
    };
    is_fault(ask("GET", "/v1/recordings/a-1-1/chunks/2"));
    CHECK(bench.alarms.size() == 1);
  }
  SECTION("inside of a stream, which ends") {
    actions.records = [](auto&&...) -> Result<audit::RecordPage> {
      throw nlohmann::json::other_error::create(501, "sk_secret", nullptr);
    };
    const HttpReply reply = ask("GET", "/v1/records/events");
    REQUIRE(reply.stream);
    CHECK(reply.stream->pieces() == std::nullopt);
    REQUIRE(bench.alarms.size() == 1);
    CHECK(bench.alarms[0].ends_with(": JSON fault 501"));
  }
}

TEST_CASE("What is malformed is refused, and changes nothing") {
  Bench bench;
  const std::vector<std::tuple<const char*, const char*, const char*, int>> cases{
      {"GET", "/nothing", "", 404},
      {"GET", "/v1/requests/", "", 404},
      {"GET", "/v1/requests/a%2Fb", "", 404},
      {"GET", "/v1/requests/%zz", "", 400},
      {"GET", "/v1/requests/%00", "", 400},
      {"GET", "*", "", 400},
      {"GET", "/v1/drain", "", 405},
      {"DELETE", "/v1/legal-holds", "", 405},
      {"GET", "/v1/requests?x=1", "", 400},
      {"GET", "/v1/requests?state=", "", 400},
      {"GET", "/v1/requests?state=nonsense", "", 400},
      {"GET", "/v1/requests?state=lost&state=lost", "", 400},
      {"GET", "/v1/requests/7KQ2M9XF?id=7KQ2M9XF", "", 400},
      {"POST", "/v1/legal-holds/x/release", "", 400},
      {"POST", "/v1/legal-holds/-1/release", "", 400},
      {"POST", "/v1/legal-holds/99999999999999999999/release", "", 400},
      {"POST", "/v1/drain", "{}", 400},
      {"POST", "/v1/legal-holds", "", 400},
      {"POST", "/v1/legal-holds", "[]", 400},
      {"POST", "/v1/legal-holds", R"({"reason":1})", 400},
      {"POST", "/v1/legal-holds", R"({"reason":"a","reason":"b"})", 400},
      {"POST", "/v1/legal-holds", R"({"reason":"a","because":"b"})", 400},
      {"POST", "/v1/legal-holds", R"({"reason":"a","from":"yesterday"})", 422},
      {"POST", "/v1/tokens", R"({"subject":"a","groups":[1]})", 400},
      {"POST", "/v1/tokens", R"({"subject":"a","lifetime_seconds":1.5})", 400},
      {"POST", "/v1/tokens", R"({"subject":"a","lifetime_seconds":-1})", 400}};
  for (const auto& [method, target, body, status] : cases) {
    CAPTURE(method, target, body);
    const auto reply = bench.ask_as_root(method, target, body);
    CHECK(reply.status == status);
    CHECK(reply.content_type == "application/problem+json");
  }
  CHECK_FALSE(bench.has_drained);
  CHECK(bench.holds.empty());
  CHECK(bench.minted.empty());
  CHECK(field_value(bench.ask_as_root("GET", "/v1/drain").fields, "allow") == "POST");
}

TEST_CASE("Loopback TCP answers what anybody may ask, and nothing else") {
  Bench bench;
  for (const Call& call : calls()) {
    CAPTURE(call.id);
    const HttpRequest request{.method = std::string(call.method),
                              .target = path_of(call),
                              .fields = {{"Authorization", "ann/ops"}},
                              .body = body_of(call)};
    const bool may = call.roles.empty() || call.besides == Besides::this_host;
    CHECK(bench.ask(request, Entrance::probes).status == (may ? 200 : 403));
  }
  // Whoever may ask there cannot fill the log.
  CHECK(bench.log.empty());
}

TEST_CASE("On the TLS port only a credential says who calls") {
  const std::vector<std::pair<std::string, Roles>> people{
      {"ann/ops", Role::admin},    {"bob/dba", Role::approver}, {"cid/audit", Role::auditor},
      {"dan/staff", Role::viewer}, {"eve/none", Roles()},       {"nobody", Roles()},
      {"too many", Roles()},       {"new keys", Roles()}};
  for (const Call& call : calls()) {
    for (const auto& [who, role] : people) {
      CAPTURE(call.id, who);
      Bench bench;
      const auto reply =
          bench.ask_over_tls(who, std::string(call.method), path_of(call), body_of(call));
      const bool is_proved = who.find('/') != who.npos;
      const bool may = call.roles.empty() || call.roles.intersects(role) ||
                       (call.besides == Besides::proved && is_proved);
      if (may) {
        CHECK(reply.status != 401);
        CHECK(reply.status != 403);
        continue;
      }
      const int status = who == "too many"   ? 429
                         : who == "new keys" ? 503
                         : who == "nobody"   ? 401
                                             : 403;
      CHECK(reply.status == status);
      REQUIRE(bench.log.size() == 1);
      CHECK(bench.log[0].event == "api-denied");
      CHECK(bench.log[0].peer == "192.0.2.1:4711");
      if (who == "nobody") CHECK(bench.log[0].reason == "unknown key");
    }
  }
}

TEST_CASE("Accounts of the host have the roles that the configuration gives them") {
  Bench bench;
  const auto ask = [&bench](UnixPeer peer, const char* method, const char* target) {
    return bench.ask({.method = method, .target = target, .unix_peer = std::move(peer)}).status;
  };
  CHECK(ask({4'000'000'001, {}}, "POST", "/v1/drain") == 202);
  CHECK(ask({4'000'000'003, {4'000'000'002}}, "GET", "/v1/legal-holds") == 200);
  CHECK(ask({4'000'000'003, {4'000'000'002}}, "POST", "/v1/drain") == 403);
  CHECK(ask({4'000'000'003, {4'000'000'001}}, "POST", "/v1/drain") == 403);
  CHECK(ask({4'000'000'003, {}}, "GET", "/v1/status") == 403);
}

TEST_CASE("Probes tell life from readiness") {
  Bench bench;
  CHECK(bench.ask({.target = "/livez"}).status == 200);
  CHECK(bench.ask({.method = "HEAD", .target = "/readyz"}).status == 200);
  bench.is_ready = false;
  CHECK(bench.ask({.target = "/livez"}).status == 200);
  CHECK(bench.ask({.target = "/readyz"}).status == 503);
}
