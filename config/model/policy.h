// Policy compiled for one listener: rules in, a ruling out. Pure.
//
// The strictest matching rule wins, whatever its place in the file:
// deny over hold over allow. No matching rule denies.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "config/model/path_table.h"
#include "config/model/principal.h"
#include "config/model/rule_index.h"
#include "config/model/settings.h"
#include "config/model/sql_match.h"

namespace sluice::config {

/// Equal in width to the matcher's RuleSet; a mask's index is its place in Settings::masks.
inline constexpr std::size_t masks_max = 128;
using MaskSet = std::bitset<masks_max>;

/// A regular expression that some scanner must look for on the policy's behalf.
/// Indices into these lists are what judge() takes as hits.
struct PatternSource {
  std::string expression;  ///< Anchored where the rule's meaning is anchored.
  std::string rule;
  bool ignores_case = false;
};

/// What policy needs to know of one HTTP request.
struct HttpAction {
  std::string_view method = {};
  std::span<const std::uint32_t> path_hits = {};    ///< Ascending numbers of paths().
  std::span<const std::uint32_t> header_hits = {};  ///< Into header_patterns().
  std::span<const std::uint32_t> body_hits = {};    ///< Into body_patterns(); see body_seen.
  bool body_seen = false;
};

/// The name of the ruling when no rule matches.
inline constexpr std::string_view default_deny = "default-deny";

/// Which rules limit an execution that is allowed: of all that allow it, the strictest.
struct Limiting {
  RuleNumber rows = no_rule;
  RuleNumber bytes = no_rule;
  std::uint64_t rates = 0;  ///< A bit for each of Policy::rates().

  [[nodiscard]] bool bounds_result() const noexcept { return rows != no_rule || bytes != no_rule; }
};

/// What a rule lets an execution bring.
struct Bound {
  std::uint64_t max = UINT64_MAX;
  std::string_view rule;
};

/// How often a rule lets each principal begin an execution, or a listener each source a
/// handshake.
struct RateRule {
  std::string rule;
  Duration interval;   ///< Between two, in the long run.
  Duration tolerance;  ///< How far they may run ahead of that: the burst's intervals.
};
/// rate   of more than 0.
/// burst  that may come at once; 0: what one second brings.
[[nodiscard]] RateRule rate_rule(std::string name, const Rate& rate, std::uint64_t burst = 0);

/// What a rule asks for before what it holds may run.
struct HoldRule {
  std::string rule;
  Approval approval;
};

struct Ruling {
  /// needs_body: a rule that could still decide has a body pattern; ask again
  /// with body_seen.
  enum class Kind : std::uint8_t { allow, deny, hold, needs_body };
  Kind kind = Kind::deny;
  /// Name of the deciding rule; default_deny when none matched. Lives with the Policy.
  std::string_view rule;
  std::string_view reason;
  Limiting limits = {};
  bool is_recorded = false;  ///< `record: full`.
  std::uint64_t holds = 0;   ///< A bit for each of Policy::holds(): all that must be satisfied.
};

/// What of a principal matters to one policy, worked out once per principal and
/// snapshot so that judging does not depend on the number of rules. Its size
/// follows the rules that name the principal or one of its groups.
class PrincipalView {
 public:
  [[nodiscard]] const MaskSet& response_masks() const noexcept { return response_masks_; }
  [[nodiscard]] const MaskSet& request_masks() const noexcept { return request_masks_; }
  /// Whether some rule looks at the parameters of this principal's statements.
  [[nodiscard]] bool looks_at_parameters() const noexcept { return looks_at_parameters_; }
  /// Whether some rule may hold what this principal asks for.
  [[nodiscard]] bool may_be_held() const noexcept { return holds_ != 0; }

 private:
  friend class Policy;
  RuleIndex named_;                    ///< Rules that name this principal.
  std::vector<RuleNumber> sql_rules_;  ///< Rules about statements that concern it, strictest first.
  bool is_anonymous_ = true;
  bool looks_at_parameters_ = false;
  bool has_limits_ = false;   ///< One of sql_rules_ limits what it allows.
  std::uint64_t holds_ = 0;   ///< Of Policy::holds(), those that concern it.
  std::uint64_t policy_ = 0;  ///< The policy that made this view.
  MaskSet response_masks_;
  MaskSet request_masks_;
};

/// Immutable after compile(); shared by all workers. The exact meaning of every
/// condition is docs/policy.md.
class Policy {
 public:
  /// errors  rules that name an unknown target, or cannot be enforced on this
  ///         listener's protocol, each with its place; one line per error.
  static Result<Policy> compile(const Settings& settings, const Listener& listener);

  /// The globs to look request paths up in.
  [[nodiscard]] const PathTable& paths() const noexcept { return paths_; }

  /// Patterns to scan: "name: value" header lines (name in lower case, one line a
  /// field, each ended by '\n'), and bodies.
  [[nodiscard]] std::span<const PatternSource> header_patterns() const noexcept {
    return header_patterns_;
  }
  [[nodiscard]] std::span<const PatternSource> body_patterns() const noexcept {
    return body_patterns_;
  }

