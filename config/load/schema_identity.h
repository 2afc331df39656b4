// The keys of `identity`: how callers prove who they are.
#pragma once

#include "config/load/schema.h"

namespace sluice::config {

extern const Table identity_table;

}  // namespace sluice::config
