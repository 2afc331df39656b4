// ASSERT: for our own bugs only, alive in release. Never on bytes of the wire.
#pragma once

namespace sluice {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace sluice

#define ASSERT(expression)                              \
  (static_cast<bool>(expression) ? static_cast<void>(0) \
                                 : ::sluice::assertion_failed(#expression, __FILE__, __LINE__))
