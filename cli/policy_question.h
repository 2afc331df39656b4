// Policy questions, put to a configuration that is at hand.
#pragma once

#include "base/result.h"
#include "control/api/policy.h"
#include "dataplane/session/rehearsal.h"

namespace sluice::cli {

/// errors   there is no such listener, or that is no operation of its protocol.
Result<control::api::PolicyAnswer> answer(dataplane::Rehearsal& rehearsal,
                                          const control::api::PolicyQuestion& question);

}  // namespace sluice::cli
