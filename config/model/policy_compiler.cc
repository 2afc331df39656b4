// From rules as written to the tables that Policy::judge() reads.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <utility>

#include "base/ascii.h"
#include "config/model/line_expression.h"
#include "config/model/policy.h"
#include "config/model/token.h"

namespace sluice::config {
namespace {

constexpr std::size_t clauses_max = 1'000'000;
constexpr std::size_t method_tokens_max = 63;  // the last bit of a MethodSet is "any other"
constexpr std::size_t headers_per_rule_max = 32;
constexpr std::size_t rates_max = 64;  // a bit each
constexpr std::size_t holds_max = 64;  // likewise

int strictness(RulingKind kind) noexcept {
  switch (kind) {
    case RulingKind::deny:
      return 0;
    case RulingKind::hold:
      return 1;
    case RulingKind::allow:
      return 2;
  }
  return 0;
}

/// Of rules that are as strict, those decide that have more kept.
std::pair<int, bool> order_of(const PolicyRule& rule) noexcept {
  return {strictness(rule.ruling), rule.record != RecordMode::full};
}

/// Gives equal patterns one number.
class PatternList {
 public:
  explicit PatternList(std::vector<PatternSource>& patterns) : patterns_(patterns) {}

  std::uint32_t number_of(std::string expression, const std::string& rule) {
    const auto next = static_cast<std::uint32_t>(patterns_.size());
    const auto [known, is_new] = numbers_.try_emplace(expression, next);
    if (is_new) patterns_.push_back({std::move(expression), rule, false});
    return known->second;
  }

 private:
  std::vector<PatternSource>& patterns_;
  std::map<std::string, std::uint32_t> numbers_;
};

/// Who a rule is about, with the defaults of docs/policy.md applied.
struct Audience {
  bool authenticated = false;
  bool anonymous = false;
};

Audience audience_of(const PolicyRule& rule) {
  const PrincipalMatch& match = rule.principals;
  if (match.subjects.empty() && match.groups.empty() && !match.anonymous) {
    // Nobody named: whoever has a proof may be allowed, everybody is refused.
    return {.authenticated = true, .anonymous = rule.ruling != RulingKind::allow};
  }
  const bool names_all =
      std::find(match.subjects.begin(), match.subjects.end(), "*") != match.subjects.end();
  return {.authenticated = names_all, .anonymous = match.anonymous};
}

}  // namespace

RateRule rate_rule(std::string name, const Rate& rate, std::uint64_t burst) {
  const auto count = static_cast<std::int64_t>(rate.count);
  // Rounded up: never more often than was written.
  const std::int64_t interval_ns = (rate.period.ns + count - 1) / count;
  const auto in_one_second = std::max<std::int64_t>(count * seconds(1).ns / rate.period.ns, 1);
  const auto at_once = burst == 0 ? in_one_second : static_cast<std::int64_t>(burst);
  return {std::move(name), {interval_ns}, {interval_ns * at_once}};
}

std::optional<std::string> method_fault(std::string_view method) {
  if (!is_token(method)) return fmt::format("'{}' is not a method", method);
  std::string upper(method);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
  });
  // The decoder refuses lower-case letters: such a method would never match.
  if (upper != method) {
    return fmt::format("methods are case-sensitive: write '{}' instead of '{}'", upper, method);
  }
  return std::nullopt;
}

class Policy::Compiler {
 public:
  Compiler(const Settings& settings, const Listener& listener)
      : settings_(settings), listener_(listener) {}

  Result<Policy> run() {
    std::vector<const PolicyRule*> rules;
    for (const PolicyRule& rule : settings_.policies) {
      check_targets(rule);
      if (concerns_listener(rule.targets)) rules.push_back(&rule);
    }
    std::stable_sort(rules.begin(), rules.end(), [](const PolicyRule* a, const PolicyRule* b) {
      return order_of(*a) < order_of(*b);
    });
    for (const PolicyRule* rule : rules) add(*rule);
    add_masks();
    if (!errors_.empty()) return fail(errors_);

    policy_.authenticated_ = RuleIndex(authenticated_);
    policy_.anonymous_ = RuleIndex(anonymous_);
    static std::atomic<std::uint64_t> last_id{0};
    policy_.id_ = ++last_id;
    return std::move(policy_);
  }

 private:
  void refuse(const PolicyRule& rule, std::string_view message) {
    if (!errors_.empty()) errors_ += '\n';
    if (!rule.place.file.empty()) {
      errors_ += fmt::format("{}:{}:{}: ", rule.place.file, rule.place.line, rule.place.column);
    }
    errors_ += fmt::format("rule '{}': {}", rule.name, message);
  }

  void check_targets(const PolicyRule& rule) {
    for (const std::string& name : rule.targets) {
      const bool is_known = std::any_of(settings_.targets.begin(), settings_.targets.end(),
                                        [&](const Target& target) { return target.name == name; });
      if (!is_known) refuse(rule, fmt::format("unknown target '{}'", name));
    }
  }

  [[nodiscard]] bool concerns_listener(const std::vector<std::string>& targets) const {
    return targets.empty() ||
           std::find(targets.begin(), targets.end(), listener_.target) != targets.end();
  }

