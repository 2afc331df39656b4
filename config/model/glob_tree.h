// Globs that are read the same way, as a tree of their segments: a path is followed
// through all of them at once, at the cost of its own segments and not of their number.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/path_glob.h"

namespace sluice::config {

/// How a glob treats spellings that some servers take for the same resource.
enum class GlobReading : unsigned char {
  exact,  ///< For allow: nothing but what is written.
  wide,  ///< For deny and hold: case, path parameters (";…") and one trailing slash do not evade.
};

/// What looking up a path needs besides the globs; one for each thread.
class PathSearch {
 public:
  /// Grows to what trees of so many nodes and globs need, and paths of so many bytes.
  void reserve(std::size_t nodes, std::size_t globs, std::size_t path_bytes);

 private:
  friend class GlobTree;
  friend class PathTable;

  std::vector<std::uint32_t> hits_;        ///< Globs that match.
  std::vector<std::uint32_t> now_;         ///< Nodes that the path has come to.
  std::vector<std::uint32_t> next_;        ///< The same behind the next segment.
  std::vector<std::uint64_t> node_steps_;  ///< By node: the step at which it was last come to.
  std::vector<std::uint64_t> glob_steps_;  ///< By glob: the search that last hit it.
  std::uint64_t step_ = 0;                 ///< Counts segments of all paths.
  std::uint64_t search_ = 0;
  std::string lower_;  ///< The path.
};

class GlobTree {
 public:
  explicit GlobTree(GlobReading reading) noexcept;

  /// Adds a glob under `number`, or returns the number of one that means the same.
  std::uint32_t add(std::span<const GlobSegment> segments, std::uint32_t number);

  [[nodiscard]] bool empty() const noexcept {
    return nodes_.size() == 1 && nodes_.front().covers == none;
  }
  [[nodiscard]] std::size_t node_count() const noexcept { return nodes_.size(); }

  /// Adds the numbers of globs that match to the search's hits, each once.
  /// path  normalised, beginning with '/'; for the wide reading in lower case.
  void find(std::string_view path, PathSearch& search) const noexcept;

 private:
  static constexpr std::uint32_t none = UINT32_MAX;

  /// Where the globs that begin with the same segments have got to.
  struct Node {
    std::uint32_t any_segment = none;       ///< Behind "*".
    std::uint32_t any_path = none;          ///< At "**": it is come to with this node.
    std::uint32_t ends = none;              ///< The glob that ends here.
    std::uint32_t covers = none;            ///< The one that goes on with a last "**".
    bool stays = false;                     ///< It is a "**".
    bool allows_slash = false;              ///< The glob that ends here, behind it.
    std::vector<std::uint32_t> head_sizes;  ///< Of its patterns: bytes before the first star.
  };
  /// What a text leads to at a node.
  struct Edge {
    std::uint64_t hash = 0;
    std::uint32_t node = none;
    std::uint32_t literal = none;  ///< The node behind it.
    std::uint32_t pattern = none;  ///< The first of the patterns that begin with it.
    std::string text;
  };
  struct Pattern {
    std::string text;
    std::string with_parameters;  ///< For the wide reading: the same, and ";…" behind it.
    std::uint32_t node = none;    ///< Behind it.
    std::uint32_t next = none;    ///< Another one that begins alike.
  };

  std::uint32_t add_segment(std::uint32_t node, const GlobSegment& segment);
  std::uint32_t add_pattern(std::uint32_t node, const std::string& text);
  std::uint32_t child(std::uint32_t& slot);
  Edge& edge(std::uint32_t node, std::string_view text);
  void grow();
  [[nodiscard]] const Edge* find_edge(std::uint32_t node, std::string_view text) const noexcept;
  void come_to(std::uint32_t node, std::vector<std::uint32_t>& nodes,
               PathSearch& search) const noexcept;
  void pass(std::uint32_t node, std::string_view segment, PathSearch& search) const noexcept;
  void pass_literal(std::uint32_t node, std::string_view text, PathSearch& search) const noexcept;
  [[nodiscard]] bool matches(const Pattern& pattern, std::string_view segment) const noexcept;
  static void hit(std::uint32_t glob, PathSearch& search) noexcept;

  GlobReading reading_;
  std::vector<Node> nodes_;
  std::vector<Edge> edges_;  ///< Open addressing; a power of two long, at most half full.
  std::size_t edge_count_ = 0;
  std::vector<Pattern> patterns_;
};

}  // namespace sluice::config
