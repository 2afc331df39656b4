// Which key is taken back, and what the log and the list have of it.
#include "control/key_revoker.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "control/revocations.h"
#include "must.h"
#include "temporary_folder.h"

using namespace sluice;
using namespace sluice::control;
using test::must;

namespace {

constexpr WallTime now{1'800'000'000'000'000'000};

struct Bench {
  Bench() {
    const std::vector<std::uint8_t> random(32, 7);
    made = identity::make_key("batch", {"settlement"}, identity::never, random);
    keys = must(identity::ApiKeys::parse(made.yaml_entry, "keys.yaml", {}));
    id = keys->principal(0).credential_id;
  }
  [[nodiscard]] identity::RevokedKeys listed() const {
    return *must(Revocations::read(revoked_keys, list)).ids();
  }
  api::Outcome<void> revoke(const std::string& which) {
    return revoker.revoke(which, "user 7", *keys, list);
  }

  test::TemporaryFolder folder;
  std::string list = folder.path() / "revoked_keys";
  identity::NewKey made;
  std::shared_ptr<const identity::ApiKeys> keys;
  std::string id;
  bool log_takes = true;
  std::vector<std::string> log;
  KeyRevoker revoker{{.now = [] { return now; },
                      .record = [this](const audit::Record& record) -> Result<void> {
                        if (!log_takes) return fail("the audit log cannot take a record");
                        CHECK(record.phase == audit::Phase::control);
                        CHECK(record.event == "key-revoked");
                        CHECK(record.subject == "batch");
                        CHECK(record.issuer == "api_keys");
                        CHECK(record.detail == "asked by user 7");
                        // Before it is done.
                        CHECK(listed().contains(id) == !log.empty());
                        log.emplace_back(record.credential_id);
                        return {};
                      }}};
};

}  // namespace

TEST_CASE("A key is taken back by its id, behind a record, as often as somebody asks") {
  Bench bench;
  REQUIRE(bench.revoke(bench.id));
  CHECK(bench.listed() == identity::RevokedKeys{bench.id});
  bench.keys = bench.keys->without(bench.listed());
  REQUIRE(bench.revoke(bench.id));
  CHECK(bench.listed() == identity::RevokedKeys{bench.id});
  CHECK(bench.log == std::vector<std::string>{bench.id, bench.id});
}

TEST_CASE("Who names no key of the file changes and records nothing") {
  Bench bench;
  for (const std::string& id :
       {std::string("batch"), bench.id + "0", std::string(), bench.made.secret}) {
    const auto refused = bench.revoke(id);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().status == 404);
  }
  CHECK(bench.log.empty());
  CHECK_FALSE(std::filesystem::exists(bench.list));
}

TEST_CASE("What cannot be recorded, read or written is not taken back") {
  Bench bench;
  SECTION("no record") {
    bench.log_takes = false;
    CHECK(bench.revoke(bench.id).error().status == 503);
    CHECK(bench.listed().empty());
  }
  SECTION("a list that is none, which stays as it is") {
    std::ofstream(bench.list) << "precious";
    CHECK(bench.revoke(bench.id).error().status == 503);
    CHECK(bench.log.empty());
    CHECK(std::filesystem::file_size(bench.list) == 8);
  }
  SECTION("no folder for it") {
    bench.list = bench.folder.path() / "absent" / "revoked_keys";
    CHECK(bench.revoke(bench.id).error().status == 503);
  }
}
