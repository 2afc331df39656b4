// That a larger tree continues a smaller one: proofs, made from the log and checked
// without it.
//
// source   RFC 6962 §2.1.2 for what a proof is, RFC 9162 §2.1.4.2 for checking it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "audit/merkle.h"
#include "base/result.h"

namespace sluice::audit {

struct TreeHead {
  std::uint64_t size = 0;
  Hash root{};

  static TreeHead of(const Tree& tree) noexcept { return {tree.size(), tree.root()}; }
  bool operator==(const TreeHead&) const = default;
};

[[nodiscard]] bool is_consistent(const TreeHead& before, const TreeHead& now,
                                 std::span<const Hash> proof) noexcept;

struct ConsistencyProof {
  Hash root_before{};
  std::vector<Hash> hashes;
};
/// Reads the log from the segment that holds record `before` to record `now`, whatever its
/// checkpoint file says.
/// errors   the log cannot be read, or has fewer records.
Result<ConsistencyProof> prove_consistency(const std::filesystem::path& directory,
                                           std::uint64_t before, std::uint64_t now);

/// What a tree grows by from now on: enough to prove, without the log, that it continues
/// what it is now. Costs no hash beside the tree's own.
class TreeGrowth {
 public:
  explicit TreeGrowth(const Tree& tree);

  /// Grows the tree; always the same one.
  void append(Tree& tree, ByteView leaf_input) {
    const std::uint64_t end = tree.size() + 1;
    tree.append_hash(sha256(leaf_input), [&](std::size_t level, const Hash& right) {
      const std::uint64_t leaves = std::uint64_t{1} << level;
      const bool is_new = end - leaves >= before_.size;
      const bool is_left_new = end - 2 * leaves >= before_.size;
      if (is_new && !is_left_new) joined_.push_back(right);
    });
  }

  [[nodiscard]] const TreeHead& before() const noexcept { return before_; }
  [[nodiscard]] std::vector<Hash> proof(const Tree& now) const;

 private:
  TreeHead before_;
  std::vector<Hash> frontier_;  ///< As it was.
  std::vector<Hash> joined_;    ///< New subtrees that became part of larger, older ones.
};

}  // namespace sluice::audit
