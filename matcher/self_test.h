// Known-answer test of the scanner, run at start: a library that loses matches must not serve.
#pragma once

#include "base/result.h"

namespace sluice::matcher {

/// Every built-in finder and a set of expressions on fixed texts at all offsets
/// of a vector register, in text and in JSON, with all instructions that this machine has.
/// An error names the first wrong answer.
Result<void> self_test();

}  // namespace sluice::matcher
