// conf.d: several files read as one tree.
#pragma once

#include <vector>

#include "config/load/yaml_tree.h"

namespace sluice::config {

/// Appends the lists of `part` to those of `whole` and adds its keys; a single
/// value given in both is a problem that names both places.
void merge(YamlNode& whole, YamlNode part, std::vector<Problem>& problems);

}  // namespace sluice::config
