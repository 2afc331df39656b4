// The TLS of a snapshot: when it is compiled, and when only its files have changed.
#pragma once

#include "base/result.h"
#include "dataplane/session/snapshot.h"

namespace sluice::dataplane {

/// Plans the TLS of all its listeners and targets, from the files' texts in its settings.
/// errors  see plan_tls in tls_plan.h.
Result<void> plan_tls(Snapshot& snapshot);

}  // namespace sluice::dataplane
