// Where a verb finds a credential: never on the command line, which is in the process table and in
// the shell's history.
#pragma once

#include <string>

#include "base/result.h"

namespace sluice::cli {

/// What "file:PATH" or "env:NAME" holds, without the line's end.
/// errors  with `option`, which names it: it is neither, cannot be read, or is empty.
Result<std::string> credential_at(const std::string& option, const std::string& reference);

}  // namespace sluice::cli
