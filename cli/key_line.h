// A public key as it is given on the command line.
#pragma once

#include <string>

#include "base/result.h"

namespace sluice::cli {

/// The line as given, or the first line of the file that `key` names.
Result<std::string> key_line(const std::string& key);

}  // namespace sluice::cli
