// A rehearsal says what traffic would be told.
#include "dataplane/session/rehearsal.h"

#include <catch2/catch.hpp>

#include "must.h"
#include "snapshot_of.h"

namespace sluice::dataplane {
namespace {

using Kind = config::Ruling::Kind;

const std::string configuration = R"(version: 1
listeners:
  - {name: payments, address: "127.0.0.1:8080", protocol: http, target: api}
  - {name: ledger, address: "127.0.0.1:5432", protocol: postgres, target: db,
     postgres: {passwords_from_loopback: true}}
targets:
  - {name: api, addresses: ["127.0.0.1:9001"]}
  - {name: db, addresses: ["127.0.0.1:5433"], credential: {user: app, password: file:secret}}
identity:
  api_keys: file:keys.yaml
audit:
  directory: audit
  signing_key: file:audit.key
policies:
  - {name: post, principals: {groups: [settlement]}, targets: [api], ruling: allow,
     operations: {http: {methods: [POST], paths: ["/v1/payments/**"]}}}
  - {name: no debug, targets: [api], ruling: deny, reason: Not here.,
     operations: {http: {headers: [{name: X-Debug, pattern: "."}]}}}
  - {name: no scripts, targets: [api], ruling: deny,
     operations: {http: {body: ["<script"]}}}
  - {name: reads, targets: [db], ruling: allow,
     operations: {sql: {classes: [select], relations: ["public.*"]}}}
  - {name: deletes wait, targets: [db], ruling: hold, approval: {by_groups: [dba]},
     operations: {sql: {classes: [delete]}}}
  - {name: deletes, targets: [db], ruling: allow, operations: {sql: {classes: [delete]}}}
masks:
  - {name: pan, find: "builtin:payment-card", show: redact, targets: [api]}
)";

struct Bench {
  std::unique_ptr<Rehearsal> rehearsal =
      test::must(Rehearsal::under(test::snapshot_of(configuration, "[]")));
  config::Principal ann = [] {
    config::Principal who;
    who.subject = "ann";
    who.issuer = "corp";
    who.groups = {"settlement"};
    who.proof = config::Proof::oidc;
    return who;
  }();

  RehearsedRuling ask(const RehearsedRequest& request) {
    return rehearsal->judge(*rehearsal->listener("payments"), &ann, request);
  }
  RehearsedRuling ask(std::string_view sql) {
    static constexpr std::array<std::string_view, 1> path{"public"};
    return rehearsal->judge(*rehearsal->listener("ledger"), ann, sql, path);
  }
};

}  // namespace

TEST_CASE("A request is judged by its method, normalised path, headers and body") {
  Bench bench;
  RehearsedRequest request{.method = "POST", .target = "/v1/./payments/17", .body = "{}"};
  request.fields = {{"Content-Type", "application/json"}};
  const auto allowed = bench.ask(request);
  CHECK(allowed.kind == Kind::allow);
  CHECK(allowed.rule == "post");
  CHECK(allowed.operation == "POST /v1/payments/17");
  CHECK(allowed.masks == std::vector<std::string>{"pan"});

  request.body = "<script>";
  CHECK(bench.ask(request).rule == "no scripts");
  request.body = std::nullopt;
  CHECK(bench.ask(request).kind == Kind::needs_body);
  request.fields.emplace_back("X-Debug", "1");
  const auto denied = bench.ask(request);
  CHECK(denied.kind == Kind::deny);
  CHECK(denied.rule == "no debug");
  CHECK(denied.reason == "Not here.");
  CHECK(bench.ask(RehearsedRequest{.target = "/v1/payments/17"}).rule == config::default_deny);
}

TEST_CASE("What never reaches policy is refused here, too") {
  Bench bench;
  CHECK(bench.ask(RehearsedRequest{.target = "/a/%2e%2e/../.."}).rule == "protocol");
  CHECK(bench.ask(RehearsedRequest{.method = "G T"}).rule == "protocol");
  CHECK(bench.ask(RehearsedRequest{.target = "/a b"}).rule == "protocol");
  const auto nobody = bench.rehearsal->judge(0, nullptr, RehearsedRequest{});
  CHECK(nobody.kind == Kind::deny);
  CHECK_FALSE(bench.rehearsal->listener("nothing"));
}

TEST_CASE("A statement is judged by what it does") {
  Bench bench;
  const auto read = bench.ask("SELECT * FROM accounts WHERE id = 17");
  CHECK(read.kind == Kind::allow);
  CHECK(read.rule == "reads");
  CHECK(read.operation == "select");
  CHECK(bench.ask("DELETE FROM accounts").kind == Kind::hold);
  CHECK(bench.ask("SELECT * FROM secret.accounts").rule == config::default_deny);
  CHECK(bench.ask("SELEC").kind == Kind::deny);
  CHECK_FALSE(bench.rehearsal->looks_beyond_records(*bench.rehearsal->listener("ledger")));
  CHECK(bench.rehearsal->looks_beyond_records(*bench.rehearsal->listener("payments")));
}

}  // namespace sluice::dataplane
