// What witnesses say of a package's log: their lines on a checkpoint, and the policy that names
// their keys (docs/audit_log.md, "Witnesses").
#pragma once

#include <string>
#include <vector>

#include "audit/witness_policy.h"
#include "base/instant.h"
#include "base/result.h"

namespace sluice::evidence {

struct SeenBy {
  std::string witness;  ///< The name of its key.
  WallTime when;
  std::string key;  ///< Verifier line.
};

/// The checkpoint with those of its lines that are of the policy's witnesses, and right.
/// Empty when there are none, or not as many as the policy's quorum asks for.
std::string cosigned_by(const audit::WitnessPolicy& policy,
                        const audit::CosignedCheckpoint& cosigned);

/// errors   a line is of none of the policy's witnesses, or wrong, or there is no line, or
///          not as many as the policy's quorum asks for.
Result<std::vector<SeenBy>> check_cosigned(const audit::WitnessPolicy& policy,
                                           const audit::CosignedCheckpoint& cosigned);

}  // namespace sluice::evidence
