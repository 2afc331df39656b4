// The keys of `notifications`: who is told of what waits for people, and how often that is tried.
#pragma once

#include "config/load/schema.h"

namespace sluice::config {

extern const Table notifications_table;

}  // namespace sluice::config
