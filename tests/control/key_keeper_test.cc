#include "control/key_keeper.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <mutex>
#include <thread>

#include "control/https_get.h"
#include "temporary_folder.h"
#include "token_maker.h"

using namespace sluice;
using namespace sluice::control;
using identity::TokenKeys;
using test::ProviderKey;

namespace {

config::OidcIssuer issuer_of(const std::string& name) {
  config::OidcIssuer issuer;
  issuer.name = name;
  issuer.issuer = "https://" + name;
  return issuer;
}

std::string set_of(std::string_view id) {
  static const ProviderKey key(ProviderKey::Kind::ed25519);
  return test::key_set({key.jwk(id)});
}

/// Answers fetches with what is set, and keeps what is posted.
class FakeWorld {
 public:
  void answer_with(Result<std::string> answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  KeyKeeper::World world() {
    return {.fetch = [this](const config::OidcIssuer&,
                            const std::atomic<bool>& stop) -> Result<std::string> {
              while (hangs && !stop) std::this_thread::sleep_for(std::chrono::milliseconds(1));
              const std::lock_guard lock(mutex_);
              ++fetches_;
              return answer_;
            },
            .post =
                [this](std::shared_ptr<const TokenKeys> keys) {
                  const std::lock_guard lock(mutex_);
                  posted_.push_back(std::move(keys));
                  changed_.notify_all();
                },
            .note =
                [this](std::string_view event, std::string_view detail) {
                  const std::lock_guard lock(mutex_);
                  notes_ += std::string(event) + " " + std::string(detail) + "\n";
                }};
  }
  /// The next table that is posted.
  std::shared_ptr<const TokenKeys> next() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(20), [this] { return !posted_.empty(); }));
    auto keys = posted_.front();
    posted_.pop_front();
    return keys;
  }
  int fetches() {
    const std::lock_guard lock(mutex_);
    return fetches_;
  }
  std::string notes() {
    const std::lock_guard lock(mutex_);
    return notes_;
  }
  std::atomic<bool> hangs{false};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Result<std::string> answer_ = fail("nothing is set");
  std::deque<std::shared_ptr<const TokenKeys>> posted_;
  int fetches_ = 0;
  std::string notes_;
};

}  // namespace

TEST_CASE("keys are fetched at start and posted with their age") {
  FakeWorld fake;
  fake.answer_with(set_of("one"));
  KeyKeeper keeper;
  keeper.start(fake.world(), {issuer_of("corp")});
  CHECK(fake.next()->issuers.empty());  // What waits for its first attempt is not there.
  const auto keys = fake.next();
  const auto* const own = keys->find("https://corp");
  REQUIRE(own);
  CHECK(own->keys->keys.front().id == "one");
  CHECK(own->good_until.ns > own->ask_from.ns);
  CHECK(keys->generation != 0);
  const auto view = keeper.view();
  REQUIRE(view.size() == 1);
  CHECK(view[0].keys == 1);
  CHECK(view[0].fetches == 1);
  CHECK(view[0].failures == 0);
  CHECK(fake.notes() == "issuer-keys corp: one\n");
}

TEST_CASE("who asks soon after an attempt is not heard") {
  FakeWorld fake;
  fake.answer_with(set_of("one"));
  KeyKeeper keeper;
  keeper.start(fake.world(), {issuer_of("corp")});
  static_cast<void>(fake.next());
  static_cast<void>(fake.next());
  keeper.ask("https://corp");
  keeper.ask("https://nobody");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(fake.fetches() == 1);
}

TEST_CASE("a failure is posted too, told once, and tried again") {
  FakeWorld fake;
  fake.answer_with(fail("connection refused"));
  KeyKeeper keeper;
  keeper.start(fake.world(), {issuer_of("corp")});
  static_cast<void>(fake.next());
  CHECK_FALSE(fake.next()->find("https://corp")->keys);  // first attempt
  CHECK_FALSE(fake.next()->find("https://corp")->keys);  // a second later
  fake.answer_with(set_of("one"));
  CHECK(fake.next()->find("https://corp")->keys);
  CHECK(keeper.view()[0].failures == 2);
  CHECK(keeper.view()[0].last_error.empty());
  CHECK(fake.notes() == "issuer-keys-failed corp: connection refused\nissuer-keys corp: one\n");
}

TEST_CASE("the keys of an issuer that stays outlive a reload, and those of others go") {
  FakeWorld fake;
  fake.answer_with(set_of("one"));
  KeyKeeper keeper;
  keeper.start(fake.world(), {issuer_of("corp"), issuer_of("other")});
  auto keys = fake.next();
  while (keys->issuers.size() < 2) keys = fake.next();
  const auto before = keys->find("https://corp")->keys;

  auto changed = issuer_of("corp");
  changed.audience = "elsewhere";
  keeper.adopt({changed});
  keys = fake.next();
  REQUIRE(keys->issuers.size() == 1);
  CHECK(keys->find("https://corp")->keys == before);
  CHECK(fake.fetches() == 2);

  changed.jwks_file = "/other";
  keeper.adopt({changed});
  CHECK(fake.next()->issuers.empty());
  CHECK(fake.next()->find("https://corp")->keys);
  CHECK(fake.fetches() == 3);
}

TEST_CASE("a fetch that hangs ends with its issuer") {
  FakeWorld fake;
  fake.hangs = true;
  KeyKeeper keeper;
  keeper.start(fake.world(), {issuer_of("corp")});
  keeper.adopt({});
  CHECK(keeper.view().empty());
}

TEST_CASE("keys are read from a file") {
  const test::TemporaryFolder folder;
  auto issuer = issuer_of("corp");
  issuer.jwks_file = folder.path() / "keys.json";
  const std::atomic<bool> stop{false};
  CHECK_FALSE(fetch_keys(issuer, stop));
  std::ofstream(issuer.jwks_file) << set_of("one");
  CHECK(*fetch_keys(issuer, stop) == set_of("one"));
  std::ofstream(issuer.jwks_file) << std::string(identity::jwk_set_bytes_max + 2, ' ');
  CHECK(fetch_keys(issuer, stop)->size() > identity::jwk_set_bytes_max);
}

TEST_CASE("what does not answer, or is not there, is told") {
  const auto got = https_get({.url = "http://127.0.0.1:1/", .body_bytes_max = 10});
  REQUIRE_FALSE(got);
  CHECK(got.error().message.starts_with("http://127.0.0.1:1/: "));
}
