#include "config/model/policy.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"

namespace sluice::config {
namespace {

constexpr std::uint8_t bit_of(RulingKind kind) noexcept {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(kind));
}

/// Kinds of waiting rules that would overrule what is known without the body.
constexpr std::uint8_t overruling(RulingKind known) noexcept {
  switch (known) {
    case RulingKind::deny:
    case RulingKind::hold:
      return 0;
    case RulingKind::allow:
      return bit_of(RulingKind::deny);
  }
  return 0;
}
/// The default refuses already, so another refusal changes nothing.
constexpr std::uint8_t overruling_default = bit_of(RulingKind::allow);

constexpr Ruling::Kind ruling_kind(RulingKind kind) noexcept {
  switch (kind) {
    case RulingKind::allow:
      return Ruling::Kind::allow;
    case RulingKind::deny:
      return Ruling::Kind::deny;
    case RulingKind::hold:
      return Ruling::Kind::hold;
  }
  return Ruling::Kind::deny;
}

bool is_anonymous(const Principal& principal) noexcept {
  return principal.proof == Proof::none || principal.subject.empty();
}

}  // namespace

PrincipalView Policy::view_of(const Principal& principal) const {
  PrincipalView view;
  view.policy_ = id_;
  view.is_anonymous_ = is_anonymous(principal);

  const auto in_groups = [&](const std::vector<std::string>& groups) {
    return !view.is_anonymous_ &&
           std::any_of(groups.begin(), groups.end(), [&](const std::string& group) {
             return std::find(principal.groups.begin(), principal.groups.end(), group) !=
                    principal.groups.end();
           });
  };
  for (const MaskUse& mask : masks_) {
    if (in_groups(mask.except_groups)) continue;
    if (mask.on != MaskDirection::request) view.response_masks_.set(mask.index);
    if (mask.on != MaskDirection::response) view.request_masks_.set(mask.index);
  }
  view.holds_ = view.is_anonymous_ ? anonymous_holds_ : authenticated_holds_;
  if (view.is_anonymous_) return view;

  view.sql_rules_ = authenticated_sql_;
  std::vector<RuleNumber> rules;
  const auto add = [&](const RulesByName& named, const std::string& name) {
    const auto found = named.find(name);
    if (found != named.end()) rules.insert(rules.end(), found->second.begin(), found->second.end());
  };
  add(by_subject_, principal.subject);
  for (const std::string& group : principal.groups) add(by_group_, group);
  std::sort(rules.begin(), rules.end());
  rules.erase(std::unique(rules.begin(), rules.end()), rules.end());

  view.sql_rules_.insert(view.sql_rules_.end(), rules.begin(), rules.end());
  std::sort(view.sql_rules_.begin(), view.sql_rules_.end());
  view.sql_rules_.erase(std::unique(view.sql_rules_.begin(), view.sql_rules_.end()),
                        view.sql_rules_.end());
  std::erase_if(view.sql_rules_, [&](RuleNumber rule) { return !rules_[rule].is_about_sql; });
  view.looks_at_parameters_ = std::any_of(
      view.sql_rules_.begin(), view.sql_rules_.end(),
      [&](RuleNumber rule) { return rules_[rule].sql && rules_[rule].sql->looks_at_parameters(); });
  view.has_limits_ = std::any_of(view.sql_rules_.begin(), view.sql_rules_.end(),
                                 [&](RuleNumber rule) { return rules_[rule].limits.any(); });

  std::vector<Clause> clauses;
  for (const RuleNumber rule : rules) {
    view.holds_ |= rules_[rule].hold;
    clauses.insert(clauses.end(), named_clauses_[rule].begin(), named_clauses_[rule].end());
  }
  view.named_ = RuleIndex(clauses);
  return view;
}

MethodSet Policy::method_bit(std::string_view method) const noexcept {
  for (std::size_t bit = 0; bit < methods_.size(); ++bit) {
    if (methods_[bit] == method) return MethodSet{1} << bit;
  }
  return MethodSet{1} << 63;
}

Ruling Policy::judge(const PrincipalView& principal, const HttpAction& action) const noexcept {
  ASSERT(principal.policy_ == id_);  // rule numbers mean nothing to another policy
  const RuleQuery query{.method = method_bit(action.method),
                        .path_hits = action.path_hits,
                        .header_hits = action.header_hits,
                        .body_hits = action.body_hits,
                        .body_seen = action.body_seen};
  RuleAnswer answer;
  (principal.is_anonymous_ ? anonymous_ : authenticated_).look_up(query, answer);
  principal.named_.look_up(query, answer);

  const bool is_default = answer.strictest == no_rule;
  const std::uint8_t decisive =
      is_default ? overruling_default : overruling(rules_[answer.strictest].kind);
  if ((answer.pending_kinds & decisive) != 0) {
    return {Ruling::Kind::needs_body, {}, "a rule's body pattern decides"};
  }
  Ruling ruling = ruling_of(answer.strictest);
  if (principal.holds_ == 0 || (ruling.kind == Ruling::Kind::deny && !is_default)) return ruling;
  const Holding held = holding(principal, query);
  if (is_default) {
    ruling.holds = held.holds;
    return ruling;
  }
  if (held.is_pending) {
    return {Ruling::Kind::needs_body, {}, "a body pattern of a rule that holds decides"};
  }
  if (held.holds != 0) add_holds(ruling, held.holds);
  return ruling;
}

