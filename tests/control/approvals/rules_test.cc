// Who may decide, and what decisions come to: a table of each.
#include "control/approvals/rules.h"

#include <catch2/catch.hpp>

#include "requests.h"

using namespace sluice;
using namespace sluice::control;
using namespace sluice::control::sample;
using config::Approval;

TEST_CASE("A decision counts, or is refused for a reason") {
  const Approval dba{.by_groups = {"dba", "security"}};
  Request asked = request({{"careful", dba}});
  const auto fault = [&](const config::Principal& who, Verdict verdict = Verdict::approve,
                         std::int64_t s = 1) { return fault_of(asked, decision(who, verdict, s)); };
  CHECK(fault(person("bob")) == DecisionFault::none);
  CHECK(fault(person("eve", {"security"})) == DecisionFault::none);
  CHECK(fault(person("bob"), Verdict::approve, 59) == DecisionFault::none);
  CHECK(fault(person("bob"), Verdict::approve, 60) == DecisionFault::expired);
  CHECK(fault(person("bob", {"staff"})) == DecisionFault::not_entitled);
  CHECK(fault(person("bob", {"staff"}), Verdict::deny) == DecisionFault::not_entitled);
  CHECK(fault(person("ann")) == DecisionFault::own_request);
  CHECK(fault(person("ann"), Verdict::deny) == DecisionFault::own_request);
  CHECK(fault(person("")) == DecisionFault::unproved);

  asked.decisions.push_back(decision(person("bob")));
  CHECK(fault(person("bob")) == DecisionFault::decided_before);
  CHECK(fault(person("bob"), Verdict::deny) == DecisionFault::none);
  asked.state = RequestState::denied;
  CHECK(fault(person("eve")) == DecisionFault::closed);
  CHECK(fault(person("")) == DecisionFault::unproved);
}

TEST_CASE("The same name from another issuer, or in a chain of delegation, is the same person") {
  Request asked = request({{"careful", Approval{.by_groups = {"dba"}}}});
  auto elsewhere = person("ann");
  elsewhere.issuer = "corp";
  CHECK(fault_of(asked, decision(elsewhere)) == DecisionFault::own_request);

  // An agent asked in ann's name: neither decides, by themselves or through others.
  asked.what.who = person("agent", {"staff"});
  asked.what.who.actors = {{"ann", "corp"}};
  CHECK(fault_of(asked, decision(person("ann"))) == DecisionFault::own_request);
  auto tool = person("tool");
  tool.actors = {{"ann", "corp"}};
  CHECK(fault_of(asked, decision(tool)) == DecisionFault::own_request);
  tool.actors = {{"bob", "corp"}};
  CHECK(fault_of(asked, decision(tool)) == DecisionFault::none);
  asked.decisions.push_back(decision(person("bob")));
  CHECK(fault_of(asked, decision(tool)) == DecisionFault::decided_before);
}

TEST_CASE("A reason is asked for where a rule wants one") {
  const Request asked = request({{"one", Approval{.by_groups = {"dba"}}},
                                 {"two", Approval{.by_groups = {"dba"}, .reason_required = true}}});
  Decision bob = decision(person("bob"));
  CHECK(fault_of(asked, bob) == DecisionFault::reason_missing);
  bob.reason = "ticket 17";
  CHECK(fault_of(asked, bob) == DecisionFault::none);
}

TEST_CASE("A request comes to what its decisions and the time make of it") {
  Request asked = request({{"careful", Approval{.by_groups = {"dba"}, .distinct = 2}}});
  const auto state = [&](std::int64_t s = 2) { return state_of(asked, at(s).monotonic); };
  CHECK(state() == RequestState::waiting);
  CHECK(state(59) == RequestState::waiting);
  CHECK(state(60) == RequestState::expired);

  asked.decisions.push_back(decision(person("bob")));
  CHECK(state() == RequestState::waiting);
  asked.decisions.push_back(decision(person("bob")));
  CHECK(state() == RequestState::waiting);
  asked.decisions.push_back(decision(person("cid")));
  CHECK(state() == RequestState::approved);
  CHECK(state(60) == RequestState::approved);
  asked.decisions.push_back(decision(person("dan"), Verdict::deny));
  CHECK(state() == RequestState::denied);

  CHECK(state_of(request({}), at(1).monotonic) == RequestState::waiting);
}

TEST_CASE("Each rule that holds must be satisfied") {
  Request asked = request(
      {{"one", Approval{.by_groups = {"dba"}}}, {"two", Approval{.by_groups = {"security"}}}});
  asked.decisions.push_back(decision(person("bob")));
  CHECK(state_of(asked, at(2).monotonic) == RequestState::waiting);
  asked.decisions.push_back(decision(person("eve", {"security"})));
  CHECK(state_of(asked, at(2).monotonic) == RequestState::approved);
}

