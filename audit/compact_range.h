// Neighbouring leaves of a Merkle tree, as the roots of the perfect subtrees they fall
// into: what stands for all that a package leaves out, left and right of its range.
//
// source   RFC 6962 §2.1 for the tree. The subtrees of a range are determined by its two
//          ends alone: each is the largest that begins where the last one ended, lies at
//          a multiple of its size, and does not reach past the end.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "audit/sha256.h"
#include "base/bytes.h"

namespace sluice::audit {

class CompactRange {
 public:
  explicit CompactRange(std::uint64_t begin) noexcept : begin_(begin), end_(begin) {}

  /// leaf   SHA-256(0x00 ‖ record)
  void append_leaf(const Hash& leaf) { append_subtree(0, leaf); }
  /// Of 2^level leaves; it lies at a multiple of its size.
  void append_subtree(unsigned level, Hash hash);
  /// The subtrees of [end(), `end`), as hashes() of that range gives them. False when
  /// their number does not fit.
  [[nodiscard]] bool append_range(std::uint64_t end, std::span<const Hash> hashes);

  [[nodiscard]] std::uint64_t begin() const noexcept { return begin_; }
  [[nodiscard]] std::uint64_t end() const noexcept { return end_; }
  /// From left to right.
  [[nodiscard]] std::vector<Hash> hashes() const;
  struct Subtree {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    Hash hash{};
  };
  [[nodiscard]] std::vector<Subtree> subtrees() const;
  /// Of the tree of `end()` leaves; only for a range that begins at 0.
  [[nodiscard]] Hash root() const noexcept;

 private:
  struct Perfect {
    unsigned level = 0;  ///< It has 2^level leaves.
    Hash hash{};
  };

  std::uint64_t begin_;
  std::uint64_t end_;
  std::vector<Perfect> subtrees_;
};

/// The hash of a record as a leaf.
Hash leaf_hash(ByteView record);

}  // namespace sluice::audit
