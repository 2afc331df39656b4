// Who called, as records have it.
#pragma once

#include "audit/record.h"
#include "config/model/principal.h"
#include "dataplane/session/worker_context.h"

namespace sluice::dataplane {

/// The record's views live as long as the principal, its lists until the next call.
void describe_principal(const config::Principal& principal, audit::Record& record,
                        WorkerContext& worker) noexcept;

}  // namespace sluice::dataplane
