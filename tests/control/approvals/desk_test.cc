// The desk between workers and people, with a real store and a log that can refuse.
#include "control/approvals/desk.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <mutex>
#include <nlohmann/json.hpp>

#include "requests.h"
#include "temporary_folder.h"

using namespace sluice;
using namespace sluice::control;
using namespace sluice::control::sample;
using config::Approval;
using config::HoldAnswer;
using config::HoldEnd;

namespace {

/// What a worker was told.
class Answers {
 public:
  config::AnswerHold taker() {
    return [this](HoldAnswer answer) {
      const std::lock_guard lock(mutex_);
      answers_.push_back(std::move(answer));
    };
  }
  /// The answer of that number, once it came.
  HoldAnswer await(std::size_t number = 0) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < deadline) {
      {
        const std::lock_guard lock(mutex_);
        if (answers_.size() > number) return answers_[number];
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    FAIL("no answer " << number);
    return {};
  }

 private:
  std::mutex mutex_;
  std::vector<HoldAnswer> answers_;
};

struct Bench {
  test::TemporaryFolder folder;
  std::atomic<std::int64_t> now_s{1};
  std::atomic<bool> log_is_full{false};
  std::mutex mutex;
  std::vector<std::string> events;  ///< Of records: what, and of whom.
  std::vector<std::string> told;    ///< Of requests: the state, and which.
  std::unique_ptr<Desk> desk;

  explicit Bench(const config::Approvals& limits = {}) { open(limits); }

  void open(const config::Approvals& limits = {}) {
    desk = nullptr;
    auto store = open_sqlite_store(folder.path() / "requests");
    REQUIRE(store);
    desk = std::make_unique<Desk>(std::move(*store), limits);
    REQUIRE(desk->start(
        {.record = [this](const audit::Record& record, Desk::Weight) -> Result<void> {
           if (log_is_full) return fail("the audit log cannot take a record");
           const std::lock_guard lock(mutex);
           events.push_back(std::string(record.event) + " " + std::string(record.subject));
           return {};
         },
         .clock = [this] { return at(now_s); },
         .tell =
             [this](const StoredRequest& request) {
               const std::lock_guard lock(mutex);
               told.push_back(request.state + " " + request.id);
             }}));
  }
  std::vector<std::string> recorded() {
    const std::lock_guard lock(mutex);
    return events;
  }
  std::vector<std::string> all_told() {
    const std::lock_guard lock(mutex);
    return told;
  }
  [[nodiscard]] std::string state(const std::string& id = "7KQ2M9XF") const {
    const auto shown = desk->show(id);
    REQUIRE(shown);
    REQUIRE(*shown);
    return nlohmann::json::parse(**shown).at("state");
  }
};

config::HeldOperation held(std::uint32_t distinct = 1, std::string id = "7KQ2M9XF") {
  Request made = request({{"careful", Approval{.by_groups = {"dba"}, .distinct = distinct}}});
  made.what.request = std::move(id);
  made.what.binding.fill(7);
  return made.what;
}

}  // namespace

TEST_CASE("What enough people approve is answered with the binding that they saw") {
  Bench bench;
  Answers answers;
  bench.desk->hold(held(2), answers.taker());
  CHECK(answers.await().kind == HoldAnswer::Kind::parked);
  CHECK(bench.state() == "waiting");
  CHECK(bench.desk->counts().waiting == 1);
  CHECK(bench.desk->decide("7KQ2M9XF", decision(person("bob"))).kind == DecisionReply::Kind::taken);
  const auto again = bench.desk->decide("7KQ2M9XF", decision(person("bob")));
  CHECK(again.fault == DecisionFault::decided_before);
  CHECK(bench.state() == "waiting");
  CHECK(bench.desk->decide("7KQ2M9XF", decision(person("cid"))).kind == DecisionReply::Kind::taken);
  CHECK(answers.await(1).kind == HoldAnswer::Kind::approved);
  CHECK(answers.await(1).binding == held().binding);
  bench.desk->end_hold("7KQ2M9XF", HoldEnd::ran);
  bench.desk->stop();
  CHECK(bench.state() == "approved");
  CHECK(bench.desk->counts().approved == 1);
  const std::vector<std::string> events{"requested ann", "approved bob", "decision-refused bob",
                                        "approved cid"};
  const auto recorded = bench.recorded();
  REQUIRE(recorded.size() >= events.size());
  CHECK(std::equal(events.begin(), events.end(), recorded.begin()));
  CHECK(bench.all_told() == std::vector<std::string>{"waiting 7KQ2M9XF", "approved 7KQ2M9XF"});
}

