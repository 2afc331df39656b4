// The signals that steer a gateway, taken by one thread instead of by handlers.
#pragma once

#include <csignal>
#include <cstdint>

#include "base/instant.h"

namespace sluice::control {

enum class Wish : std::uint8_t {
  nothing,  ///< The wait ended without a signal.
  reload,   ///< SIGHUP
  stop,     ///< SIGTERM or SIGINT
};

/// Blocks the signals in this thread and in those it starts, so it must be made
/// before any other thread is.
class Signals {
 public:
  Signals();

  /// Waits for the next signal, at most `timeout`.
  [[nodiscard]] Wish wait(Duration timeout) const;

 private:
  sigset_t set_{};
};

}  // namespace sluice::control
