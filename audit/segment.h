// Segment files: their names, their first bytes, and the header frame.
//
//   segment-00000001.log = magic, header frame, (record frames, commit frame)…
//
// A sealed one may lie there compressed, as segment-00000001.log.zst; of one that retention
// removed, segment-00000001.removed stays (stand_in.h).
//
// Every header repeats what the segments before it add up to, so that start-up
// reads one segment instead of all, and so that a missing, swapped or replaced
// segment contradicts its neighbours.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "audit/merkle.h"
#include "base/bytes.h"
#include "base/result.h"

namespace sluice::audit {

inline constexpr std::string_view segment_magic = "sluice-segment1\n";
inline constexpr std::string_view checkpoint_name = "checkpoint";
inline constexpr std::string_view verifier_name = "verifier.pub";

/// How far one worker of one gateway process has come in the log.
struct Position {
  std::uint64_t epoch = 0;
  std::uint64_t worker = 0;
  std::uint64_t sequence = 0;  ///< Of its last record in the log; 0: none yet.
};

struct SegmentHeader {
  std::string origin;
  std::uint64_t segment = 0;
  std::uint64_t first_record = 0;   ///< Records before this segment.
  std::uint64_t commits = 0;        ///< Commits before this segment.
  std::vector<Hash> frontier;       ///< Of the tree over the records before.
  std::vector<Position> positions;  ///< Of the workers that write now, or that are recovered.
};

std::vector<std::uint8_t> encode_header(const SegmentHeader& header);
/// nothing   not a header of this format.
std::optional<SegmentHeader> parse_header(ByteView payload);

/// Stands for records that retention removed, in their place among the frames.
struct RemovedRecords {
  std::uint64_t end = 0;            ///< How many records the log has up to the last of them.
  std::vector<Hash> hashes;         ///< Of the subtrees that they fall into (compact_range.h).
  std::vector<Position> positions;  ///< Behind them, of the workers that they are of.
};

std::vector<std::uint8_t> encode_removed(const RemovedRecords& removed);
/// nothing   not of this format.
std::optional<RemovedRecords> parse_removed(ByteView payload);

std::filesystem::path segment_path(const std::filesystem::path& directory, std::uint64_t segment);
/// Where the same segment lies once it was sealed and compressed.
std::filesystem::path compressed_path(const std::filesystem::path& segment);
/// Where what stays of it lies once retention removed it.
std::filesystem::path stand_in_path(const std::filesystem::path& segment);

/// The numbers of the segments there. Fails when they are not 1, 2, 3 and so on.
Result<std::uint64_t> count_segments(const std::filesystem::path& directory);

/// A small file as a whole; nothing when it does not exist.
Result<std::optional<std::string>> read_small_file(const std::filesystem::path& path);
/// The same for a file that is being overwritten: reads until it sees the same twice.
Result<std::optional<std::string>> read_stable_file(const std::filesystem::path& path);

}  // namespace sluice::audit
