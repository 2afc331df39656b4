#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace sluice {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "sluice: bug: %s is false at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace sluice
