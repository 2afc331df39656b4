#include "config/model/policy.h"

#include <fmt/format.h>
#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::config;

namespace {

Settings settings_with(std::vector<PolicyRule> rules) {
  Settings settings;
  settings.targets.resize(2);
  settings.targets[0].name = "api";
  settings.targets[1].name = "other";
  settings.listeners.resize(1);
  settings.listeners[0].name = "in";
  settings.listeners[0].target = "api";
  settings.policies = std::move(rules);
  return settings;
}

PolicyRule rule(std::string name, RulingKind ruling) {
  PolicyRule result;
  result.name = std::move(name);
  result.ruling = ruling;
  if (ruling == RulingKind::hold) result.approval.emplace();
  result.http.emplace();
  return result;
}

Policy compiled(const Settings& settings) {
  auto policy = Policy::compile(settings, settings.listeners[0]);
  if (!policy) FAIL(policy.error().message);
  return std::move(*policy);
}

std::string error_of(const Settings& settings) {
  const auto policy = Policy::compile(settings, settings.listeners[0]);
  return policy ? "(none)" : policy.error().message;
}

Principal someone(std::string subject, std::vector<std::string> groups = {}) {
  Principal principal;
  principal.subject = std::move(subject);
  principal.groups = std::move(groups);
  principal.proof = Proof::api_key;
  return principal;
}

using Kind = Ruling::Kind;

Kind kind_for(const Policy& policy, const Principal& principal, std::string_view method = "GET") {
  return policy.judge(policy.view_of(principal), {.method = method}).kind;
}

}  // namespace

TEST_CASE("without a rule everything is denied") {
  const Policy policy = compiled(settings_with({}));
  const Ruling ruling = policy.judge(policy.view_of(someone("ann")), {.method = "GET"});
  CHECK(ruling.kind == Kind::deny);
  CHECK(ruling.rule == "default-deny");
}

TEST_CASE("the strictest rule wins whatever its place, and among equals the first") {
  std::vector<PolicyRule> rules{rule("a1", RulingKind::allow), rule("d1", RulingKind::deny),
                                rule("h1", RulingKind::hold), rule("d2", RulingKind::deny),
                                rule("a2", RulingKind::allow)};
  rules[1].http->methods = {"DELETE"};
  rules[1].reason = "never";
  rules[3].http->methods = {"DELETE", "PUT"};
  rules[2].http->methods = {"POST", "DELETE"};
  const Policy policy = compiled(settings_with(rules));
  const PrincipalView view = policy.view_of(someone("ann"));
  const auto judged = [&](std::string_view method) {
    return policy.judge(view, {.method = method});
  };
  CHECK(judged("GET").rule == "a1");
  CHECK(judged("GET").kind == Kind::allow);
  CHECK(judged("POST").rule == "h1");
  CHECK(judged("POST").kind == Kind::hold);
  CHECK(judged("DELETE").rule == "d1");
  CHECK(judged("DELETE").reason == "never");
  CHECK(judged("PUT").rule == "d2");
  CHECK(judged("BREW").rule == "a1");
}

TEST_CASE("a rule that holds gives nothing, and each that holds must be satisfied") {
  std::vector<PolicyRule> rules{rule("a", RulingKind::allow), rule("h1", RulingKind::hold),
                                rule("h2", RulingKind::hold), rule("h3", RulingKind::hold)};
  rules[0].http->methods = {"POST"};
  rules[1].http->methods = {"POST", "DELETE"};
  rules[2].principals.groups = {"clerks"};
  rules[3].http->body = {"refund"};
  const Policy policy = compiled(settings_with(rules));
  const auto judged = [&](const Principal& who, std::string_view method,
                          std::span<const std::uint32_t> hits) {
    return policy.judge(policy.view_of(who),
                        {.method = method, .body_hits = hits, .body_seen = true});
  };
  const std::vector<std::uint32_t> refund{0};
  CHECK(judged(someone("ann"), "POST", {}).holds == 0b001);
  CHECK(judged(someone("ann", {"clerks"}), "POST", {}).holds == 0b011);
  CHECK(judged(someone("ann", {"clerks"}), "POST", refund).holds == 0b111);
  CHECK(judged(someone("ann"), "POST", refund).rule == "h1");
  CHECK(judged(someone("ann"), "DELETE", {}).kind == Kind::deny);
  CHECK(judged(someone("ann"), "DELETE", {}).rule == "default-deny");
  CHECK(policy.judge(policy.view_of(someone("ann")), {.method = "POST"}).kind == Kind::needs_body);
}

