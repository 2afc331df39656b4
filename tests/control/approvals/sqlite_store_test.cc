#include <sqlite3.h>
#include <sys/stat.h>

#include <array>
#include <catch2/catch.hpp>
#include <fstream>

#include "control/approvals/store.h"
#include "temporary_folder.h"

using namespace sluice;
using namespace sluice::control;

namespace {

StoredRequest row(std::string id, std::string state, std::int64_t since) {
  return {std::move(id), std::move(state), WallTime{since}, "{}"};
}

std::vector<std::string> ids(const Result<std::vector<StoredRequest>>& rows) {
  REQUIRE(rows);
  std::vector<std::string> out;
  for (const auto& one : *rows) out.push_back(one.id);
  return out;
}

}  // namespace

TEST_CASE("What was put is found by another who opens the store") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() / "requests";
  {
    const auto store = open_sqlite_store(path);
    REQUIRE(store);
    const std::vector<StoredRequest> rows{row("A", "waiting", 1), row("B", "waiting", 2),
                                          row("C", "denied", 3)};
    REQUIRE((*store)->put(rows));
    const StoredRequest again{"B", "approved", WallTime{2}, R"({"x":"'\""})"};
    REQUIRE((*store)->put({&again, 1}));
  }
  const auto store = open_sqlite_store(path);
  REQUIRE(store);
  CHECK(ids((*store)->list("", 10)) == std::vector<std::string>{"C", "B", "A"});
  CHECK(ids((*store)->list({}, 10)).size() == 3);
  CHECK(ids((*store)->list("", 2)) == std::vector<std::string>{"C", "B"});
  CHECK(ids((*store)->list("waiting", 10)) == std::vector<std::string>{"A"});
  const auto found = (*store)->find("B");
  REQUIRE(found);
  REQUIRE(*found);
  CHECK((*found)->document == R"({"x":"'\""})");
  const auto none = (*store)->find("D");
  REQUIRE(none);
  CHECK_FALSE(*none);
}

TEST_CASE("The oldest that are over are forgotten, none that waits") {
  const test::TemporaryFolder folder;
  const auto store = open_sqlite_store(folder.path() / "requests");
  REQUIRE(store);
  const std::vector<StoredRequest> rows{row("A", "waiting", 1), row("B", "denied", 2),
                                        row("C", "expired", 3), row("D", "approved", 4)};
  REQUIRE((*store)->put(rows));
  const std::array open{std::string_view("waiting"), std::string_view("unreviewed")};
  REQUIRE((*store)->prune(open, 2));
  CHECK(ids((*store)->list("", 10)) == std::vector<std::string>{"D", "C", "A"});
}

TEST_CASE("Only its owner reads the store") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() / "requests";
  REQUIRE(open_sqlite_store(path));
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("What is no store, of a newer version or out of reach is said") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() / "requests";
  CHECK_FALSE(open_sqlite_store(folder.path() / "nowhere" / "requests"));
  std::ofstream(path) << std::string(4096, 'x');
  CHECK_FALSE(open_sqlite_store(path));

  const std::string newer = folder.path() / "newer";
  REQUIRE(open_sqlite_store(newer));
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(newer.c_str(), &database) == SQLITE_OK);
  REQUIRE(sqlite3_exec(database, "PRAGMA user_version = 99", nullptr, nullptr, nullptr) ==
          SQLITE_OK);
  sqlite3_close(database);
  const auto refused = open_sqlite_store(newer);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == newer + ": made by a newer version of the gateway");
}
