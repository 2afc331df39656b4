// From the command line to one verb's options.
#pragma once

#include <variant>

#include "cli/verbs.h"

namespace sluice::cli {

/// Either what to do, or the code to leave with: help was printed, or the usage
/// was wrong and says so on stderr.
std::variant<Command, ExitCode> parse_arguments(int argc, const char* const* argv);

}  // namespace sluice::cli
