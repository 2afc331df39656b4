// Rules that are sent to a gateway: judged by the checks of all rules, and nothing is read for
// them.
#include <catch2/catch.hpp>
#include <set>

#include "config/load/schema.h"
#include "test_world.h"

using namespace sluice;
using namespace sluice::config;

namespace {

constexpr const char* in_force = R"(
version: 1
listeners: [{name: in, address: "127.0.0.1:8443", protocol: http, target: api}]
targets: [{name: api, addresses: ["10.0.0.5:8080"], credential: {header: X-Key, value: "env:SECRET"}}]
policies: [{name: old, ruling: allow}]
masks: [{name: pan, find: builtin:payment-card}]
identity: {anonymous: true}
audit: {directory: /log, signing_key: "file:/key"}
)";

Settings others() {
  TestWorld world;
  world.variables = {{"SECRET", "hunter2"}};
  world.files = {{"/key", "key"}};
  auto loaded = load_text(in_force, "/etc/sluice.yaml", world.world());
  INFO(texts(loaded.problems));
  REQUIRE(loaded.problems.empty());
  return loaded.settings;
}

Loaded rules(std::string_view yaml, const std::map<std::string, std::string>& variables = {}) {
  return load_rules(yaml, variables, others());
}

/// Each table that one leads to.
void visit(const Table& table, std::set<const Table*>& seen) {
  if (!seen.insert(&table).second) return;
  for (const Field& field : table.fields) {
    if (field.table != nullptr) visit(*field.table, seen);
  }
}

}  // namespace

TEST_CASE("No key of rules can name what is elsewhere") {
  std::set<const Table*> tables;
  visit(rules_table(), tables);
  CHECK(tables.size() > 10);
  for (const Table* table : tables) {
    for (const Field& field : table->fields) {
      CAPTURE(table->path, field.key);
      using Kind = Field::Kind;
      for (const Kind kind : {Kind::secret, Kind::file, Kind::file_text, Kind::signing_key,
                              Kind::target_addresses, Kind::listen_address}) {
        CHECK(field.kind != kind);
      }
      CHECK(field.word != Word::file_path);
    }
  }
}

TEST_CASE("Rules stand in place of those in force, and all else stays") {
  const auto loaded = rules("policies: [{name: new, ruling: deny, targets: [api]}]");
  REQUIRE(loaded.problems.empty());
  REQUIRE(loaded.settings.policies.size() == 1);
  CHECK(loaded.settings.policies[0].name == "new");
  CHECK(loaded.settings.masks.empty());
  CHECK(loaded.settings.listeners.size() == 1);
  CHECK(loaded.settings.targets[0].credential->value->value == "hunter2");
  CHECK(loaded.settings.text.find("X-Key") == std::string::npos);
}

TEST_CASE("Rules are checked as in a file, against what is in force") {
  CHECK(texts(rules("policies: [{name: new, ruling: deny, targets: [apj]}]").problems) ==
        "rules:1:48: unknown target 'apj'; did you mean 'api'?");
  CHECK(texts(rules("policies: [{name: new, ruling: hold}]").problems).find("needs 'approval'") !=
        std::string::npos);
  CHECK(texts(rules("policies: [{name: q, ruling: allow, operations: {sql: {classes: [select]}}}]")
                  .problems)
            .find("no listener speaks SQL") != std::string::npos);
  CHECK_FALSE(rules("policies: [").problems.empty());
  CHECK_FALSE(rules("[]").problems.empty());
  CHECK_FALSE(rules("").problems.empty());
}

TEST_CASE("Rules take nothing of the world, whatever they say") {
  for (const char* const yaml :
       {"targets: [{name: x, addresses: [\"a:1\"], credential: {header: A, value: "
        "\"file:/etc/shadow\"}}]",
        "audit: {directory: /elsewhere, signing_key: \"file:/key\"}", "mask_key: env:SECRET",
        "version: 1", "recordings: {directory: /tmp, recipients: []}", "include: /etc/passwd"}) {
    CAPTURE(yaml);
    const auto loaded = rules(yaml);
    REQUIRE_FALSE(loaded.problems.empty());
    CHECK(texts(loaded.problems).find("unknown key") != std::string::npos);
    CHECK(loaded.settings.audit.directory == "/log");
  }
  const char* const with_variable = "policies: [{name: \"${env:HOME}\", ruling: deny}]";
  CHECK(texts(rules(with_variable).problems).find("no variable 'HOME'") != std::string::npos);
  const auto of_version = rules(with_variable, {{"HOME", "sweet"}});
  REQUIRE(of_version.problems.empty());
  CHECK(of_version.settings.policies[0].name == "sweet");
  // A reference where a text is due is a text.
  const auto named = rules("policies: [{name: \"file:/etc/shadow\", ruling: deny}]");
  REQUIRE(named.problems.empty());
  CHECK(named.settings.policies[0].name == "file:/etc/shadow");
}

TEST_CASE("Of files rules are taken as they were written, and nothing else is looked at") {
  TestWorld world;
  world.files = {{"/etc/sluice/sluice.yaml",
                  "version: 1\n"
                  "mask_key: file:/nowhere\n"
                  "policies:\n"
                  "  # A comment.\n"
                  "  - {name: one, ruling: deny, reason: \"${env:WHY} $${x}\"}\n"},
                 {"/etc/sluice/conf.d/more.yaml",
                  "policies: [{name: two, ruling: allow}]\n"
                  "masks: [{name: pan, find: builtin:payment-card}]\n"}};
  const auto read = read_rules("/etc/sluice/sluice.yaml", world.world());
  CHECK(read.problems.empty());
  CHECK(read.text.find("nowhere") == std::string::npos);
  const auto loaded = rules(read.text, {{"WHY", "because"}});
  INFO(texts(loaded.problems));
  REQUIRE(loaded.problems.empty());
  REQUIRE(loaded.settings.policies.size() == 2);
  CHECK(loaded.settings.policies[0].reason == "because ${x}");
  CHECK(loaded.settings.masks.size() == 1);

  CHECK_FALSE(read_rules("/nowhere.yaml", world.world()).problems.empty());
  world.files["/etc/sluice/conf.d/more.yaml"] = "policies: {";
  CHECK_FALSE(read_rules("/etc/sluice/sluice.yaml", world.world()).problems.empty());
}
