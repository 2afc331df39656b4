// "did you mean": the known word nearest to what was written.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sluice::config {

/// "did you mean 'x'?", or empty when nothing is near.
std::string suggestion_for(std::string_view written, std::span<const std::string_view> known);

}  // namespace sluice::config
