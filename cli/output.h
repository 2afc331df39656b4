// How verbs talk: results on stdout, complaints on stderr.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string_view>

#include "cli/exit_code.h"

namespace sluice::cli {

/// "sluice VERB: what went wrong" on stderr; returns `code` for the caller to leave with.
inline ExitCode complain(std::string_view verb, std::string_view what, ExitCode code) {
  fmt::print(stderr, "sluice {}: {}\n", verb, what);
  return code;
}

}  // namespace sluice::cli
