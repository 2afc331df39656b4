// Everything that is done with a response's XML: bytes in, bytes out (saml/message.h). Runs in the
// reader process; tests and the fuzzer call it where they are.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::saml {

/// Once, before the first message. errors  what does not work.
Result<void> prepare_reader();

/// Never fails: a refusal is an answer, too.
[[nodiscard]] std::string answer(std::string_view message);

}  // namespace sluice::saml
