// What stays of a sealed segment that retention removed: its header, its commits, and in
// the place of its records the roots of the subtrees that they fall into between one commit
// and the next. So the log still adds up to each checkpoint that was ever signed, while
// nothing of what the records said is there. Records of removals and legal holds stay, and seals.
//
// It takes three steps, and a record between them: the stand-in is drafted, a record of the
// log names it by its digest, and it takes the segment's place.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "audit/file.h"
#include "audit/record_fields.h"
#include "audit/sha256.h"
#include "base/result.h"

namespace sluice::audit {

/// The event of the record that names it; its detail begins with name_of(), and a semicolon.
inline constexpr std::string_view removed_event = "segment-removed";
/// Of the record that names a recording which was removed (recordings/retention.h).
inline constexpr std::string_view recording_removed_event = "recording-removed";
inline constexpr std::string_view hold_added_event = "legal-hold-added";
inline constexpr std::string_view hold_released_event = "legal-hold-released";

/// Records of what retention did, and was told, outlive what they are about; and so do
/// seals, each of which the next one needs, and what says that a log stands behind another.
bool outlives_segment(const RecordFields& record) noexcept;

struct StandIn {
  std::uint64_t segment = 0;
  std::uint64_t first_record = 0;
  std::uint64_t end_record = 0;  ///< One behind the segment's last.
  Hash root{};                   ///< Of the tree up to there.
  Hash digest{};                 ///< SHA-256 of the stand-in's file.
};
std::string name_of(const StandIn& stand_in);

struct StandInDraft {
  StandIn stand_in;
  std::uint64_t segment_bytes = 0;  ///< As it was written.
  std::uint64_t first_ns = 0;       ///< Time of its earliest record.
  std::uint64_t last_ns = 0;        ///< Of its latest.
};

/// Durable, beside the segment.
/// errors   the segment does not add up in itself: then it is to be looked at, not removed;
///          the disk, or `stop`.
Result<StandInDraft> draft_stand_in(Disk& disk, const std::filesystem::path& directory,
                                    std::uint64_t segment, const std::atomic<bool>& stop);
void drop_draft(const std::filesystem::path& directory, std::uint64_t segment);
/// Puts the draft in the segment's place. Whatever interrupts it, one of them is found.
Result<void> place_stand_in(Disk& disk, const std::filesystem::path& directory,
                            std::uint64_t segment);
/// Removes what a stand-in stands for, where it was placed and the rest interrupted.
Result<void> finish_removal(Disk& disk, const std::filesystem::path& directory,
                            std::uint64_t segment);

Result<Hash> digest_of_stand_in(const std::filesystem::path& directory, std::uint64_t segment);

}  // namespace sluice::audit
