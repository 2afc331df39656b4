#include "configuration.h"

#include <fmt/format.h>

#include <array>
#include <map>

#include "must.h"
#include "snapshot_of.h"
#include "test_tls.h"

namespace sluice::dataplane::postgres_sim {

using test::must;

namespace {

constexpr std::string_view slow_secret = "a secret that a person chose";

constexpr const char* common = R"(identity:
  api_keys: file:keys.yaml
audit:
  directory: audit
  signing_key: file:audit.key
policies:
  - {name: open, ruling: allow}
  - {name: few rows, ruling: allow, operations: {sql: {patterns: ["from limited"]}}, limits: {max_rows: 3}}
  - {name: few bytes, ruling: allow, operations: {sql: {patterns: ["from weighed"]}}, limits: {max_bytes: 50}}
  - {name: now and then, ruling: allow, operations: {sql: {patterns: ["from rated"]}}, limits: {rate: 5/s}}
  - {name: with trust, ruling: hold, operations: {sql: {relations: [held]}}, approval: {by_groups: [people], expires: 10s}}
  - {name: no secrets, ruling: deny, operations: {sql: {relations: [secrets]}}}
  - {name: no mass deletes, ruling: deny, operations: {sql: {without_where: true}}}
)";
constexpr const char* first = R"(masks:
  - {name: ssn, find: {columns: [customers.ssn]}, show: {partial: {first: 0, last: 4}}, except_groups: [fraud]}
  - {name: pan, find: "builtin:payment-card", show: {partial: {first: 6, last: 4}}, except_groups: [fraud]}
)";
constexpr const char* second =
    R"(  - {name: no reports, ruling: deny, operations: {sql: {relations: [reports]}}}
masks:
  - {name: pan, find: "builtin:payment-card", show: {partial: {first: 6, last: 4}}, except_groups: [fraud]}
  - {name: note, find: {columns: [customers.note]}, show: redact, except_groups: [fraud]}
  - {name: ssn, find: {columns: [customers.ssn]}, show: redact, except_groups: [fraud]}
)";

std::string listener_and_target(const Setup& setup, bool is_first) {
  return fmt::format(
      R"(version: 1
listeners:
  - {{name: ledger, address: "127.0.0.1:5432", protocol: postgres, target: db, postgres: {{passwords_from_loopback: true, mode: {}}}{}}}
targets:
  - {{name: db, addresses: ["127.0.0.1:9001", "127.0.0.1:{}"], credential: {{user: app, password: file:secret}},
     connections: {}, queue: {{wait: {}ms, sessions: {}}}{}}}
)",
      setup.is_pooled ? "transaction" : "session",
      setup.tls_clients ? ", tls: {certificate: file:gw.crt, key: file:gw.key}" : "",
      setup.moves && !is_first ? 9003 : 9002, setup.connections, setup.wait_max.ns / 1'000'000,
      setup.waiting_max, setup.tls_target ? ", tls: {ca: file:ca.crt, name: db.test}" : "");
}

const test::Files& tls_files() {
  static const test::Files made = [] {
    const test::Pem gateway = test::test_certificate(std::string("DNS:") + gateway_name);
    return test::Files{{"gw.crt", gateway.certificate},
                       {"gw.key", gateway.key},
                       {"ca.crt", test::test_authority().certificate}};
  }();
  return made;
}

struct Keys {
  std::string yaml;
  std::vector<Client::Identity> identities;
};

const Keys& keys() {
  static const Keys made = [] {
    Keys all;
    std::array<std::uint8_t, 32> random{};
    for (const auto& [user, group] : {std::pair{"ann", "staff"}, std::pair{"bob", "fraud"}}) {
      ++random[0];
      const auto key = identity::make_key(user, {group}, identity::never, random);
      all.yaml += key.yaml_entry;
      const bool sees_all = std::string_view(group) == "fraud";
      all.identities.push_back({user, key.secret, sees_all, true});
      // Most clients are of these two.
      all.identities.push_back(all.identities.back());
    }
    ++random[0];
    const auto proved = identity::make_key("dora", {"staff"}, identity::never, random,
                                           ByteView(random).first(identity::scram_salt_bytes));
    all.yaml += proved.yaml_entry;
    all.identities.push_back({"dora", proved.secret, false, true});
    all.identities.push_back({"dora", "no key of hers", false, false});
    all.yaml += must(identity::make_login_entry("carl", "carl", {"staff"}, identity::never,
                                                slow_secret, ByteView(random).first(16)));
    all.identities.push_back({"carl", std::string(slow_secret), false, true});
    all.identities.push_back({"ann", "no key of hers", false, false});
    return all;
  }();
  return made;
}

}  // namespace

std::shared_ptr<const Snapshot> snapshot(std::uint64_t generation, const Setup& setup) {
  static std::map<std::pair<std::uint64_t, std::string>, std::shared_ptr<const Snapshot>> made;
  const bool is_first = generation % 2 == 1;
  const std::string text =
      listener_and_target(setup, is_first) + common + (is_first ? first : second);
  auto& one = made[{generation, text}];
  if (!one) {
    one =
        test::snapshot_of(text, keys().yaml, std::string(target_password), generation, tls_files());
  }
  return one;
}

const TlsEnds& tls_ends() {
  using config::Protocol;
  static const TlsEnds made{
      test::tls_client(test::test_authority().certificate, Protocol::postgres),
      test::tls_server(test::test_certificate("DNS:db.test"), {}, Protocol::postgres)};
  return made;
}

const std::vector<Client::Identity>& identities() {
  return keys().identities;
}

identity::KeyVerdict verdict_on(const identity::ApiKeys& table, std::string_view credential) {
  identity::KeyVerdict verdict;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const config::Principal& principal = table.principal(i);
    if (principal.subject != "carl" || credential != fmt::format("carl:{}", slow_secret)) continue;
    verdict = {identity::KeyFault::none, &principal, i};
  }
  return verdict;
}

}  // namespace sluice::dataplane::postgres_sim
