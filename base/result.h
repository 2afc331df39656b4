// Failures of the world as values. Has the shape of std::expected, for the day
// the compiler of the platform we ship on has it.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace sluice {

/// What went wrong, in words for the person who can act. Off the data path
/// only: codecs and sessions use small enums instead.
struct Error {
  std::string message;
};

template <class T, class E = Error>
using Result = tl::expected<T, E>;

inline tl::unexpected<Error> fail(std::string message) {
  return tl::unexpected<Error>(Error{std::move(message)});
}

}  // namespace sluice
