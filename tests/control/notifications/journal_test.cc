#include "control/notifications/journal.h"

#include <sqlite3.h>

#include <catch2/catch.hpp>

#include "control/approvals/store.h"
#include "temporary_folder.h"

using namespace sluice;
using namespace sluice::control;

namespace {

Delivery delivery(std::string webhook, std::string request, std::int64_t next = 0) {
  return {.webhook = std::move(webhook),
          .request = std::move(request),
          .event = "waiting",
          .body = "{}",
          .made = {1},
          .next = {next}};
}

std::vector<std::string> heads(DeliveryJournal& journal) {
  const auto found = journal.heads();
  REQUIRE(found);
  std::vector<std::string> out;
  for (const Delivery& one : *found) out.push_back(one.webhook + " " + one.request);
  return out;
}

}  // namespace

TEST_CASE("deliveries of a webhook go in order, and survive who kept them") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() / "requests";
  {
    const auto journal = open_sqlite_journal(path);
    REQUIRE(journal);
    const std::vector<Delivery> all{delivery("chat", "A"), delivery("chat", "B"),
                                    delivery("pager", "B")};
    REQUIRE((*journal)->add(all));
    CHECK(heads(**journal) == std::vector<std::string>{"chat A", "pager B"});
  }
  const auto journal = open_sqlite_journal(path);
  REQUIRE(journal);
  Delivery first = (*journal)->heads()->front();
  first.attempts = 1;
  first.next = {5};
  first.last_error = "it's \"down\"";
  REQUIRE((*journal)->update(first, DeliveryState::pending));
  const Delivery again = (*journal)->heads()->front();
  CHECK(again.id == first.id);
  CHECK(again.attempts == 1);
  CHECK(again.next.ns == 5);
  CHECK(again.last_error == first.last_error);
  REQUIRE((*journal)->update(first, DeliveryState::delivered));
  CHECK(heads(**journal) == std::vector<std::string>{"chat B", "pager B"});
  CHECK((*journal)->pending() == PendingCounts{{"chat", 1}, {"pager", 1}});
}

TEST_CASE("what is done with is forgotten but the newest, what is pending never") {
  const test::TemporaryFolder folder;
  const auto journal = open_sqlite_journal(folder.path() / "requests");
  REQUIRE(journal);
  for (int i = 0; i < 5; ++i) {
    const Delivery one = delivery("chat", std::to_string(i));
    REQUIRE((*journal)->add({&one, 1}));
    REQUIRE((*journal)->update((*journal)->heads()->front(), DeliveryState::given_up));
  }
  const Delivery last = delivery("chat", "last");
  REQUIRE((*journal)->add({&last, 1}));
  REQUIRE((*journal)->prune(2));
  CHECK(heads(**journal) == std::vector<std::string>{"chat last"});
  // An id is of one delivery, whatever was forgotten.
  CHECK((*journal)->heads()->front().id == 6);
}

TEST_CASE("a file of the version before has both after it was opened, and keeps its requests") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() / "requests";
  {
    const auto store = open_sqlite_store(path);
    REQUIRE(store);
    const StoredRequest row{"A", "waiting", {1}, "{}"};
    REQUIRE((*store)->put({&row, 1}));
    sqlite3* raw = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &raw) == SQLITE_OK);
    REQUIRE(sqlite3_exec(raw, "DROP TABLE deliveries; PRAGMA user_version = 1", nullptr, nullptr,
                         nullptr) == SQLITE_OK);
    sqlite3_close(raw);
  }
  const auto journal = open_sqlite_journal(path);
  REQUIRE(journal);
  CHECK((*journal)->heads()->empty());
  const auto store = open_sqlite_store(path);
  REQUIRE(store);
  CHECK((*store)->find("A")->has_value());
}
