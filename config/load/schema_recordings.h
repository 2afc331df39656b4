// The keys of `recordings`: where they are, who reads them, what they may take, how long they stay.
#pragma once

#include "config/load/schema.h"

namespace sluice::config {

extern const Table recordings_table;

}  // namespace sluice::config