TEST_CASE("of rules that are as strict, those decide that have operations recorded") {
  std::vector<PolicyRule> rules{rule("wide", RulingKind::allow), rule("watched", RulingKind::allow),
                                rule("never", RulingKind::deny)};
  rules[1].http->methods = {"POST", "DELETE"};
  rules[1].record = RecordMode::full;
  rules[2].http->methods = {"DELETE"};
  const Policy policy = compiled(settings_with(rules));
  const PrincipalView view = policy.view_of(someone("ann"));
  const Ruling watched = policy.judge(view, {.method = "POST"});
  CHECK(watched.rule == "watched");
  CHECK(watched.is_recorded);
  const Ruling plain = policy.judge(view, {.method = "GET"});
  CHECK(plain.rule == "wide");
  CHECK_FALSE(plain.is_recorded);
  CHECK(policy.judge(view, {.method = "DELETE"}).kind == Kind::deny);
}

TEST_CASE("methods are case-sensitive and a token of its own is a method") {
  auto purge = rule("purge", RulingKind::allow);
  purge.http->methods = {"PURGE"};
  const Policy policy = compiled(settings_with({purge}));
  CHECK(kind_for(policy, someone("ann"), "PURGE") == Kind::allow);
  CHECK(kind_for(policy, someone("ann"), "purge") == Kind::deny);
  CHECK(kind_for(policy, someone("ann"), "PURGES") == Kind::deny);
  CHECK(kind_for(policy, someone("ann"), "GET") == Kind::deny);
}

TEST_CASE("a rule's principals are any of those it names") {
  auto named = rule("named", RulingKind::allow);
  named.principals = {.subjects = {"ann"}, .groups = {"staff", "ops"}};
  const Policy policy = compiled(settings_with({named}));
  CHECK(kind_for(policy, someone("ann")) == Kind::allow);
  CHECK(kind_for(policy, someone("bob", {"ops"})) == Kind::allow);
  CHECK(kind_for(policy, someone("bob", {"x", "staff"})) == Kind::allow);
  CHECK(kind_for(policy, someone("bob", {"ann"})) == Kind::deny);
  CHECK(kind_for(policy, someone("staff")) == Kind::deny);
  CHECK(kind_for(policy, Principal{}) == Kind::deny);
}

TEST_CASE("an unproved subject or group names nobody") {
  auto named = rule("named", RulingKind::allow);
  named.principals = {.subjects = {"ann"}, .groups = {"staff"}};
  const Policy policy = compiled(settings_with({named}));
  Principal unproved = someone("ann", {"staff"});
  unproved.proof = Proof::none;
  CHECK(kind_for(policy, unproved) == Kind::deny);
  Principal nameless = someone("", {"staff"});
  CHECK(kind_for(policy, nameless) == Kind::deny);
}

TEST_CASE("without principals an allow rule needs a credential, a deny rule does not") {
  const Policy allowing = compiled(settings_with({rule("a", RulingKind::allow)}));
  CHECK(kind_for(allowing, someone("ann")) == Kind::allow);
  CHECK(kind_for(allowing, Principal{}) == Kind::deny);

  auto open = rule("open", RulingKind::allow);
  open.principals = {.subjects = {"*"}, .groups = {}, .anonymous = true};
  auto closed = rule("closed", RulingKind::deny);
  closed.http->methods = {"PUT"};
  const Policy refusing = compiled(settings_with({open, closed}));
  CHECK(kind_for(refusing, someone("ann")) == Kind::allow);
  CHECK(kind_for(refusing, Principal{}) == Kind::allow);
  CHECK(kind_for(refusing, someone("ann"), "PUT") == Kind::deny);
  CHECK(kind_for(refusing, Principal{}, "PUT") == Kind::deny);
}

TEST_CASE("a rule about anonymous callers is about them only") {
  auto anonymous = rule("anonymous", RulingKind::allow);
  anonymous.principals.anonymous = true;
  const Policy policy = compiled(settings_with({anonymous}));
  CHECK(kind_for(policy, Principal{}) == Kind::allow);
  CHECK(kind_for(policy, someone("ann")) == Kind::deny);
}

TEST_CASE("rules of other targets are not compiled in, but their mistakes are found") {
  auto elsewhere = rule("elsewhere", RulingKind::allow);
  elsewhere.targets = {"other"};
  elsewhere.http->paths = {"/a"};
  const Policy policy = compiled(settings_with({elsewhere}));
  CHECK(policy.paths().size() == 0);
  CHECK(kind_for(policy, someone("ann")) == Kind::deny);

  elsewhere.targets = {"nowhere"};
  elsewhere.place = {"a.yaml", 7, 3};
  CHECK(error_of(settings_with({elsewhere})) ==
        "a.yaml:7:3: rule 'elsewhere': unknown target 'nowhere'");
}

