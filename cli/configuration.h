// Loading the configuration for a verb, with its problems told to the operator.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/model/settings.h"

namespace sluice::cli {

/// Nothing when there are problems; they were printed to stderr.
std::optional<config::Settings> load_settings(std::string_view verb, const std::string& path);

}  // namespace sluice::cli
