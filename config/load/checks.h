// What no single key shows: names that must meet, limits that must fit.
#pragma once

#include <vector>

#include "config/load/load.h"
#include "config/load/reader.h"

namespace sluice::config {

void check_settings(const Settings& settings, const Places& places, std::vector<Problem>& problems);

}  // namespace sluice::config
