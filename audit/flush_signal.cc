#include "audit/flush_signal.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

namespace sluice::audit {

void FlushSignal::wake() noexcept {
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&state_), FUTEX_WAKE_PRIVATE, 1, nullptr,
            nullptr, 0);
}

bool FlushSignal::wait(Duration timeout) noexcept {
  std::uint32_t expected = running;
  if (state_.compare_exchange_strong(expected, sleeping, std::memory_order_seq_cst)) {
    constexpr std::int64_t second_ns = 1'000'000'000;
    const ::timespec limit{timeout.ns / second_ns, timeout.ns % second_ns};
    // Returns at once when a request came between; spurious returns only cost a round.
    ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&state_), FUTEX_WAIT_PRIVATE, sleeping,
              &limit, nullptr, 0);
  }
  return state_.load(std::memory_order_seq_cst) == requested;
}

}  // namespace sluice::audit
