// Reads committed records in order and remembers where it stopped, for whoever
// follows a log. `read_records` is the same for one call.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "audit/segment.h"
#include "audit/segment_reader.h"
#include "base/result.h"

namespace sluice::audit {

/// How many records the log has committed, as its checkpoint file says.
Result<std::uint64_t> committed_records(const std::filesystem::path& directory);

class LogReader {
 public:
  using Each = std::function<bool(std::uint64_t index, ByteView record)>;
  /// Is told of records that retention removed: those from `begin` on. False ends as `Each`.
  using Removed = std::function<bool(std::uint64_t begin, const RemovedRecords& removed)>;

  explicit LogReader(std::filesystem::path directory, std::uint64_t from_index = 0)
      : directory_(std::move(directory)), next_(from_index) {}

  /// Delivers committed records from where the last call stopped, until there
  /// are no more for now or `each` returns false. Returns the next index. Records that were
  /// removed are passed over.
  Result<std::uint64_t> read(const Each& each, const Removed& removed = {});
  /// The same up to `end`, whatever the checkpoint file says: after a power cut it may be
  /// older than the log.
  Result<std::uint64_t> read_until(std::uint64_t end, const Each& each,
                                   const Removed& removed = {});

 private:
  /// Opens the segment that holds record `next_`.
  Result<void> find_segment();
  Result<void> open_segment(std::uint64_t number);
  [[nodiscard]] tl::unexpected<Error> damaged(std::uint64_t offset) const;

  std::filesystem::path directory_;
  std::uint64_t next_;  ///< Index to deliver next.
  std::optional<SegmentReader> reader_;
  std::uint64_t segment_ = 0;  ///< Number of the open segment.
  std::uint64_t at_ = 0;       ///< Index of the reader's next record.
};

/// Calls `each` with every record's index and CBOR bytes in log order from
/// `from_index`, including committed records of the open segment, until it
/// returns false. Returns the index after the last one delivered.
Result<std::uint64_t> read_records(const std::filesystem::path& directory, std::uint64_t from_index,
                                   const LogReader::Each& each,
                                   const LogReader::Removed& removed = {});

}  // namespace sluice::audit
