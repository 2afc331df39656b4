// The Merkle tree of RFC 6962 §2.1, grown leaf by leaf. Only the frontier is
// kept: the roots of the perfect subtrees that the leaves so far fall into, one
// per set bit of the size.
#pragma once

#include <span>
#include <vector>

#include "audit/sha256.h"

namespace sluice::audit {

class Tree {
 public:
  /// leaf_input   0x00 followed by the record: a record frame's body.
  void append(ByteView leaf_input) noexcept;
  void append_hash(Hash leaf) noexcept;
  /// The same; `join(level, right)` is told of each inner node's right child, which has
  /// 2^level leaves and ends with this one.
  template <class Join>
  void append_hash(Hash leaf, Join&& join) noexcept;

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// The tree head; SHA-256 of nothing when empty.
  [[nodiscard]] Hash root() const noexcept;

  /// Subtree roots, the largest first.
  [[nodiscard]] std::vector<Hash> frontier() const;
  /// A tree of `size` leaves from its frontier; false when the count does not fit.
  static bool from_frontier(std::uint64_t size, std::span<const Hash> frontier, Tree& out);

 private:
  static constexpr std::uint8_t inner_prefix = 0x01;

  std::array<Hash, 64> subtree_{};  ///< [i] covers 2^i leaves; live when bit i of size_ is set.
  std::uint64_t size_ = 0;
};

template <class Join>
void Tree::append_hash(Hash leaf, Join&& join) noexcept {
  std::size_t level = 0;
  for (; ((size_ >> level) & 1U) != 0; ++level) {
    join(level, leaf);
    leaf = sha256_node(inner_prefix, subtree_[level], leaf);
  }
  subtree_[level] = leaf;
  ++size_;
}

}  // namespace sluice::audit
