// What is left of the log after its disk failed under a running gateway.
#pragma once

#include <span>

#include "audit/recovery.h"

namespace sluice::audit {

/// Proves that the disk takes writes again, cuts what the failed writer left behind its
/// last good sync, and reads the end of the log back as start-up does.
///
/// promised   how far each worker was told that its records are durable.
/// errors     the disk still fails, the log does not add up, or less is there than was
///            promised.
Result<SegmentRecovery> reread_log(Disk& disk, const std::filesystem::path& directory,
                                   const Verifier& verifier, const FailureMark& failure,
                                   std::span<const Position> promised);

}  // namespace sluice::audit
