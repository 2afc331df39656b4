// What no single key of `notifications` shows.
#pragma once

#include <vector>

#include "config/load/load.h"
#include "config/load/reader.h"

namespace sluice::config {

void check_notifications(const Settings& settings, const Places& places,
                         std::vector<Problem>& problems);

}  // namespace sluice::config
