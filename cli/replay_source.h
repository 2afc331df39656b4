// Where `sluice replay` has a recording's chunks from: a folder, or a gateway, which cannot read
// them either.
#pragma once

#include "base/result.h"
#include "cli/verbs.h"
#include "recordings/replay_reader.h"

namespace sluice::cli {

/// Of a gateway only what is asked for is fetched, chunk by chunk.
/// errors   told to the operator already.
Result<recordings::ReplaySource, ExitCode> replay_source(const ReplayOptions& options);

}  // namespace sluice::cli
