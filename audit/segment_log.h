// The writing end of the log on disk: stages a batch of record frames, then
// commits it with one write and one sync: header if the segment is new, records,
// signed checkpoint. Used by start-up for recovered records and by the writer
// thread for all others; one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/consistency.h"
#include "audit/file.h"
#include "audit/frame.h"
#include "audit/log_signer.h"
#include "audit/ring.h"
#include "audit/segment.h"

namespace sluice::audit {

/// Where the log on disk stands when a process begins to write.
struct LogEnd {
  std::uint64_t segments = 0;  ///< Existing ones; writing begins in the next.
  std::uint64_t commits = 0;
  Tree tree;
};

class SegmentLog {
 public:
  static constexpr std::size_t batch_bytes_max = std::size_t{4} << 20;

  SegmentLog(Disk& disk, std::filesystem::path directory, LogSigner& signer,
             std::size_t segment_bytes, LogEnd end);

  /// Whose records will be staged: `slot` of `stage` indexes this list.
  void set_positions(std::vector<Position> positions) { positions_ = std::move(positions); }
  [[nodiscard]] const std::vector<Position>& positions() const noexcept { return positions_; }

  /// Before the first `stage` of a batch: opens a new segment when it is time.
  [[nodiscard]] Result<void> begin_batch();
  [[nodiscard]] bool is_batch_full() const noexcept { return batch_.size() >= batch_bytes_max; }
  /// Takes a whole, checked record frame.
  void stage(ByteView frame, std::size_t slot);
  /// Everything staged is durable and signed when this returns well. After a
  /// failure only `continue_at` may be called.
  [[nodiscard]] Result<void> commit();
  /// Forgets what was begun and goes on in a new segment behind `end`.
  void continue_at(const LogEnd& end);

  /// What to distrust when this log fails: nothing before its first segment.
  [[nodiscard]] FailureMark trusted() const noexcept {
    return file_ ? FailureMark{segment_, segment_bytes_} : FailureMark{};
  }
  [[nodiscard]] const Tree& tree() const noexcept { return tree_; }
  [[nodiscard]] LogSigner& signer() noexcept { return signer_; }
  [[nodiscard]] std::uint64_t commits() const noexcept { return commits_; }
  [[nodiscard]] std::uint64_t bytes_written() const noexcept { return bytes_written_; }

 private:
  [[nodiscard]] Result<void> open_segment();
  [[nodiscard]] Result<void> publish_checkpoint(const std::string& note);
  void add_frame(FrameType type, ByteView payload);

  Disk& disk_;
  std::filesystem::path directory_;
  LogSigner& signer_;
  std::size_t segment_bytes_max_;

  Tree tree_;
  TreeGrowth growth_;  ///< Since what the last commit signed.
  std::uint64_t commits_;
  std::vector<Position> positions_;
  std::vector<std::uint8_t> batch_;

  std::uint64_t segment_;            ///< Number of the last segment begun.
  std::uint64_t segment_bytes_ = 0;  ///< Durable in it.
  std::unique_ptr<File> file_;       ///< Nothing before the first batch.
  bool is_name_durable_ = true;
  std::unique_ptr<File> checkpoint_file_;
  std::size_t checkpoint_bytes_ = 0;
  std::uint64_t bytes_written_ = 0;
};

/// Gives the file new content, or makes it, as one step and durably.
[[nodiscard]] Result<void> replace_file(Disk& disk, const std::filesystem::path& path,
                                        std::string_view content);

}  // namespace sluice::audit