  void add(const PolicyRule& rule) {
    const auto number = static_cast<RuleNumber>(policy_.rules_.size());
    policy_.rules_.push_back({rule.name,
                              rule.reason,
                              rule.ruling,
                              false,
                              std::nullopt,
                              {},
                              rule.record == RecordMode::full,
                              0});
    policy_.named_clauses_.emplace_back();
    if (is_of_another_protocol(rule)) {
      if (rule.targets.empty()) return;
      return refuse(rule, fmt::format("its operations can't occur at target '{}', which speaks {}",
                                      listener_.target, protocol_name()));
    }
    add_sql_condition(rule, policy_.rules_.back());
    if (rule.ruling == RulingKind::hold) add_hold(rule, policy_.rules_.back());
    if (rule.limits) add_limits(rule, policy_.rules_.back());

    std::vector<Clause> clauses = clauses_of(rule, number);
    clause_count_ += clauses.size();
    if (clause_count_ > clauses_max) {
      return refuse(rule, fmt::format("more than {} combinations of path and body patterns in all",
                                      clauses_max));
    }
    const Audience audience = audience_of(rule);
    if (const std::uint64_t hold = policy_.rules_.back().hold; hold != 0) {
      // It is asked beside the others: what it holds another one must allow.
      policy_.held_requests_.emplace_back(std::exchange(clauses, {}));
      if (audience.authenticated) policy_.authenticated_holds_ |= hold;
      if (audience.anonymous) policy_.anonymous_holds_ |= hold;
    }
    if (audience.authenticated) {
      policy_.authenticated_sql_.push_back(number);
      authenticated_.insert(authenticated_.end(), clauses.begin(), clauses.end());
    }
    if (audience.anonymous) {
      anonymous_.insert(anonymous_.end(), clauses.begin(), clauses.end());
    }
    if (audience.authenticated) return;
    for (const std::string& subject : rule.principals.subjects) {
      policy_.by_subject_[subject].push_back(number);
    }
    for (const std::string& group : rule.principals.groups) {
      policy_.by_group_[group].push_back(number);
    }
    policy_.named_clauses_[number] = std::move(clauses);
  }

  /// The rule names operations, and none of this listener's protocol.
  [[nodiscard]] bool is_of_another_protocol(const PolicyRule& rule) const {
    if (!rule.http && !rule.sql) return false;
    return listener_.protocol == Protocol::http ? !rule.http : !rule.sql;
  }

  [[nodiscard]] std::string_view protocol_name() const {
    return listener_.protocol == Protocol::http ? "HTTP" : "PostgreSQL";
  }

  void add_sql_condition(const PolicyRule& rule, Rule& compiled) {
    if (listener_.protocol == Protocol::http) return;
    compiled.is_about_sql = true;
    if (!rule.sql) return;
    std::vector<std::uint32_t> patterns;
    for (const std::string& expression : rule.sql->patterns) {
      patterns.push_back(sql_list_.number_of(expression, rule.name));
    }
    compiled.sql.emplace(*rule.sql, rule.ruling, std::move(patterns));
  }

  void add_hold(const PolicyRule& rule, Rule& compiled) {
    if (!rule.approval) return refuse(rule, "a rule that holds needs 'approval'");
    if (policy_.holds_.size() == holds_max) {
      return refuse(rule, fmt::format("more than {} rules that hold", holds_max));
    }
    compiled.hold = std::uint64_t{1} << policy_.holds_.size();
    policy_.holds_.push_back({rule.name, *rule.approval});
  }

  void add_limits(const PolicyRule& rule, Rule& compiled) {
    if (listener_.protocol == Protocol::http) {
      if (rule.sql) return;  // they are about that
      return refuse(rule, fmt::format("its limits are about SQL statements, which target '{}' does "
                                      "not take; give the rule 'targets' or 'operations'",
                                      listener_.target));
    }
    if (rule.ruling != RulingKind::allow) return refuse(rule, "only a rule that allows has limits");
    const ExecutionLimits& limits = *rule.limits;
    if (limits.rows_max != 0) compiled.limits.rows_max = limits.rows_max;
    if (limits.bytes_max != 0) compiled.limits.bytes_max = limits.bytes_max;
    if (limits.rate.count == 0) return;
    if (policy_.rates_.size() == rates_max) {
      return refuse(rule, fmt::format("more than {} rules with a rate", rates_max));
    }
    compiled.limits.rate = std::uint64_t{1} << policy_.rates_.size();
    policy_.rates_.push_back(rate_rule(rule.name, rule.limits->rate, rule.limits->burst));
  }

