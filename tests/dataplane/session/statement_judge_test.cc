// What is remembered of a text never stands for more than it was: another principal,
// snapshot, search path or constant is judged anew.
#include "dataplane/session/statement_judge.h"

#include <fmt/format.h>

#include <array>
#include <catch2/catch.hpp>
#include <span>

#include "identity/api_keys.h"
#include "snapshot_of.h"

namespace sluice::dataplane {
namespace {

constexpr WallTime expiry{100'000'000'000};

std::string configuration(const std::string& rest) {
  return R"(version: 1
listeners:
  - {name: ledger, address: "127.0.0.1:5432", protocol: postgres, target: ledger,
     postgres: {passwords_from_loopback: true}}
targets:
  - {name: ledger, addresses: ["127.0.0.1:5433"], credential: {user: app, password: file:secret}}
identity:
  api_keys: file:keys.yaml
audit:
  directory: audit
  signing_key: file:audit.key
)" + rest;
}

const std::string reads = R"(policies:
  - {name: reads, principals: {subjects: [ann]}, ruling: allow,
     operations: {sql: {classes: [select], relations: ["public.*"]}}}
  - {name: sets, ruling: allow, operations: {sql: {classes: [set]}}}
)";

/// A worker's view of a snapshot: key 0 is ann's, key 1 bob's.
class Judging {
 public:
  explicit Judging(const std::string& rest = reads) { adopt(rest); }

  void adopt(const std::string& rest) {
    if (view_) judge_.forget(*view_);
    std::string keys;
    for (const auto& [subject, seed] : {std::pair{"ann", 1}, {"bob", 2}}) {
      const std::vector<std::uint8_t> random(32, static_cast<std::uint8_t>(seed));
      keys += identity::make_key(subject, {}, expiry, random).yaml_entry;
    }
    const auto snapshot = test::snapshot_of(configuration(rest), keys);
    REQUIRE(scratch_.prepare(*snapshot->masks).has_value());
    const auto& patterns = snapshot->listeners.front().statements;
    if (patterns) REQUIRE(scratch_.prepare(*patterns).has_value());
    view_ = std::make_unique<SnapshotView>(snapshot, std::vector<TargetUse>(1));
  }
  JudgedStatement judge(std::string_view text, std::size_t key = 0,
                        std::vector<std::string_view> path = {"public"},
                        std::span<const std::uint32_t> parameter_hits = {}) {
    return judge_.judge(text, {view_.get(), 0, view_->principal(0, key), path, parameter_hits},
                        scratch_);
  }
  std::string_view rule(std::string_view text, std::size_t key = 0,
                        std::vector<std::string_view> path = {"public"}) {
    return judge(text, key, std::move(path)).ruling.rule;
  }

 private:
  StatementJudge judge_{FingerprintKey(3, 4)};
  std::unique_ptr<SnapshotView> view_;
  matcher::Scratch scratch_;
};

constexpr std::string_view select = "select name from customers where id = 1";

}  // namespace

TEST_CASE("A text that comes again has the same verdict, and so has one of its shape") {
  Judging judging;
  const auto info = judging.judge(select).info;
  CHECK(judging.rule(select) == "reads");
  CHECK(judging.judge(select).info == info);
  CHECK(judging.judge("SELECT name FROM customers /* x */ WHERE id = 2").info == info);
  CHECK(judging.judge("select name from customers where name = 1").info != info);
}

TEST_CASE("A verdict is of one principal, one search path and one snapshot") {
  Judging judging;
  for (int i = 0; i < 2; ++i) {
    CHECK(judging.rule(select) == "reads");
    CHECK(judging.rule(select, 1) == config::default_deny);
    CHECK(judging.rule(select, 0, {"secret"}) == config::default_deny);
    CHECK(judging.rule(select, 0, {}) == config::default_deny);
  }
  judging.adopt(R"(policies:
  - {name: nobody reads, ruling: deny, operations: {sql: {classes: [select]}}}
)");
  CHECK(judging.rule(select) == "nobody reads");
}

