// All JSON paths of a program as one tree; which of its nodes the place in a
// text stands for is kept by the reader, one set of nodes per open container.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "matcher/byte_block.h"
#include "matcher/mask_rule.h"
#include "matcher/name_hash.h"
#include "matcher/value_state.h"

namespace sluice::matcher {

/// Where a step from a container to one of its values leads.
struct PathTarget {
  PathNodes nodes;  ///< For the value's own values, if it is a container.
  RuleSet rules;    ///< Rules with a path that ends at this value.
};

class PathTree {
 public:
  PathTree();

  /// errors  what is wrong with `text`, and at which byte of it.
  Result<void> add(std::string_view text, std::size_t rule);

  [[nodiscard]] bool is_empty() const noexcept { return rules_.none(); }
  [[nodiscard]] const RuleSet& rules() const noexcept { return rules_; }

  /// Nodes for the values of a container of which neither a name nor a place counts.
  [[nodiscard]] PathNodes below(const PathNodes& from) const noexcept { return from & staying_; }
  /// Whether any member or some elements of the container count, whatever their names.
  [[nodiscard]] bool selects_by_place(const PathNodes& from) const noexcept {
    return (from & by_place_).any();
  }
  /// A first look at the two bytes behind a name's opening quote.
  [[nodiscard]] bool may_be_name(const std::uint8_t* name) const noexcept {
    return (first_bytes_[name[0]] & second_bytes_[name[1]]) != 0;
  }

  /// The second bytes behind those quotes, for a look at many bytes at once.
  void add_second_bytes(ByteClasses& classes, int bit) const noexcept;

  [[nodiscard]] PathTarget root() const noexcept;
  /// A name longer than name_bytes_max may be cut to name_bytes_max + 1 bytes.
  [[nodiscard]] PathTarget member(const PathNodes& from, std::string_view name) const noexcept;
  [[nodiscard]] PathTarget element(const PathNodes& from, std::uint32_t index) const noexcept;

 private:
  struct Step;
  enum class Selector : std::uint8_t { any, name, index };
  struct Edge {
    Selector selector = Selector::any;
    std::uint32_t value = 0;  ///< Id of the name, or the index.
    std::uint32_t target = 0;
  };
  /// A node; those that only end paths are not in the sets the reader keeps.
  struct Node {
    std::vector<Edge> edges;
    RuleSet rules;
    std::int16_t set_index = -1;  ///< Bit in PathNodes; -1 while it has no edges.
    std::int32_t below = -1;      ///< Node that stays in the sets of all descendants.
  };
  static constexpr std::uint32_t no_name = 0xFFFFFFFF;

  static Result<std::vector<Step>> parse(std::string_view text);
  Result<std::uint32_t> edge_from(std::uint32_t node, const Edge& wanted);
  Result<void> ensure_in_sets(std::uint32_t node);
  void reach(std::uint32_t node, PathTarget& target) const noexcept;
  [[nodiscard]] std::uint32_t id_of(std::string_view name) const noexcept;
  std::uint32_t add_name(const std::string& name);
  template <class Matches>
  [[nodiscard]] PathTarget follow(const PathNodes& from, Matches&& matches) const noexcept;

  std::vector<Node> nodes_;
  std::vector<std::uint32_t> in_sets_;  ///< Node by bit.
  PathNodes staying_;                   ///< Bits of nodes that stay for descendants.
  NameMap<std::uint32_t> names_;
  PathNodes by_place_;  ///< Bits of nodes with an edge for any value or an index.
  /// What names begin with, the closing quote included, in eight groups of names.
  std::array<std::uint8_t, 256> first_bytes_{};
  std::array<std::uint8_t, 256> second_bytes_{};
  RuleSet rules_;
};

}  // namespace sluice::matcher
