// What the bytes of a log add up to, frame by frame: the tree, the count of
// commits, and how far each worker has come. Recovery and verification both
// walk the log through this, so they cannot disagree about what is valid.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "audit/checkpoint.h"
#include "audit/merkle.h"
#include "audit/segment.h"

namespace sluice::audit {

class Chain {
 public:
  explicit Chain(std::string origin) : origin_(std::move(origin)) {}

  /// Takes over what a segment's header says of all that came before it.
  [[nodiscard]] Result<void> resume(const SegmentHeader& header);
  /// The header must say what this chain has added up itself.
  [[nodiscard]] Result<void> check_header(const SegmentHeader& header, std::uint64_t segment) const;

  /// body      of a record frame.
  [[nodiscard]] Result<void> add_record(ByteView body);
  /// payload   of a frame that stands for removed records.
  [[nodiscard]] Result<void> add_removed(ByteView payload);
  /// payload   of a commit frame. Compares size and root; the signature is for
  ///           the caller to check on what is returned.
  [[nodiscard]] Result<SignedCheckpoint> add_commit(ByteView payload);

  [[nodiscard]] const Tree& tree() const noexcept { return tree_; }
  [[nodiscard]] std::uint64_t commits() const noexcept { return commits_; }
  [[nodiscard]] std::uint64_t uncommitted() const noexcept { return uncommitted_; }
  /// Records under the last commit.
  [[nodiscard]] std::uint64_t committed_size() const noexcept {
    return tree_.size() - uncommitted_;
  }
  /// Sequence of the last record of that worker; 0 when the log has none.
  [[nodiscard]] std::uint64_t position(std::uint64_t epoch, std::uint64_t worker) const;

 private:
  using WorkerKey = std::pair<std::uint64_t, std::uint64_t>;

  std::string origin_;
  Tree tree_;
  std::uint64_t commits_ = 0;
  std::uint64_t uncommitted_ = 0;
  std::map<WorkerKey, std::uint64_t> positions_;
};

}  // namespace sluice::audit
