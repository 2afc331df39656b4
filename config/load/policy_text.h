// The configuration as one text for the audit log: what was in force, with
// references in place of secrets, and without comments.
#pragma once

#include <map>
#include <string>

#include "config/load/yaml_tree.h"

namespace sluice::config {

/// What was written: each value is a text, whatever it stands for.
std::string json_text(const YamlNode& node);

/// JSON: the sections as they were written and merged, and the variables of the
/// environment that they take. Equal for equal configurations.
std::string policy_text(const YamlNode& whole, const std::map<std::string, std::string>& variables);

}  // namespace sluice::config
