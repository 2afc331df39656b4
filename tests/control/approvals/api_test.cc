#include "control/approvals/api.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "requests.h"
#include "temporary_folder.h"

using namespace sluice;
using namespace sluice::control;
using namespace sluice::control::sample;

namespace {

struct Bench {
  test::TemporaryFolder folder;
  std::unique_ptr<Desk> desk;

  Bench() {
    auto store = open_sqlite_store(folder.path() / "requests");
    REQUIRE(store);
    desk = std::make_unique<Desk>(std::move(*store), config::Approvals{});
    REQUIRE(
        desk->start({.record = [](const audit::Record&, Desk::Weight) { return Result<void>(); },
                     .clock = [] { return at(1); }}));
    const config::Approval dba{.by_groups = {"dba"}, .distinct = 2};
    desk->hold(request({{"careful", dba}}).what, [](const config::HoldAnswer&) {});
    while (desk->counts().waiting == 0) std::this_thread::yield();
  }

  HttpReply ask(std::string method, std::string target, std::string who = {},
                std::string body = {}) {
    HttpRequest wanted{
        .method = std::move(method), .target = std::move(target), .body = std::move(body)};
    if (!who.empty()) wanted.fields.emplace_back("Authorization", who);
    wanted.user = 1000;
    return answer_requests(*desk, wanted, [](std::string_view authorization) {
      if (authorization.empty() || authorization == "nobody") return config::Principal{};
      return person(std::string(authorization),
                    {authorization.starts_with("staff") ? "staff" : "dba"});
    });
  }
};

}  // namespace

TEST_CASE("Requests are listed and shown, whatever case their name is typed in") {
  Bench bench;
  const auto all = bench.ask("GET", "/requests");
  CHECK(all.status == 200);
  CHECK(nlohmann::json::parse(all.body).at("requests").size() == 1);
  CHECK(nlohmann::json::parse(bench.ask("GET", "/requests?state=denied").body)
            .at("requests")
            .empty());
  CHECK(nlohmann::json::parse(bench.ask("GET", "/requests/7kq2m9xf").body).at("id") == "7KQ2M9XF");
  CHECK(bench.ask("GET", "/requests/AAAAAAAA").status == 404);
  CHECK(bench.ask("GET", "/requests/../x").status == 404);
  CHECK(bench.ask("GET", "/requests?x=1").status == 400);
  CHECK(bench.ask("POST", "/requests").status == 405);
  CHECK(bench.ask("GET", "/requests/7KQ2M9XF/approve").status == 405);
  CHECK(bench.ask("POST", "/requests/7KQ2M9XF/apprve", "bob").status == 404);
}

TEST_CASE("A decision is taken, or refused with a status that says why") {
  Bench bench;
  const std::string approve = "/requests/7KQ2M9XF/approve";
  CHECK(bench.ask("POST", approve).status == 401);
  CHECK(bench.ask("POST", approve, "nobody").status == 401);
  CHECK(bench.ask("POST", approve, "ann").status == 403);
  CHECK(bench.ask("POST", approve, "staff-bob").status == 403);
  for (const char* body : {"x", "{\"reason\":1}", "{\"reason\":\"a\",\"x\":1}", "[]"}) {
    CHECK(bench.ask("POST", approve, "bob", body).status == 400);
  }
  CHECK(
      bench.ask("POST", approve, "bob", "{\"reason\":\"" + std::string(1025, 'x') + "\"}").status ==
      400);
  CHECK(bench.ask("POST", "/requests/AAAAAAAA/approve", "bob").status == 404);
  const auto taken = bench.ask("POST", approve, "bob", "{\"reason\":\"ticket 17\"}");
  CHECK(taken.status == 200);
  const auto page = nlohmann::json::parse(taken.body);
  CHECK(page.at("state") == "waiting");
  CHECK(page.at("decisions").at(0).at("reason") == "ticket 17");
  CHECK(page.at("decisions").at(0).at("user") == 1000);
  CHECK(bench.ask("POST", approve, "bob").status == 409);
  CHECK(bench.ask("POST", "/requests/7KQ2M9XF/deny", "cid").status == 200);
  CHECK(bench.ask("POST", approve, "dan").status == 409);
}