  /// Patterns to scan statements for.
  [[nodiscard]] std::span<const PatternSource> sql_patterns() const noexcept {
    return sql_patterns_;
  }

  /// At most 64.
  [[nodiscard]] std::span<const RateRule> rates() const noexcept { return rates_; }
  /// At most 64.
  [[nodiscard]] std::span<const HoldRule> holds() const noexcept { return holds_; }
  [[nodiscard]] Bound rows_bound(const Limiting& limits) const noexcept;
  [[nodiscard]] Bound bytes_bound(const Limiting& limits) const noexcept;

  [[nodiscard]] PrincipalView view_of(const Principal& principal) const;

  /// What is held must be allowed by a rule, too: a rule that holds gives nothing. What the
  /// default denies has its `holds`, too. Allocates nothing. `principal` must come from this
  /// policy's view_of().
  [[nodiscard]] Ruling judge(const PrincipalView& principal,
                             const HttpAction& action) const noexcept;
  /// What was allowed or held already is held by these rules, at least one, too.
  void add_holds(Ruling& ruling, std::uint64_t holds) const noexcept;
  /// The strictest ruling over the statements of a text; likewise. Its cost follows the rules
  /// that concern the principal: ask once per shape of a text.
  [[nodiscard]] Ruling judge(const PrincipalView& principal,
                             const SqlAction& action) const noexcept;

 private:
  class Compiler;
  /// Of an allow rule, as counted.
  struct Limits {
    std::uint64_t rows_max = UINT64_MAX;
    std::uint64_t bytes_max = UINT64_MAX;
    std::uint64_t rate = 0;  ///< Its bit.
    [[nodiscard]] bool any() const noexcept {
      return rows_max != UINT64_MAX || bytes_max != UINT64_MAX || rate != 0;
    }
  };
  struct Rule {
    std::string name;
    std::string reason;
    RulingKind kind = RulingKind::deny;
    bool is_about_sql = false;
    std::optional<SqlCondition> sql;  ///< Without one it is about every statement.
    Limits limits;
    bool is_recorded = false;
    std::uint64_t hold = 0;  ///< Its bit, of a rule that holds.
  };
  /// The rules about what is asked: the first of each kind, and all that hold it.
  struct Matches {
    RuleNumber denies = no_rule;
    RuleNumber holds = no_rule;
    RuleNumber allows = no_rule;
    std::uint64_t all_holds = 0;
  };
  struct MaskUse {
    std::size_t index = 0;
    MaskDirection on = MaskDirection::response;
    std::vector<std::string> except_groups;
  };
  using RulesByName = std::unordered_map<std::string, std::vector<RuleNumber>>;

  [[nodiscard]] Ruling ruling_of(RuleNumber rule) const noexcept;
  [[nodiscard]] Matches match(const PrincipalView& principal, const SqlAction& action,
                              const SqlFacts* facts) const noexcept;
  [[nodiscard]] static bool applies(const Rule& rule, const SqlAction& action,
                                    const SqlFacts* facts) noexcept;
  [[nodiscard]] Limiting limits_of(const PrincipalView& principal,
                                   const SqlAction& action) const noexcept;
  void add_limits(const PrincipalView& principal, const SqlAction& action, const SqlFacts* facts,
                  Limiting& limits) const noexcept;
  [[nodiscard]] MethodSet method_bit(std::string_view method) const noexcept;
  /// The rules that hold a request, by their bits; those that only wait for the body.
  struct Holding {
    std::uint64_t holds = 0;
    bool is_pending = false;
  };
  [[nodiscard]] Holding holding(const PrincipalView& principal,
                                const RuleQuery& query) const noexcept;

  PathTable paths_;
  std::vector<PatternSource> header_patterns_;
  std::vector<PatternSource> body_patterns_;
  std::vector<PatternSource> sql_patterns_;
  std::vector<RateRule> rates_;
  std::vector<HoldRule> holds_;
  std::vector<RuleIndex> held_requests_;  ///< By the bit of the rule that holds.
  std::uint64_t authenticated_holds_ = 0;
  std::uint64_t anonymous_holds_ = 0;
  std::vector<Rule> rules_;           ///< By strictness; a RuleNumber is an index.
  std::vector<std::string> methods_;  ///< A method's bit is its place here.
  RuleIndex authenticated_;           ///< Rules for everyone with a proof.
  RuleIndex anonymous_;               ///< Rules for those without.
  std::vector<RuleNumber> authenticated_sql_;
  std::vector<std::vector<Clause>> named_clauses_;  ///< By rule; empty for the others.
  RulesByName by_subject_;
  RulesByName by_group_;
  std::vector<MaskUse> masks_;
  std::uint64_t id_ = 0;
};

/// What is wrong with a method as a rule writes it; methods are case-sensitive
/// tokens (RFC 9110 §9.1).
std::optional<std::string> method_fault(std::string_view method);

}  // namespace sluice::config
