#include "audit/chain.h"

#include <fmt/format.h>

#include "audit/compact_range.h"
#include "audit/frame.h"
#include "audit/record_view.h"
#include "base/assert.h"
#include "base/text_codec.h"

namespace sluice::audit {

Result<void> Chain::resume(const SegmentHeader& header) {
  if (header.origin != origin_) {
    return fail(
        fmt::format("the segment belongs to log \"{}\", not to \"{}\"", header.origin, origin_));
  }
  if (!Tree::from_frontier(header.first_record, header.frontier, tree_)) {
    return fail("the header's frontier does not fit its record count");
  }
  commits_ = header.commits;
  uncommitted_ = 0;
  positions_.clear();
  for (const auto& position : header.positions) {
    positions_[{position.epoch, position.worker}] = position.sequence;
  }
  return {};
}

Result<void> Chain::check_header(const SegmentHeader& header, std::uint64_t segment) const {
  if (header.origin != origin_) {
    return fail(
        fmt::format("the segment belongs to log \"{}\", not to \"{}\"", header.origin, origin_));
  }
  if (header.segment != segment) {
    return fail(fmt::format("the file holds segment {}, expected {}", header.segment, segment));
  }
  if (uncommitted_ != 0) {
    return fail(fmt::format("{} records of the segment before were never committed", uncommitted_));
  }
  if (header.first_record != tree_.size() || header.commits != commits_) {
    return fail(fmt::format(
        "the segment begins at record {} after {} commits, but the log before it has {} records "
        "and {} commits",
        header.first_record, header.commits, tree_.size(), commits_));
  }
  if (header.frontier != tree_.frontier()) {
    return fail("the segment continues other records than those before it");
  }
  for (const auto& claimed : header.positions) {
    const std::uint64_t known = position(claimed.epoch, claimed.worker);
    if (claimed.sequence != known) {
      return fail(fmt::format("the header puts worker {} of epoch {:016x} at {}, the log at {}",
                              claimed.worker, claimed.epoch, claimed.sequence, known));
    }
  }
  return {};
}

Result<void> Chain::add_record(ByteView body) {
  const auto origin = origin_of(body.subspan(1));
  if (!origin) return fail("the frame's content is not a record");
  auto& last = positions_[{origin->epoch, origin->worker}];
  if (origin->sequence != last + 1) {
    return fail(fmt::format("worker {} of epoch {:016x} jumps from sequence {} to {}",
                            origin->worker, origin->epoch, last, origin->sequence));
  }
  last = origin->sequence;
  tree_.append(body);
  ++uncommitted_;
  return {};
}

Result<void> Chain::add_removed(ByteView payload) {
  const auto removed = parse_removed(payload);
  if (!removed) return fail("the frame does not say what was removed");
  CompactRange all(0);
  ASSERT(all.append_range(tree_.size(), tree_.frontier()));
  if (removed->end <= tree_.size() || !all.append_range(removed->end, removed->hashes)) {
    return fail("the hashes of removed records do not fit their place");
  }
  const std::uint64_t count = removed->end - tree_.size();
  std::uint64_t passed = 0;
  for (const Position& position : removed->positions) {
    auto& last = positions_[{position.epoch, position.worker}];
    if (position.sequence <= last) return fail("a worker goes back in removed records");
    passed += position.sequence - std::exchange(last, position.sequence);
  }
  if (passed != count) {
    return fail(fmt::format("{} records were removed, their workers passed {}", count, passed));
  }
  ASSERT(Tree::from_frontier(removed->end, all.hashes(), tree_));
  uncommitted_ += count;
  return {};
}

Result<SignedCheckpoint> Chain::add_commit(ByteView payload) {
  std::uint64_t number = 0;
  if (payload.size() < sizeof number) return fail("the commit frame is too short");
  std::memcpy(&number, payload.data(), sizeof number);
  if (number != commits_ + 1) {
    return fail(fmt::format("commit {} follows commit {}", number, commits_));
  }
  auto signed_checkpoint = parse_checkpoint(as_text(payload.subspan(sizeof number)));
  if (!signed_checkpoint) return signed_checkpoint;
  const Checkpoint& checkpoint = signed_checkpoint->checkpoint;
  if (checkpoint.origin != origin_) {
    return fail(
        fmt::format("the commit belongs to log \"{}\", not to \"{}\"", checkpoint.origin, origin_));
  }
  if (checkpoint.size != tree_.size()) {
    return fail(fmt::format("the checkpoint signs {} records, the log has {} here", checkpoint.size,
                            tree_.size()));
  }
  if (checkpoint.root != tree_.root()) {
    return fail(fmt::format("the records do not give the signed root (computed {}, signed {})",
                            to_hex(tree_.root()), to_hex(checkpoint.root)));
  }
  ++commits_;
  uncommitted_ = 0;
  return signed_checkpoint;
}

std::uint64_t Chain::position(std::uint64_t epoch, std::uint64_t worker) const {
  const auto found = positions_.find({epoch, worker});
  return found == positions_.end() ? 0 : found->second;
}

}  // namespace sluice::audit
