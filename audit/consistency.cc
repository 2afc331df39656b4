#include "audit/consistency.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "audit/compact_range.h"
#include "audit/reader.h"
#include "audit/segment.h"
#include "audit/segment_reader.h"
#include "base/assert.h"

namespace sluice::audit {
namespace {

constexpr std::uint8_t inner_prefix = 0x01;

/// Roots of any ranges of the tree that a proof asks for, from those of the perfect
/// subtrees left and right of the smaller tree's end.
class Roots {
 public:
  Roots(const CompactRange& before, const CompactRange& after) {
    for (const CompactRange* range : {&before, &after}) {
      const auto more = range->subtrees();
      known_.insert(known_.end(), more.begin(), more.end());
    }
  }

  [[nodiscard]] Hash of(std::uint64_t begin, std::uint64_t end) const {
    const auto found = std::ranges::lower_bound(known_, begin, {}, &CompactRange::Subtree::begin);
    if (found != known_.end() && found->begin == begin && found->end == end) return found->hash;
    ASSERT(end - begin > 1);
    const std::uint64_t middle = begin + std::bit_floor(end - begin - 1);
    return sha256_node(inner_prefix, of(begin, middle), of(middle, end));
  }

 private:
  std::vector<CompactRange::Subtree> known_;
};

/// RFC 6962 §2.1.2: SUBPROOF(m, D[begin:end], is_whole), where m leads to `at`.
void add_proof(const Roots& roots, std::uint64_t at, std::uint64_t begin, std::uint64_t end,
               bool is_whole, std::vector<Hash>& out) {
  if (at == end) {
    if (!is_whole) out.push_back(roots.of(begin, end));
    return;
  }
  const std::uint64_t middle = begin + std::bit_floor(end - begin - 1);
  if (at <= middle) {
    add_proof(roots, at, begin, middle, is_whole, out);
    out.push_back(roots.of(middle, end));
  } else {
    add_proof(roots, at, middle, end, false, out);
    out.push_back(roots.of(begin, middle));
  }
}

struct Start {
  std::uint64_t size = 0;
  std::vector<Hash> frontier;
};

/// What the header of the segment that holds record `index` says of all before it.
Result<Start> start_before(const std::filesystem::path& directory, std::uint64_t index) {
  const auto segments = count_segments(directory);
  if (!segments) return tl::unexpected(segments.error());
  for (std::uint64_t number = *segments; number > 0; --number) {
    auto header = read_header(segment_path(directory, number));
    // The last may be just being made.
    if (!header && number == *segments) continue;
    if (!header) return tl::unexpected(header.error());
    if (header->first_record <= index) {
      return Start{header->first_record, std::move(header->frontier)};
    }
  }
  return fail("the log has no segments");
}

std::vector<Hash> proof_between(const CompactRange& left, const CompactRange& right) {
  std::vector<Hash> out;
  if (left.end() > 0 && left.end() < right.end()) {
    add_proof(Roots(left, right), left.end(), 0, right.end(), true, out);
  }
  return out;
}

}  // namespace

bool is_consistent(const TreeHead& before, const TreeHead& now,
                   std::span<const Hash> proof) noexcept {
  if (before.size > now.size) return false;
  if (before.size == now.size) return proof.empty() && before.root == now.root;
  if (before.size == 0) return proof.empty() && before.root == Tree{}.root();
  std::uint64_t first = before.size - 1;
  std::uint64_t second = now.size - 1;
  for (; (first & 1U) != 0; first >>= 1U) second >>= 1U;
  const bool is_perfect = std::has_single_bit(before.size);
  if (!is_perfect && proof.empty()) return false;
  Hash old_root = is_perfect ? before.root : proof.front();
  Hash new_root = old_root;
  for (const Hash& hash : proof.subspan(is_perfect ? 0 : 1)) {
    if (second == 0) return false;
    if ((first & 1U) != 0 || first == second) {
      old_root = sha256_node(inner_prefix, hash, old_root);
      new_root = sha256_node(inner_prefix, hash, new_root);
      for (; (first & 1U) == 0 && first != 0; first >>= 1U) second >>= 1U;
    } else {
      new_root = sha256_node(inner_prefix, new_root, hash);
    }
    first >>= 1U;
    second >>= 1U;
  }
  return second == 0 && old_root == before.root && new_root == now.root;
}

Result<ConsistencyProof> prove_consistency(const std::filesystem::path& directory,
                                           std::uint64_t before, std::uint64_t now) {
  const auto start = start_before(directory, before);
  if (!start) return tl::unexpected(start.error());
  CompactRange left(0);
  if (!left.append_range(start->size, start->frontier)) {
    return fail("a segment's header does not fit its place in the log");
  }
  CompactRange right(before);
  LogReader reader(directory, start->size);
  bool is_whole = true;
  const auto read = reader.read_until(
      now,
      [&](std::uint64_t index, ByteView record) {
        (index < before ? left : right).append_leaf(leaf_hash(record));
        return true;
      },
      [&](std::uint64_t begin, const RemovedRecords& removed) {
        // What stays has the tree of each checkpoint that was ever signed, and no other.
        is_whole = begin >= before || removed.end <= before;
        return is_whole &&
               (begin < before ? left : right).append_range(removed.end, removed.hashes);
      });
  if (!read) return tl::unexpected(read.error());
  if (!is_whole) return fail(fmt::format("no checkpoint of the log has {} records", before));
  if (right.end() != now) return fail("what stays of removed segments does not add up");
  return ConsistencyProof{left.root(), proof_between(left, right)};
}

TreeGrowth::TreeGrowth(const Tree& tree)
    : before_(TreeHead::of(tree)), frontier_(tree.frontier()) {}

std::vector<Hash> TreeGrowth::proof(const Tree& now) const {
  CompactRange left(0);
  CompactRange right(before_.size);
  std::vector<Hash> grown = joined_;
  // Of the tree's own subtrees those are new that begin behind what was there.
  const std::vector<Hash> frontier = now.frontier();
  std::uint64_t begin = 0;
  std::size_t next = 0;
  for (unsigned level = 64; level-- > 0;) {
    const std::uint64_t leaves = std::uint64_t{1} << level;
    if ((now.size() & leaves) == 0) continue;
    if (begin >= before_.size) grown.push_back(frontier[next]);
    begin += leaves;
    ++next;
  }
  ASSERT(left.append_range(before_.size, frontier_) && right.append_range(now.size(), grown));
  return proof_between(left, right);
}

}  // namespace sluice::audit
