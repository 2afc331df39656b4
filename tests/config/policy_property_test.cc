// The compiled policy against an evaluator that reads the rules one by one.
#include <fmt/format.h>
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "config/model/line_expression.h"
#include "config/model/policy.h"

using namespace sluice;
using namespace sluice::config;

namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t count) { return engine_() % count; }
  bool one_in(std::size_t count) { return below(count) == 0; }
  std::string word(std::string_view prefix, std::size_t count) {
    return fmt::format("{}{}", prefix, below(count));
  }
  std::vector<std::string> words(std::string_view prefix, std::size_t kinds, std::size_t most) {
    std::vector<std::string> result;
    for (std::size_t i = below(most + 1); i > 0; --i) result.push_back(word(prefix, kinds));
    return result;
  }

 private:
  std::mt19937_64 engine_;
};

/// What a request is, told by the texts of the conditions it meets.
struct Request {
  std::string method;
  std::vector<std::string> globs;                            // that its path matches
  std::vector<std::pair<std::string, std::string>> headers;  // name and expression
  std::vector<std::string> bodies;
};

template <class Value>
bool has(const std::vector<Value>& values, const Value& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

PolicyRule random_rule(Random& random, std::size_t number) {
  PolicyRule rule;
  rule.name = fmt::format("r{}", number);
  rule.ruling = static_cast<RulingKind>(random.below(3));
  if (rule.ruling == RulingKind::hold) rule.approval.emplace();
  if (random.one_in(2)) {
    rule.principals.subjects = random.words("s", 3, 1);
    rule.principals.groups = random.words("g", 4, 2);
    rule.principals.anonymous = random.one_in(3);
    if (random.one_in(8)) rule.principals.subjects.emplace_back("*");
  }
  if (random.one_in(5)) rule.targets = {random.one_in(2) ? "api" : "other"};
  if (random.one_in(10)) return rule;
  HttpMatch& http = rule.http.emplace();
  http.methods = random.words("M", 4, 2);
  for (const auto& path : random.words("/**/p", 5, 2)) http.paths.push_back(path + "/**");
  for (const auto& name : random.words("h", 3, 3))
    http.headers.push_back({name, random.word("v", 2)});
  if (random.one_in(3)) http.body = random.words("b", 4, 2);
  return rule;
}

Request random_request(Random& random) {
  Request request;
  request.method = random.word("M", 6);
  for (const auto& path : random.words("/**/p", 5, 3)) request.globs.push_back(path + "/**");
  for (const auto& name : random.words("h", 3, 5))
    request.headers.emplace_back(name, random.word("v", 2));
  request.bodies = random.words("b", 4, 3);
  return request;
}

/// A path that matches those globs and no others: their middle segments.
std::string path_of(const Request& request) {
  std::string path;
  for (const std::string& glob : request.globs) {
    path += glob.substr(std::size("/**") - 1, glob.size() - 2 * (std::size("/**") - 1));
  }
  return path.empty() ? "/" : path;
}

Principal random_principal(Random& random) {
  Principal principal;
  if (random.one_in(4)) return principal;
  principal.subject = random.word("s", 4);
  principal.groups = random.words("g", 5, 3);
  principal.proof = random.one_in(10) ? Proof::none : Proof::api_key;
  return principal;
}

// The naive evaluator, written from docs/policy.md.

bool names(const PolicyRule& rule, const Principal& principal) {
  const bool is_anonymous = principal.proof == Proof::none;
  const PrincipalMatch& match = rule.principals;
  if (match.subjects.empty() && match.groups.empty() && !match.anonymous) {
    return !is_anonymous || rule.ruling != RulingKind::allow;
  }
  if (is_anonymous) return match.anonymous;
  return has(match.subjects, principal.subject) || has(match.subjects, std::string("*")) ||
         std::any_of(match.groups.begin(), match.groups.end(),
                     [&](const std::string& group) { return has(principal.groups, group); });
}

bool matches_head(const PolicyRule& rule, const Principal& principal, const Request& request) {
  if (!rule.targets.empty() && !has(rule.targets, std::string("api"))) return false;
  if (!names(rule, principal)) return false;
  if (!rule.http) return true;
  const HttpMatch& http = *rule.http;
  return (http.methods.empty() || has(http.methods, request.method)) &&
         (http.paths.empty() ||
          std::any_of(http.paths.begin(), http.paths.end(),
                      [&](const std::string& path) { return has(request.globs, path); })) &&
         std::all_of(http.headers.begin(), http.headers.end(), [&](const HeaderMatch& header) {
           return has(request.headers, std::pair(header.name, header.pattern));
         });
}

bool matches_body(const PolicyRule& rule, const Request& request) {
  return !rule.http || rule.http->body.empty() ||
         std::any_of(rule.http->body.begin(), rule.http->body.end(),
                     [&](const std::string& body) { return has(request.bodies, body); });
}

struct Naive {
  std::string rule = "default-deny";
  Ruling::Kind kind = Ruling::Kind::deny;
  std::set<std::string> holds;  ///< Unless a rule denies.
};

/// With `with_bodies` the rules that have body patterns count by their patterns;
/// otherwise they are left out.
Naive naive(const std::vector<PolicyRule>& rules, const Principal& principal,
            const Request& request, bool with_bodies) {
  std::map<RulingKind, std::vector<std::string>> found;
  for (const PolicyRule& rule : rules) {
    const bool has_body = rule.http && !rule.http->body.empty();
    if (!matches_head(rule, principal, request)) continue;
    if (has_body && !(with_bodies && matches_body(rule, request))) continue;
    found[rule.ruling].push_back(rule.name);
  }
  const auto& denies = found[RulingKind::deny];
  const auto& holds = found[RulingKind::hold];
  const auto& allows = found[RulingKind::allow];
  if (!denies.empty()) return {denies.front(), Ruling::Kind::deny, {}};
  Naive ruling;
  ruling.holds = {holds.begin(), holds.end()};
  if (allows.empty()) return ruling;  // what is held must be allowed, too
  ruling.kind = holds.empty() ? Ruling::Kind::allow : Ruling::Kind::hold;
  ruling.rule = holds.empty() ? allows.front() : holds.front();
  return ruling;
}

/// Whether some body could lead to another ruling than none at all.
bool body_matters(const std::vector<PolicyRule>& rules, const Principal& principal,
                  const Request& request) {
  const Naive known = naive(rules, principal, request, false);
  return std::any_of(rules.begin(), rules.end(), [&](const PolicyRule& rule) {
    const bool has_body = rule.http && !rule.http->body.empty();
    if (!has_body || !matches_head(rule, principal, request)) return false;
    if (known.kind == Ruling::Kind::deny) {
      return known.rule == default_deny && rule.ruling == RulingKind::allow;
    }
    return rule.ruling != RulingKind::allow;
  });
}

/// The rules whose bits are set.
std::set<std::string> names_of(const Policy& policy, std::uint64_t bits) {
  std::set<std::string> names;
  for (std::size_t bit = 0; bit < policy.holds().size(); ++bit) {
    if ((bits >> bit & 1) != 0) names.insert(policy.holds()[bit].rule);
  }
  return names;
}

/// Numbers of the patterns that a request meets, found by their expressions.
std::vector<std::uint32_t> hits(std::span<const PatternSource> patterns,
                                const std::vector<std::string>& met) {
  std::vector<std::uint32_t> result;
  for (std::uint32_t i = 0; i < patterns.size(); ++i) {
    if (has(met, patterns[i].expression)) result.push_back(i);
  }
  return result;
}

void check_seed(std::uint64_t seed) {
  INFO("seed " << seed);
  Random random(seed);
  Settings settings;
  settings.targets.resize(2);
  settings.targets[0].name = "api";
  settings.targets[1].name = "other";
  settings.listeners.resize(1);
  settings.listeners[0].target = "api";
  for (std::size_t i = random.below(30); i > 0; --i)
    settings.policies.push_back(random_rule(random, i));
  const auto policy = Policy::compile(settings, settings.listeners[0]);
  if (!policy) FAIL(policy.error().message);

  for (int i = 0; i < 40; ++i) {
    const Principal principal = random_principal(random);
    const PrincipalView view = policy->view_of(principal);
    const Request request = random_request(random);

    PathSearch search;
    policy->paths().prepare(search);
    const auto path_hits = policy->paths().find(path_of(request), search);
    std::vector<std::string> headers;
    for (const auto& [name, value] : request.headers)
      headers.push_back(*line_expression(name, value));
    const auto header_hits = hits(policy->header_patterns(), headers);
    const auto body_hits = hits(policy->body_patterns(), request.bodies);

    const Ruling before = policy->judge(
        view, {.method = request.method, .path_hits = path_hits, .header_hits = header_hits});
    const Ruling after = policy->judge(view, {.method = request.method,
                                              .path_hits = path_hits,
                                              .header_hits = header_hits,
                                              .body_hits = body_hits,
                                              .body_seen = true});
    const bool asks = before.kind == Ruling::Kind::needs_body;
    REQUIRE(asks == body_matters(settings.policies, principal, request));
    if (!asks) REQUIRE(before.rule == naive(settings.policies, principal, request, false).rule);

    const Naive expected = naive(settings.policies, principal, request, true);
    REQUIRE(after.rule == expected.rule);
    REQUIRE(after.kind == expected.kind);
    REQUIRE(names_of(*policy, after.holds) == expected.holds);
    // Not asking for the body promised that it would not matter.
    if (!asks) REQUIRE(before.kind == after.kind);
  }
}

}  // namespace

TEST_CASE("the compiled policy rules as the rules read one by one", "[property]") {
  if (const char* seed = std::getenv("SLUICE_SEED")) {
    check_seed(std::strtoull(seed, nullptr, 10));
    return;
  }
  const std::uint64_t first = std::random_device{}();
  for (std::uint64_t seed = first; seed < first + 500; ++seed) check_seed(seed);
}
