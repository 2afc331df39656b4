// The report as one page: no resources from elsewhere, plots as inline SVG.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "load/report.h"

namespace sluice::load {

/// What the page says about how the run was made, in its order.
using Parameters = std::vector<std::pair<std::string, std::string>>;

std::string report_html(const Report& report, const Parameters& parameters);

}  // namespace sluice::load
