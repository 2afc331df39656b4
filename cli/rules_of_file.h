// Rules as verbs send them to a gateway.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice::cli {

/// "current", or a digest as records have it: of a version that the gateway's log has.
[[nodiscard]] bool is_version(std::string_view text);

/// The policies and masks of a configuration file and its conf.d.
/// nothing   the operator is told why.
std::optional<std::string> rules_of_file(std::string_view verb, const std::string& path);

}  // namespace sluice::cli
