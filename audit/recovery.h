// What start-up does to the segments an earlier process left: checks the end of
// the log against the checkpoint, and cuts what was written behind the last
// durable commit. Rings are emptied afterwards, by the log.
#pragma once

#include <optional>
#include <string>

#include "audit/chain.h"
#include "audit/file.h"
#include "audit/ring.h"
#include "audit/segment_log.h"

namespace sluice::audit {

struct SegmentRecovery {
  LogEnd end;
  Chain chain;
  std::string cut;  ///< What was cut, in words; empty when nothing.
};

/// failure   left by a writer that failed: bytes of that segment behind the
///           mark are cut even where they look well, for they may exist in the
///           page cache only.
/// errors    damage before the checkpoint, missing or replaced segments.
Result<SegmentRecovery> recover_segments(Disk& disk, const std::filesystem::path& directory,
                                         const Verifier& verifier, const FailureMark& failure);

}  // namespace sluice::audit