TEST_CASE("Where constants matter texts are told apart by them, malformed ones too") {
  Judging judging;
  for (int i = 0; i < 2; ++i) {
    CHECK(!judging.judge("set client_encoding = 'UTF8'").info->sets_unreadable);
    CHECK(judging.judge("set client_encoding = 'LATIN1'").info->sets_unreadable);
    CHECK(!judging.judge("select 'a").info->is_parsed);
    CHECK(judging.judge("select 'a'").info->is_parsed);
  }
}

TEST_CASE("Far more texts than are remembered are judged right") {
  Judging judging;
  for (int i = 0; i < 20'000; ++i) {
    const std::string column = fmt::format("c{}", i % 9'000);
    REQUIRE(judging.rule(fmt::format("select {} from customers", column)) == "reads");
    REQUIRE(judging.rule(fmt::format("delete from {}", column)) == config::default_deny);
  }
}

TEST_CASE("The text for a record is masked by the masks of its snapshot") {
  Judging judging;
  const std::string text = "select \"4111111111111111\", \"ann@example.com\" from customers";
  for (int i = 0; i < 2; ++i) {
    const std::string_view recorded = judging.judge(text).record_text;
    CHECK(recorded.find("4111111111111111") == recorded.npos);
    CHECK(recorded.find("ann@example.com") != recorded.npos);
  }
  judging.adopt("masks:\n  - {name: mail, find: \"builtin:email\", show: redact}\n" + reads);
  const std::string_view recorded = judging.judge(text).record_text;
  CHECK(recorded.find("ann@example.com") == recorded.npos);
}

TEST_CASE("A text that is not understood may have changed all that later ones are judged by") {
  Judging judging;
  for (const char* text : {"SELEC 1", "SET search_path = (", "'", "SELECT 1 SELECT 2"}) {
    CAPTURE(text);
    const auto info = judging.judge(text).info;
    CHECK_FALSE(info->is_parsed);
    CHECK(info->may_change_search_path);
    CHECK(info->may_change_schema);
    CHECK(info->is_opaque);
    CHECK(info->prepares);
    CHECK(info->names_ours);
    CHECK(info->trace == sql::SessionTrace::indelible);
  }
}

TEST_CASE("A plain SELECT changes nothing") {
  Judging judging;
  const auto info = judging.judge("SELECT a FROM t WHERE b = 1").info;
  CHECK(info->is_parsed);
  CHECK_FALSE(info->may_change_search_path);
  CHECK_FALSE(info->may_change_schema);
  CHECK_FALSE(info->is_opaque);
  CHECK_FALSE(info->prepares);
  CHECK_FALSE(info->names_ours);
  CHECK(info->trace == sql::SessionTrace::none);
}

TEST_CASE("A pattern is found again in a text that comes again, and what parameters hold counts") {
  Judging judging(R"(policies:
  - {name: reads, ruling: allow, operations: {sql: {classes: [select]}}}
  - {name: no secrets, ruling: deny, operations: {sql: {patterns: ["secret"]}}}
)");
  const std::array<std::uint32_t, 1> in_parameters{0};
  const std::string_view plain = "select name from customers where id = 'plain'";
  for (int i = 0; i < 3; ++i) {
    CHECK(judging.rule("select name from customers where id = 'secret'") == "no secrets");
    CHECK(judging.rule(plain) == "reads");
    CHECK(judging.judge(plain, 0, {"public"}, in_parameters).ruling.rule == "no secrets");
  }
  judging.adopt(R"(policies:
  - {name: reads, ruling: allow, operations: {sql: {classes: [select]}}}
  - {name: no plain ones, ruling: deny, operations: {sql: {patterns: ["plain"]}}}
)");
  CHECK(judging.rule(plain) == "no plain ones");
}

}  // namespace sluice::dataplane