TEST_CASE("what cannot be enforced stops the compiler, each with its reason") {
  auto held = rule("held", RulingKind::hold);
  held.approval.reset();
  auto method = rule("method", RulingKind::deny);
  method.http->methods = {"get"};
  auto path = rule("path", RulingKind::deny);
  path.http->paths = {"a"};
  auto header = rule("header", RulingKind::deny);
  header.http->headers = {{"x", "a(?=b)"}};
  CHECK(error_of(settings_with({held, method, path, header})) ==
        "rule 'method': methods are case-sensitive: write 'GET' instead of 'get'\n"
        "rule 'path': path 'a': a path begins with '/'\n"
        "rule 'header': header 'x': at character 2: only the groups '(…)', '(?:…)', '(?i:…)' and a "
        "leading '(?i)' are understood\n"
        "rule 'held': a rule that holds needs 'approval'");

  auto many = rule("many", RulingKind::deny);
  for (int i = 0; i < 64; ++i) many.http->methods.push_back(fmt::format("M{}", i));
  CHECK(error_of(settings_with({many})) == "rule 'many': more than 63 different methods in all");

  auto wide = rule("wide", RulingKind::deny);
  for (int i = 0; i < 1001; ++i) {
    wide.http->paths.push_back(fmt::format("/{}", i));
    wide.http->body.push_back(fmt::format("b{}", i));
  }
  CHECK(error_of(settings_with({wide})) ==
        "rule 'wide': more than 1000000 combinations of path and body patterns in all");
}

TEST_CASE("equal patterns are scanned for once; a refusing rule's path is its own pattern") {
  auto a = rule("a", RulingKind::allow);
  a.http->paths = {"/x", "/y"};
  a.http->body = {"b"};
  auto b = rule("b", RulingKind::allow);
  b.http->paths = {"/y", "/x"};
  b.http->body = {"b"};
  auto c = rule("c", RulingKind::deny);
  c.http->paths = {"/x"};
  const Policy policy = compiled(settings_with({a, b, c}));
  CHECK(policy.paths().size() == 3);
  CHECK(policy.body_patterns().size() == 1);
}

TEST_CASE("the body is asked for only when it can change the ruling") {
  auto allow = rule("allow", RulingKind::allow);
  auto deny_body = rule("deny body", RulingKind::deny);
  deny_body.http->body = {"evil"};
  auto deny_put = rule("deny put", RulingKind::deny);
  deny_put.http->methods = {"PUT"};
  auto allow_body = rule("allow body", RulingKind::allow);
  allow_body.http->methods = {"POST"};
  allow_body.http->body = {"good"};
  const std::uint32_t hit[] = {0};

  SECTION("a refusal behind an allow") {
    const Policy policy = compiled(settings_with({allow, deny_body, deny_put}));
    const PrincipalView view = policy.view_of(someone("ann"));
    CHECK(policy.judge(view, {.method = "GET"}).kind == Kind::needs_body);
    CHECK(policy.judge(view, {.method = "PUT"}).rule == "deny put");
    CHECK(policy.judge(view, {.method = "GET", .body_seen = true}).rule == "allow");
    CHECK(policy.judge(view, {.method = "GET", .body_hits = hit, .body_seen = true}).rule ==
          "deny body");
  }
  SECTION("an allow behind the default, and a refusal that would change nothing") {
    const Policy policy = compiled(settings_with({allow_body, deny_body}));
    const PrincipalView view = policy.view_of(someone("ann"));
    CHECK(policy.judge(view, {.method = "POST"}).kind == Kind::needs_body);
    CHECK(policy.judge(view, {.method = "GET"}).rule == "default-deny");
  }
  SECTION("an allow that is already given") {
    const Policy policy = compiled(settings_with({allow, allow_body}));
    CHECK(policy.judge(policy.view_of(someone("ann")), {.method = "POST"}).rule == "allow");
  }
  SECTION("somebody whom the body rule is not about") {
    deny_body.principals.groups = {"interns"};
    const Policy policy = compiled(settings_with({allow, deny_body}));
    CHECK(policy.judge(policy.view_of(someone("ann")), {.method = "GET"}).kind == Kind::allow);
    CHECK(policy.judge(policy.view_of(someone("bob", {"interns"})), {.method = "GET"}).kind ==
          Kind::needs_body);
  }
}

TEST_CASE("masks follow targets, direction and excepted groups") {
  Settings settings = settings_with({});
  settings.masks.resize(4);
  settings.masks[0].name = "all";
  settings.masks[1].name = "request";
  settings.masks[1].on = MaskDirection::request;
  settings.masks[2].name = "both, but for fraud";
  settings.masks[2].on = MaskDirection::both;
  settings.masks[2].except_groups = {"audit", "fraud"};
  settings.masks[3].name = "elsewhere";
  settings.masks[3].targets = {"other"};
  const Policy policy = compiled(settings);

  const PrincipalView ann = policy.view_of(someone("ann"));
  CHECK(ann.response_masks() == MaskSet(0b0101));
  CHECK(ann.request_masks() == MaskSet(0b0110));
  const PrincipalView fraud = policy.view_of(someone("bob", {"fraud"}));
  CHECK(fraud.response_masks() == MaskSet(0b0001));
  CHECK(fraud.request_masks() == MaskSet(0b0010));
  Principal unproved = someone("bob", {"fraud"});
  unproved.proof = Proof::none;
  CHECK(policy.view_of(unproved).response_masks() == MaskSet(0b0101));

  settings.masks.resize(masks_max + 1);
  CHECK(error_of(settings) == "more than 128 masks");
}
