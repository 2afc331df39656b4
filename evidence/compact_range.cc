#include "evidence/compact_range.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"

namespace sluice::evidence {
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

bool CompactRange::append_range(std::uint64_t end, std::span<const audit::Hash> hashes) {
  if (end < end_) return false;
  for (const audit::Hash& hash : hashes) {
    if (end_ == end) return false;
    append(level_at(end_, end), hash);
  }
  return end_ == end;
}

std::vector<audit::Hash> CompactRange::hashes() const {
  std::vector<audit::Hash> out;
  for (const Subtree& subtree : subtrees_) out.push_back(subtree.hash);
  return out;
}

audit::Hash CompactRange::root() const noexcept {
  ASSERT(begin_ == 0);
  if (subtrees_.empty()) return audit::sha256({});
  audit::Hash head = subtrees_.back().hash;
  for (std::size_t i = subtrees_.size() - 1; i-- > 0;) {
    head = audit::sha256_node(inner_prefix, subtrees_[i].hash, head);
  }
  return head;
}

void CompactRange::append(unsigned level, audit::Hash hash) {
  end_ += std::uint64_t{1} << level;
  // Two neighbours of one size make a larger subtree where that lies at a multiple of
  // its own size: its end does.
  while (!subtrees_.empty() && subtrees_.back().level == level &&
         std::countr_zero(end_) > static_cast<int>(level)) {
    hash = audit::sha256_node(inner_prefix, subtrees_.back().hash, hash);
    subtrees_.pop_back();
    ++level;
  }
  subtrees_.push_back({level, hash});
}

audit::Hash leaf_hash(ByteView record) {
  std::vector<std::uint8_t> input;
  input.reserve(1 + record.size());
  input.push_back(leaf_prefix);
  input.insert(input.end(), record.begin(), record.end());
  return audit::sha256(input);
}

}  // namespace sluice::evidence
