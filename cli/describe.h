// What a configuration really enforces, listener by listener: for `sluice check`.
#pragma once

#include <string>

#include "config/model/settings.h"

namespace sluice::cli {

/// For people.
std::string describe_text(const config::Settings& settings);
/// For programs: one JSON object.
std::string describe_json(const config::Settings& settings);

}  // namespace sluice::cli
