#include "control/notifications/notifier.h"

#include <catch2/catch.hpp>
#include <chrono>

#include "requests_told.h"
#include "temporary_folder.h"

using namespace sluice;
using namespace sluice::control;
using namespace sluice::control::sample;

namespace {

/// A notifier, and a receiver that can be made to wait.
class World {
 public:
  explicit World(std::uint32_t pending_max = 100) { open(pending_max); }
  ~World() { release(); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  void open(std::uint32_t pending_max = 100) {
    notifier_.reset();
    auto journal = open_sqlite_journal(folder_.path() / "requests");
    REQUIRE(journal);
    notifier_ = std::make_unique<Notifier>(
        std::move(*journal),
        config::Notifications{.link = {},
                              .webhooks = {{.name = "chat",
                                            .url = {"file:/url", "https://h/hook"},
                                            .events = {"waiting"}}},
                              .pending_max = pending_max});
    notifier_->start(
        {.post = [this](const HttpsGet& request, const std::string&) -> Result<HttpsReply> {
           ++calls;
           while (is_held && !*request.stop) pause();
           return HttpsReply{.status = is_held ? 500 : 204};
         },
         .clock =
             [] {
               return WallTime{
                   std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch())
                       .count()};
             },
         .chance = [] { return 0.5; },
         .record = [this](const audit::Record& record) -> Result<void> {
           const std::lock_guard lock(mutex_);
           records_.emplace_back(record.approval);
           return {};
         }});
  }
  Notifier& notifier() { return *notifier_; }
  void release() { is_held = false; }
  std::vector<std::string> records() {
    const std::lock_guard lock(mutex_);
    return records_;
  }

  static void pause() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }
  template <class Condition>
  static void await(Condition condition) {
    for (int i = 0; i < 20'000 && !condition(); ++i) pause();
    CHECK(condition());
  }

  std::atomic<bool> is_held{false};
  std::atomic<int> calls{0};

 private:
  test::TemporaryFolder folder_;
  std::mutex mutex_;
  std::vector<std::string> records_;
  std::unique_ptr<Notifier> notifier_;
};

}  // namespace

TEST_CASE("the thread delivers by itself what is wanted") {
  World world;
  world.notifier().tell(told("A"));
  world.notifier().tell(told("A", RequestState::denied));
  world.await([&] { return world.notifier().counts().webhooks.at(0).delivered == 1; });
  CHECK(world.calls == 1);
}

TEST_CASE("nobody waits for a receiver; what finds no room meanwhile is counted and recorded") {
  World world(2);
  world.is_held = true;
  world.notifier().tell(told("A"));
  world.await([&] { return world.calls == 1; });
  for (const char* request : {"B", "C", "D"}) world.notifier().tell(told(request));
  CHECK(world.notifier().counts().dropped == 1);
  CHECK(world.records() == std::vector<std::string>{"D"});
}

TEST_CASE("it ends while a receiver hangs, and what was told is there for the next one") {
  World world;
  world.is_held = true;
  world.notifier().tell(told("A"));
  world.await([&] { return world.calls == 1; });
  world.notifier().tell(told("B"));
  world.notifier().stop();
  world.release();
  world.open();
  world.await([&] { return world.notifier().counts().webhooks.at(0).delivered == 2; });
}

TEST_CASE("other webhooks are taken up at once") {
  World world;
  world.notifier().take_up({});
  world.notifier().tell(told("A"));
  world.await([&] { return world.notifier().counts().webhooks.empty(); });
  CHECK(world.calls == 0);
}
