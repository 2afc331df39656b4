// What a step of a test's set-up gives, or the end of the test with the reason.
#pragma once

#include <stdexcept>
#include <utility>

#include "base/result.h"

namespace sluice::test {

template <class T, class E>
T must(Result<T, E> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

template <class E>
void must(Result<void, E> result) {
  if (!result) throw std::runtime_error(result.error().message);
}

}  // namespace sluice::test
