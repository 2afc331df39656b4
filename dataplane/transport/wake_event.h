// An eventfd as a Waker: any thread writes, the owner's ring reads.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/result.h"
#include "dataplane/transport/transport.h"

namespace sluice::dataplane {

class WakeEvent final : public Waker {
 public:
  static Result<int> open();
  explicit WakeEvent(int fd) noexcept : fd_(fd) {}
  WakeEvent(const WakeEvent&) = delete;
  WakeEvent& operator=(const WakeEvent&) = delete;
  ~WakeEvent() override;

  /// Writes once until the owner has seen it.
  void wake() noexcept override;

  [[nodiscard]] int fd() const noexcept { return fd_; }
  /// Where the owner's read puts the count.
  [[nodiscard]] std::uint64_t* count() noexcept { return &count_; }
  /// The owner's read completed. Before it looks at what it was woken for, so
  /// that a later wake() is never lost.
  void seen() noexcept { pending_.store(false, std::memory_order_seq_cst); }

 private:
  const int fd_;
  std::uint64_t count_ = 0;
  std::atomic<bool> pending_{false};
};

}  // namespace sluice::dataplane
