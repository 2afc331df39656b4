#include "control/notifications/outbox.h"

#include <catch2/catch.hpp>
#include <deque>

#include "control/notifications/signature.h"
#include "requests_told.h"
#include "temporary_folder.h"

using namespace sluice;
using namespace sluice::control;
using namespace sluice::control::sample;

namespace {

struct Call {
  HttpsGet request;
  std::string body;
};

/// A journal whose disk can fail.
class Journal final : public DeliveryJournal {
 public:
  Journal(std::unique_ptr<DeliveryJournal> real, const bool& is_broken)
      : real_(std::move(real)), is_broken_(is_broken) {}
  Result<void> add(std::span<const Delivery> deliveries) override {
    return is_broken_ ? fail("disk full") : real_->add(deliveries);
  }
  Result<std::vector<Delivery>> heads() override { return real_->heads(); }
  Result<PendingCounts> pending() override { return real_->pending(); }
  Result<void> update(const Delivery& delivery, DeliveryState state) override {
    return is_broken_ ? fail("disk full") : real_->update(delivery, state);
  }
  Result<void> prune(std::size_t kept_max) override { return real_->prune(kept_max); }

 private:
  std::unique_ptr<DeliveryJournal> real_;
  const bool& is_broken_;
};

/// An outbox whose time, disk, log and receivers the test makes.
class World {
 public:
  World() { open(); }

  void open() {
    outbox_.reset();
    auto journal = open_sqlite_journal(folder_.path() / "requests");
    REQUIRE(journal);
    outbox_ = std::make_unique<Outbox>(
        std::make_unique<Journal>(std::move(*journal), disk_is_full),
        Outbox::Options{.post =
                            [this](const HttpsGet& request, const std::string& body) {
                              calls.push_back({request, body});
                              if (replies.empty()) return Result<HttpsReply>({.status = 204});
                              auto reply = replies.front();
                              replies.pop_front();
                              return reply;
                            },
                        .clock = [this] { return now; },
                        .chance = [] { return 0.5; },
                        .record = [this](const audit::Record& record) -> Result<void> {
                          if (log_is_full) return fail("full");
                          records.push_back(std::string(record.event) + " " +
                                            std::string(record.approval) + " " +
                                            std::string(record.detail));
                          return {};
                        }});
  }
  Outbox& outbox() { return *outbox_; }
  void keep(std::string request, RequestState state = RequestState::waiting) {
    const StoredRequest one = told(std::move(request), state);
    outbox_->keep({&one, 1}, settings);
  }
  WallTime step() { return outbox_->step(settings); }
  /// Until nothing is due.
  WallTime steps() {
    WallTime next = step();
    while (next <= now) next = step();
    return next;
  }
  WebhookCounts counts(std::size_t webhook = 0) {
    return outbox_->counts(settings).webhooks.at(webhook);
  }

  static config::Webhook webhook(std::string name) {
    return {.name = std::move(name),
            .url = {"file:/url", "https://h/hook"},
            .secret = config::Secret{"file:/secret", "0123456789abcdef"}};
  }