TEST_CASE("With all_groups each group has its own people, whoever came first") {
  const Approval each{.by_groups = {"dba", "security"}, .distinct = 1, .all_groups = true};
  const auto satisfied = [&](const Approval& approval, std::vector<config::Principal> people) {
    std::vector<Decision> decisions;
    for (auto& who : people) decisions.push_back(decision(std::move(who)));
    return satisfies(decisions, approval);
  };
  const auto both = person("both", {"dba", "security"});
  const auto dba = person("dba", {"dba"});
  const auto security = person("security", {"security"});
  CHECK_FALSE(satisfied(each, {}));
  CHECK_FALSE(satisfied(each, {both}));
  CHECK_FALSE(satisfied(each, {dba, person("dba2", {"dba"})}));
  CHECK(satisfied(each, {dba, security}));
  CHECK(satisfied(each, {both, dba}));
  CHECK(satisfied(each, {both, security}));
  CHECK(satisfied(each, {security, both}));

  const Approval two{.by_groups = {"dba", "security"}, .distinct = 2, .all_groups = true};
  const auto both2 = person("both2", {"dba", "security"});
  CHECK_FALSE(satisfied(two, {both, both2, dba}));
  CHECK(satisfied(two, {both, both2, dba, security}));
  CHECK(satisfied(two, {dba, person("dba2"), both, both2}));
  CHECK_FALSE(satisfied(two, {dba, person("dba2"), person("dba3"), both}));
}

TEST_CASE("The glass is broken by whom every rule names for that, in person, and with a reason") {
  const Approval urgent{.by_groups = {"dba"}, .break_glass = {"oncall"}};
  Request asked = request({{"one", urgent}, {"two", urgent}});
  const auto fault = [&asked](config::Principal who, std::string reason = "incident 4711") {
    Decision made = decision(std::move(who), Verdict::break_glass);
    made.reason = std::move(reason);
    return fault_of(asked, made);
  };
  CHECK(fault(person("bob", {"oncall"})) == DecisionFault::none);
  CHECK(fault(person("ann", {"oncall"})) == DecisionFault::none);  // Who asked, too.
  CHECK(fault(person("bob", {"dba"})) == DecisionFault::not_entitled);
  CHECK(fault(person("")) == DecisionFault::unproved);
  CHECK(fault(person("bob", {"oncall"}), "") == DecisionFault::reason_missing);
  auto agent = person("bob", {"oncall"});
  agent.actors = {{"agent", "corp"}};
  CHECK(fault(agent) == DecisionFault::delegated);

  asked.what.rules[1].approval.break_glass = {"others"};
  CHECK(fault(person("bob", {"oncall"})) == DecisionFault::not_entitled);
  asked.what.rules[1].approval.break_glass = {};
  CHECK(fault(person("bob", {"oncall"})) == DecisionFault::not_entitled);
  asked.what.rules.pop_back();
  CHECK(fault(person("bob", {"oncall"})) == DecisionFault::none);
  asked.what.is_ticket = true;
  CHECK(fault(person("bob", {"oncall"})) == DecisionFault::not_entitled);
  asked.what.is_ticket = false;
  asked.state = RequestState::denied;
  CHECK(fault(person("bob", {"oncall"})) == DecisionFault::closed);
}

TEST_CASE("A broken glass opens at once, but not what somebody denied") {
  Request asked = request({{"careful", Approval{.by_groups = {"dba"}, .distinct = 2}}});
  asked.decisions = {decision(person("bob")), decision(person("cid"), Verdict::break_glass)};
  CHECK(state_of(asked, at(2).monotonic) == RequestState::unreviewed);
  asked.decisions.push_back(decision(person("dan"), Verdict::deny));
  CHECK(state_of(asked, at(2).monotonic) == RequestState::denied);
}

TEST_CASE("A review is by somebody else who may decide, and says why") {
  Request asked = request({{"careful", Approval{.by_groups = {"dba"}, .break_glass = {"oncall"}}}});
  asked.decisions = {decision(person("cid", {"oncall"}), Verdict::break_glass)};
  asked.state = RequestState::unreviewed;
  const auto fault = [&asked](config::Principal who, std::string reason = "post mortem") {
    Decision made = decision(std::move(who), Verdict::review, 10'000);
    made.reason = std::move(reason);
    return fault_of(asked, made);
  };
  CHECK(fault(person("bob")) == DecisionFault::none);
  CHECK(fault(person("bob"), "") == DecisionFault::reason_missing);
  CHECK(fault(person("")) == DecisionFault::unproved);
  CHECK(fault(person("bob", {"oncall"})) == DecisionFault::not_entitled);
  CHECK(fault(person("ann")) == DecisionFault::own_request);
  CHECK(fault(person("cid")) == DecisionFault::own_request);
  for (const RequestState state :
       {RequestState::waiting, RequestState::approved, RequestState::reviewed}) {
    asked.state = state;
    CHECK(fault(person("bob")) == DecisionFault::closed);
  }
}