TEST_CASE("One denial is enough, and what comes later does not count") {
  Bench bench;
  Answers answers;
  bench.desk->hold(held(2), answers.taker());
  answers.await();
  REQUIRE(bench.desk->decide("7KQ2M9XF", decision(person("bob"))).kind ==
          DecisionReply::Kind::taken);
  Decision no = decision(person("cid"), Verdict::deny);
  no.reason = "not today";
  REQUIRE(bench.desk->decide("7KQ2M9XF", no).kind == DecisionReply::Kind::taken);
  CHECK(answers.await(1).kind == HoldAnswer::Kind::denied);
  CHECK(answers.await(1).reason == "cid denied it: not today");
  CHECK(bench.all_told() == std::vector<std::string>{"waiting 7KQ2M9XF", "denied 7KQ2M9XF"});
  CHECK(bench.state() == "denied");
  const auto late = bench.desk->decide("7KQ2M9XF", decision(person("dan")));
  CHECK(late.fault == DecisionFault::closed);
  CHECK(bench.desk->decide("00000000", decision(person("dan"))).kind ==
        DecisionReply::Kind::unknown_request);
}

TEST_CASE("Nobody's decision comes behind the expiry") {
  Bench bench;
  Answers answers;
  bench.desk->hold(held(), answers.taker());
  answers.await();
  bench.now_s = 601;
  CHECK(answers.await(1).kind == HoldAnswer::Kind::expired);
  CHECK(bench.desk->decide("7KQ2M9XF", decision(person("bob"))).fault == DecisionFault::closed);
  CHECK(bench.state() == "expired");
}

TEST_CASE("What its client gave up cannot be approved any more") {
  Bench bench;
  Answers answers;
  bench.desk->hold(held(), answers.taker());
  answers.await();
  bench.desk->end_hold("7KQ2M9XF", HoldEnd::withdrawn);
  while (bench.state() == "waiting") std::this_thread::yield();
  CHECK(bench.state() == "withdrawn");
  CHECK(bench.desk->decide("7KQ2M9XF", decision(person("bob"))).fault == DecisionFault::closed);
}

TEST_CASE("Only so many wait, of one principal and in all") {
  config::Approvals limits;
  limits.held_max = 3;
  limits.held_per_principal_max = 2;
  Bench bench(limits);
  Answers answers;
  for (const char* id : {"AAAAAAA1", "AAAAAAA2", "AAAAAAA3"}) {
    bench.desk->hold(held(1, id), answers.taker());
  }
  auto other = held(1, "AAAAAAA4");
  other.who = person("bob");
  bench.desk->hold(other, answers.taker());
  other.request = "AAAAAAA5";
  other.who = person("cid");
  bench.desk->hold(other, answers.taker());
  answers.await(4);
  CHECK(bench.desk->counts().waiting == 3);
  CHECK(bench.desk->counts().too_many == 2);
}

TEST_CASE("What cannot be recorded is not shown, and not approved") {
  Bench bench;
  Answers answers;
  bench.log_is_full = true;
  bench.desk->hold(held(), answers.taker());
  CHECK(answers.await().kind == HoldAnswer::Kind::unavailable);
  bench.log_is_full = false;
  bench.desk->hold(held(), answers.taker());
  CHECK(answers.await(1).kind == HoldAnswer::Kind::parked);
  bench.log_is_full = true;
  CHECK(bench.desk->decide("7KQ2M9XF", decision(person("bob"))).kind ==
        DecisionReply::Kind::unavailable);
  CHECK(bench.state() == "waiting");
  CHECK(bench.all_told() == std::vector<std::string>{"waiting 7KQ2M9XF"});
  bench.log_is_full = false;
  CHECK(bench.desk->decide("7KQ2M9XF", decision(person("bob"))).kind == DecisionReply::Kind::taken);
}

