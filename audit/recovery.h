// What start-up does to the segments an earlier process left: checks the end of
// the log against the checkpoint, and cuts what was written behind the last
// durable commit. Rings are emptied afterwards, by the log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "audit/chain.h"
#include "audit/file.h"
#include "audit/ring.h"
#include "audit/segment_log.h"

namespace sluice::audit {

/// Of the last record of a gateway that ended by itself.
inline constexpr std::string_view closed_event = "log-closed";

/// The gateway that wrote last.
struct LastEpoch {
  std::uint64_t epoch = 0;    ///< 0: there is no record.
  std::uint64_t time_ns = 0;  ///< Of its last record.
  bool is_closed = true;      ///< It ended by itself: with "log-closed".
};

struct SegmentRecovery {
  LogEnd end;
  Chain chain;
  LastEpoch last;
  std::string cut;  ///< What was cut, in words; empty when nothing.
};

/// failure   left by a writer that failed: bytes of that segment behind the
///           mark are cut even where they look well, for they may exist in the
///           page cache only.
/// errors    damage before the checkpoint, missing or replaced segments.
Result<SegmentRecovery> recover_segments(Disk& disk, const std::filesystem::path& directory,
                                         const Verifier& verifier, const FailureMark& failure);

}  // namespace sluice::audit