void Policy::add_holds(Ruling& ruling, std::uint64_t holds) const noexcept {
  ruling.kind = Ruling::Kind::hold;
  ruling.holds |= holds;
  ruling.rule = holds_[static_cast<std::size_t>(std::countr_zero(ruling.holds))].rule;
  ruling.reason = {};
}

Policy::Holding Policy::holding(const PrincipalView& principal,
                                const RuleQuery& query) const noexcept {
  Holding held;
  for (std::uint64_t bits = principal.holds_; bits != 0; bits &= bits - 1) {
    RuleAnswer answer;
    held_requests_[static_cast<std::size_t>(std::countr_zero(bits))].look_up(query, answer);
    if (answer.strictest != no_rule) {
      held.holds |= bits & -bits;
    } else if (answer.pending_kinds != 0) {
      held.is_pending = true;
    }
  }
  return held;
}

Ruling Policy::judge(const PrincipalView& principal, const SqlAction& action) const noexcept {
  ASSERT(principal.policy_ == id_);  // rule numbers mean nothing to another policy
  Matches all;
  // Rules are numbered by strictness, and no_rule comes last.
  bool is_allowed = true;
  const auto add = [&](const SqlFacts* facts) {
    const Matches found = match(principal, action, facts);
    is_allowed = is_allowed && found.allows != no_rule;
    all.denies = std::min(all.denies, found.denies);
    all.holds = std::min(all.holds, found.holds);
    all.allows = std::min(all.allows, found.allows);
    all.all_holds |= found.all_holds;
  };
  if (!action.is_parsed) add(nullptr);
  for (const SqlFacts& facts : action.statements) add(&facts);
  if (all.denies != no_rule) return ruling_of(all.denies);
  if (!is_allowed) return ruling_of(no_rule);
  Ruling ruling = ruling_of(std::min(all.holds, all.allows));
  ruling.holds = all.all_holds;
  // Also of what waits for people first. A text without a statement needs no rule.
  ruling.is_recorded = all.allows != no_rule && rules_[all.allows].is_recorded;
  if (principal.has_limits_) ruling.limits = limits_of(principal, action);
  return ruling;
}

/// facts  null for a text that is not understood.
Policy::Matches Policy::match(const PrincipalView& principal, const SqlAction& action,
                              const SqlFacts* facts) const noexcept {
  Matches found;
  for (const RuleNumber number : principal.sql_rules_) {
    const Rule& rule = rules_[number];
    if (!applies(rule, action, facts)) continue;
    switch (rule.kind) {
      case RulingKind::deny:
        found.denies = number;
        return found;
      case RulingKind::hold:
        found.holds = std::min(found.holds, number);
        found.all_holds |= rule.hold;
        break;
      case RulingKind::allow:
        found.allows = number;
        return found;
    }
  }
  return found;
}

bool Policy::applies(const Rule& rule, const SqlAction& action, const SqlFacts* facts) noexcept {
  const bool covers_all = !rule.sql;
  if (facts != nullptr) return covers_all || rule.sql->applies(action, *facts);
  return covers_all ? rule.kind != RulingKind::allow : rule.sql->applies_unparsed(action);
}

/// The statements of one text are one execution: each adds what limits it.
Limiting Policy::limits_of(const PrincipalView& principal, const SqlAction& action) const noexcept {
  Limiting limits;
  if (!action.is_parsed) add_limits(principal, action, nullptr, limits);
  for (const SqlFacts& facts : action.statements) add_limits(principal, action, &facts, limits);
  return limits;
}

void Policy::add_limits(const PrincipalView& principal, const SqlAction& action,
                        const SqlFacts* facts, Limiting& limits) const noexcept {
  for (const RuleNumber number : principal.sql_rules_) {
    const Rule& rule = rules_[number];
    if (!rule.limits.any() || !applies(rule, action, facts)) continue;
    if (rule.limits.rows_max < rows_bound(limits).max) limits.rows = number;
    if (rule.limits.bytes_max < bytes_bound(limits).max) limits.bytes = number;
    limits.rates |= rule.limits.rate;
  }
}

Bound Policy::rows_bound(const Limiting& limits) const noexcept {
  if (limits.rows == no_rule) return {};
  return {rules_[limits.rows].limits.rows_max, rules_[limits.rows].name};
}

Bound Policy::bytes_bound(const Limiting& limits) const noexcept {
  if (limits.bytes == no_rule) return {};
  return {rules_[limits.bytes].limits.bytes_max, rules_[limits.bytes].name};
}

Ruling Policy::ruling_of(RuleNumber number) const noexcept {
  if (number == no_rule) return {Ruling::Kind::deny, default_deny, "no rule allows this"};
  const Rule& rule = rules_[number];
  return {ruling_kind(rule.kind), rule.name, rule.reason, {}, rule.is_recorded};
}

}  // namespace sluice::config