TEST_CASE("What waited when the gateway went is lost, and stays so") {
  Bench bench;
  Answers answers;
  SECTION("it was stopped") {
    bench.desk->hold(held(), answers.taker());
    answers.await();
    bench.desk->stop();
    CHECK(bench.state() == "lost");
    CHECK(bench.desk->decide("7KQ2M9XF", decision(person("bob"))).kind ==
          DecisionReply::Kind::unavailable);
  }
  SECTION("it was killed") {
    // As the store is then: nobody said that it ended.
    Request killed = request({});
    const StoredRequest row{"7KQ2M9XF", "waiting", killed.since.wall, to_json(killed)};
    bench.desk = nullptr;
    {
      const auto store = open_sqlite_store(bench.folder.path() / "requests");
      REQUIRE(store);
      REQUIRE((*store)->put({&row, 1}));
    }
    bench.open();
    CHECK(bench.state() == "lost");
    CHECK(bench.recorded().back() == "lost ");
    CHECK(bench.desk->decide("7KQ2M9XF", decision(person("bob"))).fault == DecisionFault::closed);
    CHECK(bench.desk->counts().lost == 1);
  }
  CHECK(bench.all_told().back() == "lost 7KQ2M9XF");
}

namespace {

config::HeldOperation ticket(std::uint32_t uses = 1) {
  config::HeldOperation what = held();
  what.is_ticket = true;
  what.valid_for = seconds(30);
  what.uses = uses;
  return what;
}

/// Who asked, again.
config::HeldOperation back(config::HeldOperation::Errand errand) {
  config::HeldOperation what = ticket();
  what.errand = errand;
  return what;
}

constexpr auto look = config::HeldOperation::Errand::look;
constexpr auto claim = config::HeldOperation::Errand::claim;

/// What the desk says to `what`.
HoldAnswer told(Bench& bench, const config::HeldOperation& what) {
  Answers answers;
  bench.desk->hold(what, answers.taker());
  return answers.await();
}

}  // namespace

TEST_CASE("A ticket is claimed by who asked, for what was approved, so often and so long") {
  Bench bench;
  REQUIRE(told(bench, ticket(2)).kind == HoldAnswer::Kind::parked);
  CHECK(told(bench, back(look)).kind == HoldAnswer::Kind::parked);
  CHECK(told(bench, back(claim)).kind == HoldAnswer::Kind::parked);
  bench.now_s = 10;
  REQUIRE(bench.desk->decide("7KQ2M9XF", decision(person("bob"))).kind ==
          DecisionReply::Kind::taken);
  CHECK(told(bench, back(look)).kind == HoldAnswer::Kind::approved);

  config::HeldOperation other = back(claim);
  other.binding[0] ^= 1;
  CHECK(told(bench, other).kind == HoldAnswer::Kind::denied);
  other = back(claim);
  other.configuration = 2;
  CHECK(told(bench, other).kind == HoldAnswer::Kind::denied);
  other = back(claim);
  other.who = person("bob");
  CHECK(told(bench, other).kind == HoldAnswer::Kind::unknown);
  other.errand = look;
  CHECK(told(bench, other).kind == HoldAnswer::Kind::unknown);

  bench.log_is_full = true;
  CHECK(told(bench, back(claim)).kind == HoldAnswer::Kind::unavailable);
  bench.log_is_full = false;
  for (int use = 0; use < 2; ++use) {
    const HoldAnswer granted = told(bench, back(claim));
    CHECK(granted.kind == HoldAnswer::Kind::approved);
    CHECK(granted.binding == held().binding);
  }
  CHECK(told(bench, back(claim)).kind == HoldAnswer::Kind::denied);
  bench.desk->end_hold("7KQ2M9XF", HoldEnd::ran);
  bench.desk->end_hold("7KQ2M9XF", HoldEnd::ran);
  // What arrives together is not taken in its order: the second look comes behind both ends.
  told(bench, back(look));
  CHECK(told(bench, back(look)).kind == HoldAnswer::Kind::unknown);
  CHECK(std::ranges::count(bench.recorded(), "used ann") == 2);
  CHECK(std::ranges::count(bench.recorded(), "ended ann") == 2);
}

TEST_CASE("A ticket that is denied says so to who asked, and one that lapsed runs nothing") {
  Bench bench;
  REQUIRE(told(bench, ticket()).kind == HoldAnswer::Kind::parked);
  Decision no = decision(person("bob"), Verdict::deny);
  no.reason = "not today";
  REQUIRE(bench.desk->decide("7KQ2M9XF", no).kind == DecisionReply::Kind::taken);
  const HoldAnswer denied = told(bench, back(look));
  CHECK(denied.kind == HoldAnswer::Kind::denied);
  CHECK(denied.reason == "bob denied it: not today");

  config::HeldOperation late = ticket();
  late.request = "8KQ2M9XF";
  REQUIRE(told(bench, late).kind == HoldAnswer::Kind::parked);
  REQUIRE(bench.desk->decide("8KQ2M9XF", decision(person("bob"))).kind ==
          DecisionReply::Kind::taken);
  bench.now_s = 40;
  late.errand = claim;
  CHECK(told(bench, late).kind != HoldAnswer::Kind::approved);
}

