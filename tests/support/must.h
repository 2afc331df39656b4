// What a step of a test's set-up gives, or the end of the test with the reason.
#pragma once

#include <stdexcept>
#include <utility>

#include "base/result.h"

namespace sluice::test {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

inline void must(Result<void> result) {
  if (!result) throw std::runtime_error(result.error().message);
}

}  // namespace sluice::test
