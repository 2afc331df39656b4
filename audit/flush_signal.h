// How workers hurry the writer: three states in one word, so that a request
// costs one atomic exchange and a system call only when the writer sleeps.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/instant.h"

namespace sluice::audit {

class FlushSignal {
 public:
  /// Any thread.
  void request() noexcept {
    // A full barrier: the records appended before are visible to the round that
    // this asks for, whichever of the two comes first.
    if (state_.exchange(requested, std::memory_order_seq_cst) == sleeping) wake();
  }

  /// Writer: sleeps until a request or the timeout; false on timeout. Requests
  /// made since the last `begin_round` count.
  bool wait(Duration timeout) noexcept;
  /// Writer: requests from now on ask for another round.
  void begin_round() noexcept { state_.store(running, std::memory_order_seq_cst); }

 private:
  static constexpr std::uint32_t running = 0;
  static constexpr std::uint32_t requested = 1;
  static constexpr std::uint32_t sleeping = 2;

  void wake() noexcept;

  std::atomic<std::uint32_t> state_{running};
};

}  // namespace sluice::audit