TEST_CASE("Tickets that were approved end with the gateway") {
  Bench bench;
  REQUIRE(told(bench, ticket()).kind == HoldAnswer::Kind::parked);
  REQUIRE(bench.desk->decide("7KQ2M9XF", decision(person("bob"))).kind ==
          DecisionReply::Kind::taken);
  bench.open();
  CHECK(bench.state() == "lost");
  CHECK(told(bench, back(claim)).kind == HoldAnswer::Kind::unknown);
}

namespace {

config::HeldOperation urgent() {
  config::HeldOperation what = held(2);
  what.rules.front().approval.break_glass = {"oncall"};
  return what;
}

Decision said(config::Principal who, Verdict verdict) {
  Decision made = decision(std::move(who), verdict);
  made.reason = "incident 4711";
  return made;
}

}  // namespace

TEST_CASE("Who breaks the glass lets it run alone; it is reviewed by another one, once") {
  Bench bench;
  Answers answers;
  bench.desk->hold(urgent(), answers.taker());
  answers.await();
  const auto decide = [&bench](config::Principal who, Verdict verdict) {
    return bench.desk->decide("7KQ2M9XF", said(std::move(who), verdict));
  };
  CHECK(decide(person("bob"), Verdict::break_glass).fault == DecisionFault::not_entitled);
  CHECK(decide(person("bob"), Verdict::review).fault == DecisionFault::closed);
  REQUIRE(decide(person("ann", {"oncall"}), Verdict::break_glass).kind ==
          DecisionReply::Kind::taken);
  CHECK(answers.await(1).kind == HoldAnswer::Kind::approved);
  CHECK(answers.await(1).binding == held().binding);
  CHECK(bench.state() == "unreviewed");
  CHECK(bench.desk->counts().unreviewed == 1);
  CHECK(bench.desk->counts().broken == 1);
  CHECK(decide(person("ann"), Verdict::review).fault == DecisionFault::own_request);

  SECTION("while it runs") {
    REQUIRE(decide(person("bob"), Verdict::review).kind == DecisionReply::Kind::taken);
    bench.desk->end_hold("7KQ2M9XF", HoldEnd::ran);
    while (bench.recorded().back() != "ended ann") std::this_thread::yield();
  }
  SECTION("when it is over, and by the next gateway") {
    bench.desk->end_hold("7KQ2M9XF", HoldEnd::ran);
    while (bench.recorded().back() != "ended ann") std::this_thread::yield();
    bench.open();
    CHECK(bench.desk->counts().unreviewed == 1);
    CHECK(bench.state() == "unreviewed");
    bench.log_is_full = true;
    CHECK(decide(person("bob"), Verdict::review).kind == DecisionReply::Kind::unavailable);
    bench.log_is_full = false;
    REQUIRE(decide(person("bob"), Verdict::review).kind == DecisionReply::Kind::taken);
  }
  bench.desk->stop();
  CHECK(bench.state() == "reviewed");
  CHECK(bench.desk->counts().unreviewed == 0);
  const auto told = bench.all_told();
  CHECK(told ==
        std::vector<std::string>{"waiting 7KQ2M9XF", "unreviewed 7KQ2M9XF", "reviewed 7KQ2M9XF"});
  const auto recorded = bench.recorded();
  CHECK(std::ranges::count(recorded, "break-glass ann") == 1);
  CHECK(std::ranges::count(recorded, "reviewed bob") == 1);
}

TEST_CASE("What cannot be recorded is not let through by breaking the glass") {
  Bench bench;
  Answers answers;
  bench.desk->hold(urgent(), answers.taker());
  answers.await();
  bench.log_is_full = true;
  CHECK(
      bench.desk->decide("7KQ2M9XF", said(person("eve", {"oncall"}), Verdict::break_glass)).kind ==
      DecisionReply::Kind::unavailable);
  CHECK(bench.state() == "waiting");
  CHECK(bench.desk->counts().unreviewed == 0);
}