  std::vector<Clause> clauses_of(const PolicyRule& rule, RuleNumber number) {
    Clause clause{.rule = number, .kind = static_cast<std::uint8_t>(rule.ruling), .headers = {}};
    if (!rule.http) return {clause};
    const HttpMatch& match = *rule.http;
    clause.methods = methods_of(rule, match);
    clause.headers = headers_of(rule, match);
    const std::vector<std::uint32_t> paths = paths_of(rule, match);
    std::vector<std::uint32_t> bodies;
    for (const std::string& expression : match.body) {
      bodies.push_back(body_list_.number_of(expression, rule.name));
    }

    std::vector<Clause> clauses;
    for (std::size_t p = 0; p < std::max<std::size_t>(paths.size(), 1); ++p) {
      for (std::size_t b = 0; b < std::max<std::size_t>(bodies.size(), 1); ++b) {
        clause.path = paths.empty() ? no_pattern : paths[p];
        clause.body = bodies.empty() ? no_pattern : bodies[b];
        clauses.push_back(clause);
        if (clauses.size() > clauses_max) return clauses;
      }
    }
    return clauses;
  }

  MethodSet methods_of(const PolicyRule& rule, const HttpMatch& match) {
    if (match.methods.empty()) return all_methods;
    MethodSet methods = 0;
    for (const std::string& method : match.methods) {
      if (const auto fault = method_fault(method)) {
        refuse(rule, *fault);
        continue;
      }
      auto& known = policy_.methods_;
      const auto place = std::find(known.begin(), known.end(), method);
      const auto bit = static_cast<std::size_t>(place - known.begin());
      if (bit == method_tokens_max) {
        refuse(rule, fmt::format("more than {} different methods in all", method_tokens_max));
        continue;
      }
      if (place == known.end()) known.push_back(method);
      methods |= MethodSet{1} << bit;
    }
    return methods;
  }

  std::vector<std::uint32_t> paths_of(const PolicyRule& rule, const HttpMatch& match) {
    const auto reading = rule.ruling == RulingKind::allow ? GlobReading::exact : GlobReading::wide;
    std::vector<std::uint32_t> paths;
    for (const std::string& glob : match.paths) {
      const auto number = policy_.paths_.add(glob, reading);
      if (!number) {
        refuse(rule, fmt::format("path '{}': {}", glob, number.error().message));
        continue;
      }
      paths.push_back(*number);
    }
    return paths;
  }

  std::vector<std::uint32_t> headers_of(const PolicyRule& rule, const HttpMatch& match) {
    std::vector<std::uint32_t> headers;
    for (const HeaderMatch& header : match.headers) {
      auto expression = line_expression(header.name, header.pattern);
      if (!expression) {
        refuse(rule, fmt::format("header '{}': {}", header.name, expression.error().message));
        continue;
      }
      headers.push_back(header_list_.number_of(std::move(*expression), rule.name));
    }
    std::sort(headers.begin(), headers.end());
    headers.erase(std::unique(headers.begin(), headers.end()), headers.end());
    if (headers.size() > headers_per_rule_max) {
      refuse(rule, fmt::format("more than {} header conditions", headers_per_rule_max));
    }
    return headers;
  }

  void add_masks() {
    for (std::size_t index = 0; index < settings_.masks.size(); ++index) {
      const Mask& mask = settings_.masks[index];
      if (index >= masks_max) {
        errors_ += fmt::format("{}more than {} masks", errors_.empty() ? "" : "\n", masks_max);
        return;
      }
      if (!concerns_listener(mask.targets)) continue;
      check_enforceable(mask);
      policy_.masks_.push_back({index, mask.on, mask.except_groups});
    }
  }

  void check_enforceable(const Mask& mask) {
    const auto refuse_mask = [&](std::string_view message) {
      if (!errors_.empty()) errors_ += '\n';
      if (!mask.place.file.empty()) {
        errors_ += fmt::format("{}:{}:{}: ", mask.place.file, mask.place.line, mask.place.column);
      }
      errors_ += fmt::format("mask '{}': {}; give the mask 'targets'", mask.name, message);
    };
    const MaskFind& find = mask.find;
    if (listener_.protocol == Protocol::http) {
      const bool finds_something = !find.builtins.empty() || !find.patterns.empty() ||
                                   !find.json.empty() || !find.form.empty() ||
                                   !find.headers.empty();
      if (!finds_something && !mask.targets.empty()) {
        refuse_mask(fmt::format("target '{}' has no columns", listener_.target));
      }
      return;
    }
    if (mask.on != MaskDirection::response) {
      refuse_mask(fmt::format("statements to target '{}' cannot be masked", listener_.target));
    }
    const bool finds_something = !find.builtins.empty() || !find.patterns.empty() ||
                                 !find.json.empty() || !find.columns.empty();
    if (!finds_something && !mask.targets.empty()) {
      refuse_mask(fmt::format("target '{}' has neither forms nor headers", listener_.target));
    }
  }

  const Settings& settings_;
  const Listener& listener_;
  Policy policy_;
  PatternList header_list_{policy_.header_patterns_};
  PatternList body_list_{policy_.body_patterns_};
  PatternList sql_list_{policy_.sql_patterns_};
  std::vector<Clause> authenticated_;
  std::vector<Clause> anonymous_;
  std::size_t clause_count_ = 0;
  std::string errors_;
};

Result<Policy> Policy::compile(const Settings& settings, const Listener& listener) {
  return Compiler(settings, listener).run();
}

}  // namespace sluice::config
