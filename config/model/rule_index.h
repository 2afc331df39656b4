// Which rules a set of pattern hits brings into play, found without walking the rules.
//
// A rule is a disjunction of clauses, each a conjunction of at most one path
// pattern, some header patterns and at most one body pattern, for a set of
// methods. Clauses with the same patterns share a group; a group keeps, per
// method, only the strictest rule. Looking up costs what the request's hits
// cost, however many rules there are.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::config {

/// Rules are numbered by strictness: a smaller number decides over a larger one.
using RuleNumber = std::uint32_t;
inline constexpr RuleNumber no_rule = UINT32_MAX;

/// Bit per method token the policy knows; the last bit is every other method.
using MethodSet = std::uint64_t;
inline constexpr MethodSet all_methods = ~MethodSet{0};

inline constexpr std::uint32_t no_pattern = UINT32_MAX;

/// One conjunction. Headers are ascending.
struct Clause {
  RuleNumber rule = no_rule;
  std::uint8_t kind = 0;  ///< Strictness class of the rule, below 8.
  MethodSet methods = all_methods;
  std::uint32_t path = no_pattern;
  std::vector<std::uint32_t> headers;
  std::uint32_t body = no_pattern;
};

/// A request as the index sees it. Hits are ascending.
struct RuleQuery {
  MethodSet method = 0;  ///< One bit.
  std::span<const std::uint32_t> path_hits;
  std::span<const std::uint32_t> header_hits;
  std::span<const std::uint32_t> body_hits;
  bool body_seen = false;
};

/// What was found; several lookups may add to one answer.
struct RuleAnswer {
  RuleNumber strictest = no_rule;
  std::uint8_t pending_kinds = 0;  ///< Bit per kind of a rule that waits only for the body.
};

class RuleIndex {
 public:
  RuleIndex() = default;
  explicit RuleIndex(std::span<const Clause> clauses);

  /// Allocates nothing.
  void look_up(const RuleQuery& query, RuleAnswer& answer) const noexcept;

 private:
  struct Key {
    std::uint32_t path = no_pattern;
    std::uint32_t header = no_pattern;  ///< The clause's rarest; the others are checked after.
    std::uint32_t body = no_pattern;
    bool operator==(const Key&) const = default;
  };
  struct Entry {
    MethodSet methods = 0;
    RuleNumber rule = no_rule;
    std::uint8_t kind = 0;
    std::uint8_t headers_count = 0;  ///< Further headers, in headers_.
    std::uint32_t headers_from = 0;
  };
  /// A slot of the table. The first entry lies in it: most groups have no other,
  /// so that finding a group and reading it costs one cache line.
  struct Group {
    Key key;
    std::uint32_t others_from = 0;   ///< Entries that decide, behind `first`.
    std::uint32_t pending_from = 0;  ///< Entries that wait for some body pattern.
    std::uint32_t end = 0;
    Entry first;
    bool is_used = false;
  };

  void add_group(const Key& key, std::span<const Clause* const> decides,
                 std::span<const Clause* const> pending);
  Entry entry_of(const Clause& clause, const Key& key, MethodSet methods);
  [[nodiscard]] const Group* find(const Key& key) const noexcept;
  [[nodiscard]] bool applies(const Entry& entry, const RuleQuery& query) const noexcept;
  void consult(const Key& key, const RuleQuery& query, RuleAnswer& answer) const noexcept;
  void look_up_path(std::uint32_t path, const RuleQuery& query, RuleAnswer& answer) const noexcept;
  static std::uint64_t hash(const Key& key) noexcept;

  std::vector<Group> groups_;  ///< Open addressing; a power of two long, or empty.
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> headers_;
  bool has_headers_ = false;
  bool has_bodies_ = false;
};

}  // namespace sluice::config