  config::Notifications settings{.link = "https://h/r/{id}",
                                 .webhooks = {webhook("chat")},
                                 .timeout = seconds(2),
                                 .give_up_after = seconds(3'600),
                                 .pending_max = 100};
  WallTime now{1'764'150'000'000'000'000};
  std::deque<Result<HttpsReply>> replies;  ///< Afterwards 204.
  std::vector<Call> calls;
  std::vector<std::string> records;
  bool disk_is_full = false;
  bool log_is_full = false;

 private:
  test::TemporaryFolder folder_;
  std::unique_ptr<Outbox> outbox_;
};

Result<HttpsReply> status(int number) {
  return HttpsReply{.status = number};
}

}  // namespace

TEST_CASE("a notice is delivered once, signed, with its number and its link") {
  World world;
  world.keep("A");
  CHECK(world.counts().pending == 1);
  CHECK(world.steps() == world.now + seconds(60));
  REQUIRE(world.calls.size() == 1);
  const auto& [request, body] = world.calls[0];
  CHECK(request.url == "https://h/hook");
  CHECK(request.timeout == seconds(2));
  CHECK(request.fields ==
        std::vector<std::string>{
            "Content-Type: application/json", "User-Agent: sluice", "Sluice-Delivery: 1",
            "Sluice-Signature: " + webhook_signature("0123456789abcdef", world.now, body)});
  CHECK(body.find("https://h/r/A") != body.npos);
  CHECK(world.counts().delivered == 1);
  CHECK(world.counts().pending == 0);
  CHECK(world.records.empty());
}

TEST_CASE("what fails is tried again with the same number, later and later, and in order") {
  World world;
  world.replies = {status(500), fail("connection refused")};
  world.keep("A");
  world.keep("B");
  CHECK(world.steps() == world.now + seconds(1));
  CHECK(world.calls.size() == 1);
  CHECK(world.counts().last_error == "status 500");
  world.now = world.now + seconds(1);
  CHECK(world.steps() == world.now + seconds(2));
  CHECK(world.counts().last_error == "connection refused");
  world.now = world.now + seconds(2);
  world.steps();
  REQUIRE(world.calls.size() == 4);
  CHECK(world.calls[2].body == world.calls[0].body);
  CHECK(world.calls[2].request.fields[2] == "Sluice-Delivery: 1");
  CHECK(world.calls[3].request.fields[2] == "Sluice-Delivery: 2");
  CHECK(world.counts().failures == 2);
  CHECK(world.counts().last_error.empty());
}

TEST_CASE("who asks for a pause gets it") {
  World world;
  world.replies = {HttpsReply{.status = 429, .retry_after = seconds(30)}};
  world.keep("A");
  CHECK(world.steps() == world.now + seconds(30));
}

TEST_CASE("what was not delivered is tried by the next gateway") {
  World world;
  world.replies = {status(503)};
  world.keep("A");
  world.steps();
  world.open();
  CHECK(world.counts().pending == 1);
  world.now = world.now + seconds(1);
  world.steps();
  CHECK(world.calls.size() == 2);
  CHECK(world.counts().delivered == 1);
}

TEST_CASE("what is refused, too old or for nobody is given up, with a record") {
  World world;
  SECTION("refused") {
    world.replies = {status(404)};
    world.keep("A");
    world.steps();
    CHECK(world.records ==
          std::vector<std::string>{"notification-given-up A waiting for chat: status 404"});
  }
  SECTION("a redirection is not followed") {
    world.replies = {status(302)};
    world.keep("A");
    world.steps();
    CHECK(world.records.size() == 1);
    CHECK(world.calls.size() == 1);
  }
  SECTION("too old") {
    world.settings.give_up_after = seconds(2);
    world.replies = {status(500), status(500)};
    world.keep("A");
    world.steps();
    world.now = world.now + seconds(1);
    world.steps();
    CHECK(world.records.empty());
    world.now = world.now + seconds(2);
    world.steps();
    CHECK(world.calls.size() == 2);
    CHECK(world.records ==
          std::vector<std::string>{"notification-given-up A waiting for chat: status 500"});
  }
  CHECK(world.counts().given_up == 1);
  CHECK(world.counts().pending == 0);
}

TEST_CASE("what is for a webhook that is not configured any more is given up") {
  World world;
  world.keep("A");
  world.settings.webhooks = {World::webhook("other")};
  world.steps();
  CHECK(world.calls.empty());
  CHECK(world.records == std::vector<std::string>{
                             "notification-given-up A waiting for chat: it is not configured any "
                             "more"});
}

TEST_CASE("nothing is given up unrecorded") {
  World world;
  world.log_is_full = true;
  world.replies = {status(404)};
  world.keep("A");
  world.steps();
  CHECK(world.counts().pending == 1);
  world.log_is_full = false;
  world.now = world.now + seconds(1);
  world.steps();
  CHECK(world.counts().delivered == 1);
}

TEST_CASE("a webhook is told what it wants, and one does not wait for another") {
  World world;
  world.settings.webhooks.push_back(World::webhook("pager"));
  world.settings.webhooks[1].events = {"waiting"};
  world.replies = {status(500)};
  world.keep("A");
  world.keep("A", RequestState::denied);
  world.steps();
  CHECK(world.calls.size() == 2);
  CHECK(world.counts(1).delivered == 1);
  world.now = world.now + seconds(1);
  world.steps();
  CHECK(world.calls.size() == 4);
  CHECK(world.counts(0).delivered == 2);
}

TEST_CASE("whoever failed least often goes first") {
  World world;
  world.settings.webhooks.push_back(World::webhook("pager"));
  world.replies = {status(500)};
  world.keep("A");
  world.keep("B");
  world.steps();
  world.now = world.now + seconds(1);
  world.keep("C");
  world.calls.clear();
  world.step();
  REQUIRE(world.calls.size() == 1);
  CHECK(world.calls[0].request.fields[2] == "Sluice-Delivery: 6");
}

TEST_CASE("what finds no room or cannot be kept is dropped, counted and recorded") {
  World world;
  world.settings.pending_max = 2;
  for (const char* request : {"A", "B", "C"}) world.keep(request);
  CHECK(world.outbox().counts(world.settings).dropped == 1);
  CHECK(world.records ==
        std::vector<std::string>{"notification-dropped C waiting: too many wait to be delivered"});
  world.steps();
  world.disk_is_full = true;
  world.keep("D");
  CHECK(world.outbox().counts(world.settings).dropped == 2);
  CHECK(world.records.back() == "notification-dropped D waiting: disk full");
}

TEST_CASE("what cannot be kept is not sent again and again") {
  World world;
  world.keep("A");
  world.disk_is_full = true;
  CHECK(world.step() == world.now + seconds(5));
  CHECK(world.calls.empty());
}
