#include "audit/compact_range.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"

namespace sluice::audit {
namespace {

constexpr std::uint8_t leaf_prefix = 0x00;
constexpr std::uint8_t inner_prefix = 0x01;

/// Level of the subtree that begins at `at` and does not reach past `end`.
unsigned level_at(std::uint64_t at, std::uint64_t end) noexcept {
  const auto fits = static_cast<unsigned>(std::bit_width(end - at)) - 1;
  const auto aligned = static_cast<unsigned>(std::countr_zero(at));  // 64 for 0
  return std::min(fits, aligned);
}

}  // namespace

bool CompactRange::append_range(std::uint64_t end, std::span<const Hash> hashes) {
  if (end < end_) return false;
  for (const Hash& hash : hashes) {
    if (end_ == end) return false;
    append_subtree(level_at(end_, end), hash);
  }
  return end_ == end;
}

std::vector<Hash> CompactRange::hashes() const {
  std::vector<Hash> out;
  for (const Perfect& subtree : subtrees_) out.push_back(subtree.hash);
  return out;
}

std::vector<CompactRange::Subtree> CompactRange::subtrees() const {
  std::vector<Subtree> out;
  std::uint64_t at = begin_;
  for (const Perfect& subtree : subtrees_) {
    const std::uint64_t end = at + (std::uint64_t{1} << subtree.level);
    out.push_back({at, end, subtree.hash});
    at = end;
  }
  return out;
}

Hash CompactRange::root() const noexcept {
  ASSERT(begin_ == 0);
  if (subtrees_.empty()) return sha256({});
  Hash head = subtrees_.back().hash;
  for (std::size_t i = subtrees_.size() - 1; i-- > 0;) {
    head = sha256_node(inner_prefix, subtrees_[i].hash, head);
  }
  return head;
}

void CompactRange::append_subtree(unsigned level, Hash hash) {
  end_ += std::uint64_t{1} << level;
  // Two neighbours of one size make a larger subtree where that lies at a multiple of
  // its own size: its end does.
  while (!subtrees_.empty() && subtrees_.back().level == level &&
         std::countr_zero(end_) > static_cast<int>(level)) {
    hash = sha256_node(inner_prefix, subtrees_.back().hash, hash);
    subtrees_.pop_back();
    ++level;
  }
  subtrees_.push_back({level, hash});
}

Hash leaf_hash(ByteView record) {
  std::vector<std::uint8_t> input;
  input.reserve(1 + record.size());
  input.push_back(leaf_prefix);
  input.insert(input.end(), record.begin(), record.end());
  return sha256(input);
}

}  // namespace sluice::audit
