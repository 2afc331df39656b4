// How verbs talk: results on stdout, complaints on stderr.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "cli/exit_code.h"

namespace sluice::cli {

/// "sluice VERB: what went wrong" on stderr; returns `code` for the caller to leave with.
inline ExitCode complain(std::string_view verb, std::string_view what, ExitCode code) {
  fmt::print(stderr, "sluice {}: {}\n", verb, what);
  return code;
}

/// "1 record", "2 records".
inline std::string counted(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace sluice::cli
