#include "control/approvals/rules.h"

#include <algorithm>
#include <cstddef>

namespace sluice::control {
namespace {

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

bool is_in_any(const config::Principal& who, const std::vector<std::string>& groups) {
  return std::ranges::any_of(groups, [&](const auto& group) { return has(who.groups, group); });
}

std::vector<std::string> names_of(const config::Principal& who) {
  std::vector<std::string> names{who.subject};
  for (const config::Actor& actor : who.actors) names.push_back(actor.subject);
  return names;
}

bool is_same_person(const config::Principal& one, const config::Principal& other) {
  const auto others = names_of(other);
  return std::ranges::any_of(names_of(one), [&](const auto& name) { return has(others, name); });
}

bool is_decider(const Request& request, const config::Principal& who) {
  return std::ranges::any_of(request.what.rules, [&](const config::HoldRule& rule) {
    return is_in_any(who, rule.approval.by_groups);
  });
}

/// Also who asked may; each rule must name somebody for it.
DecisionFault fault_of_breaking(const Request& request, const Decision& decision) {
  const auto& rules = request.what.rules;
  const bool is_entitled =
      !rules.empty() && std::ranges::all_of(rules, [&](const config::HoldRule& rule) {
        return is_in_any(decision.who, rule.approval.break_glass);
      });
  if (!is_entitled || request.what.is_ticket) return DecisionFault::not_entitled;
  if (!decision.who.actors.empty()) return DecisionFault::delegated;
  return decision.reason.empty() ? DecisionFault::reason_missing : DecisionFault::none;
}

/// Neither by who asked nor by who broke the glass.
DecisionFault fault_of_review(const Request& request, const Decision& decision) {
  if (request.state != RequestState::unreviewed) return DecisionFault::closed;
  const bool is_own =
      is_same_person(decision.who, request.what.who) ||
      std::ranges::any_of(request.decisions, [&](const Decision& before) {
        return before.verdict == Verdict::break_glass && is_same_person(before.who, decision.who);
      });
  if (is_own) return DecisionFault::own_request;
  if (!is_decider(request, decision.who)) return DecisionFault::not_entitled;
  return decision.reason.empty() ? DecisionFault::reason_missing : DecisionFault::none;
}

/// Gives each place of each group somebody of that group, and nobody two places: a maximum
/// matching, by augmenting paths. Places and people are few.
class Seating {
 public:
  Seating(const std::vector<const config::Principal*>& people, const config::Approval& approval)
      : people_(people), approval_(approval), seat_of_(people.size(), none) {}

  bool is_full() {
    const std::size_t seats = approval_.by_groups.size() * approval_.distinct;
    for (std::size_t seat = 0; seat < seats; ++seat) {
      std::vector<bool> asked(people_.size(), false);
      if (!fill(seat, asked)) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t none = SIZE_MAX;

  bool fill(std::size_t seat, std::vector<bool>& asked) {
    const std::string& group = approval_.by_groups[seat / approval_.distinct];
    for (std::size_t i = 0; i < people_.size(); ++i) {
      if (asked[i] || !has(people_[i]->groups, group)) continue;
      asked[i] = true;
      if (seat_of_[i] != none && !fill(seat_of_[i], asked)) continue;
      seat_of_[i] = seat;
      return true;
    }
    return false;
  }

  const std::vector<const config::Principal*>& people_;
  const config::Approval& approval_;
  std::vector<std::size_t> seat_of_;
};

}  // namespace

std::string_view text(DecisionFault fault) noexcept {
  switch (fault) {
    case DecisionFault::none:
      return "none";
    case DecisionFault::closed:
      return "the request waits no longer";
    case DecisionFault::expired:
      return "the request has expired";
    case DecisionFault::unproved:
      return "the credential was not accepted";
    case DecisionFault::own_request:
      return "nobody decides on what was asked for in their name";
    case DecisionFault::not_entitled:
      return "only members of the groups that the rule names may do that";
    case DecisionFault::decided_before:
      return "this person has approved already; nobody counts twice";
    case DecisionFault::reason_missing:
      return "a reason is needed";
    case DecisionFault::delegated:
      return "who breaks the glass does it in person, not through another program";
  }
  return "unknown";
}

DecisionFault fault_of(const Request& request, const Decision& decision) {
  if (decision.who.subject.empty()) return DecisionFault::unproved;
  if (decision.verdict == Verdict::review) return fault_of_review(request, decision);
  if (request.state != RequestState::waiting) return DecisionFault::closed;
  if (decision.at.monotonic >= request.until.monotonic) return DecisionFault::expired;
  if (decision.verdict == Verdict::break_glass) return fault_of_breaking(request, decision);
  if (is_same_person(decision.who, request.what.who)) return DecisionFault::own_request;
  if (!is_decider(request, decision.who)) return DecisionFault::not_entitled;
  const auto& rules = request.what.rules;
  const bool needs_reason = std::ranges::any_of(
      rules, [](const config::HoldRule& rule) { return rule.approval.reason_required; });
  if (needs_reason && decision.reason.empty()) return DecisionFault::reason_missing;
  // Who approved may still deny: that takes away.
  const bool has_decided = std::ranges::any_of(request.decisions, [&](const Decision& before) {
    return is_same_person(before.who, decision.who);
  });
  if (has_decided && decision.verdict == Verdict::approve) return DecisionFault::decided_before;
  return DecisionFault::none;
}

RequestState state_of(const Request& request, Instant now) {
  if (request.state != RequestState::waiting) return request.state;
  const auto denies = [](const Decision& one) { return one.verdict == Verdict::deny; };
  if (std::ranges::any_of(request.decisions, denies)) return RequestState::denied;
  const auto breaks = [](const Decision& one) { return one.verdict == Verdict::break_glass; };
  if (std::ranges::any_of(request.decisions, breaks)) return RequestState::unreviewed;
  const auto& rules = request.what.rules;
  const bool is_satisfied =
      !rules.empty() && std::ranges::all_of(rules, [&](const config::HoldRule& rule) {
        return satisfies(request.decisions, rule.approval);
      });
  if (is_satisfied) return RequestState::approved;
  return now >= request.until.monotonic ? RequestState::expired : RequestState::waiting;
}

bool satisfies(const std::vector<Decision>& decisions, const config::Approval& approval) {
  std::vector<const config::Principal*> people;
  for (const Decision& decision : decisions) {
    if (decision.verdict != Verdict::approve) continue;
    if (!is_in_any(decision.who, approval.by_groups)) continue;
    const bool is_known = std::ranges::any_of(
        people, [&](const auto* one) { return is_same_person(*one, decision.who); });
    if (!is_known) people.push_back(&decision.who);
  }
  if (approval.by_groups.empty() || approval.distinct == 0) return false;
  if (approval.all_groups) return Seating(people, approval).is_full();
  return people.size() >= approval.distinct;
}

}  // namespace sluice::control
