#include "control/notifications/notice.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "config/model/notification_settings.h"
#include "requests_told.h"

using namespace sluice;
using namespace sluice::control;
using namespace sluice::control::sample;

TEST_CASE("a notice has what the request's document shows, and who decided") {
  Request made = held_request("7KQ2M9XF", RequestState::denied);
  made.decisions = {decision(person("bob")), decision(person("eve"), Verdict::deny)};
  made.decisions[1].reason = "not today";
  const auto notice = notice_of(told(made).document, WallTime{5});
  REQUIRE(notice);
  CHECK(notice->event == "denied");
  CHECK(notice->request == "7KQ2M9XF");
  CHECK(notice->requester == "ann");
  CHECK(notice->target == "ledger");
  CHECK(notice->resource == "DELETE FROM postings WHERE n = ?");
  REQUIRE(notice->rules.size() == 1);
  CHECK(notice->rules[0].name == "careful");
  CHECK(notice->rules[0].needed == "2 of dba");
  REQUIRE(notice->decisions.size() == 2);
  CHECK(notice->decisions[1].verdict == "deny");
  CHECK(notice->decisions[1].who == "eve");
  CHECK(notice->decisions[1].reason == "not today");
  CHECK(notice->at.ns == 5);
}

TEST_CASE("what is no document of a request is no notice") {
  for (const char* bad : {"", "{}", "[]", "{\"id\":7}", "{\"state\":\"waiting\""}) {
    CHECK_FALSE(notice_of(bad, {}));
  }
}

TEST_CASE("webhooks can be told of each state that a request has") {
  for (const RequestState state :
       {RequestState::waiting, RequestState::approved, RequestState::denied, RequestState::expired,
        RequestState::withdrawn, RequestState::lost, RequestState::unreviewed,
        RequestState::reviewed}) {
    CHECK(std::ranges::find(config::request_events, text(state)) != config::request_events.end());
  }
}
