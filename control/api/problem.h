// What a call that is refused says.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace sluice::control::api {

/// A refusal, as a problem document (RFC 9457).
struct Problem {
  int status = 500;
  std::string detail;  ///< For who asks.
};
template <class T>
using Outcome = Result<T, Problem>;

inline tl::unexpected<Problem> refuse(int status, std::string detail) {
  return tl::unexpected(Problem{status, std::move(detail)});
}

}  // namespace sluice::control::api
