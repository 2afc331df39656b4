#include "audit/merkle.h"

#include <bit>

namespace sluice::audit {
void Tree::append(ByteView leaf_input) noexcept {
  append_hash(sha256(leaf_input));
}

void Tree::append_hash(Hash leaf) noexcept {
  append_hash(leaf, [](std::size_t, const Hash&) {});
}

Hash Tree::root() const noexcept {
  if (size_ == 0) return sha256({});
  auto level = static_cast<std::size_t>(std::countr_zero(size_));
  Hash head = subtree_[level];
  for (++level; level < subtree_.size(); ++level) {
    if (((size_ >> level) & 1U) != 0) head = sha256_node(inner_prefix, subtree_[level], head);
  }
  return head;
}

std::vector<Hash> Tree::frontier() const {
  std::vector<Hash> out;
  for (std::size_t level = subtree_.size(); level-- > 0;) {
    if (((size_ >> level) & 1U) != 0) out.push_back(subtree_[level]);
  }
  return out;
}

bool Tree::from_frontier(std::uint64_t size, std::span<const Hash> frontier, Tree& out) {
  if (frontier.size() != static_cast<std::size_t>(std::popcount(size))) return false;
  out = Tree{};
  out.size_ = size;
  std::size_t next = 0;
  for (std::size_t level = out.subtree_.size(); level-- > 0;) {
    if (((size >> level) & 1U) != 0) out.subtree_[level] = frontier[next++];
  }
  return true;
}

}  // namespace sluice::audit
