// A record as one line for people.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace sluice::cli {

/// record  as audit::to_json() has it.
[[nodiscard]] std::string record_line(const nlohmann::ordered_json& record);

}  // namespace sluice::cli
