// The keys of `audit`: the log, who signs it, how long it stays, where it goes.
#pragma once

#include "config/load/schema.h"

namespace sluice::config {

extern const Table audit_table;

}  // namespace sluice::config
