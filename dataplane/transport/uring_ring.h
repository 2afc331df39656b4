// One io_uring: set-up with the features this kernel has, submission entries
// that never run out, and the one crossing per loop turn. Knows no sockets.
#pragma once

#include <liburing.h>

#include <cstdint>

#include "base/instant.h"
#include "base/result.h"

namespace sluice::dataplane {

/// What the transport may use. Probed once, when the ring is made.
struct UringFeatures {
  /// Completions run in our own thread, only when it asks for them (6.1).
  bool deferred_work = false;
  /// Multishot accept and receive, buffer rings and a sparse file table (5.19,
  /// 6.0). All or nothing: one plainer path is enough to keep tested.
  bool modern_sockets = false;
};

/// Made on any thread; belongs to the thread that first enters it.
class UringRing {
 public:
  /// `plain` forgoes whatever Linux 5.11 does not have.
  static Result<UringRing> make(unsigned entries, bool plain);
  UringRing(UringRing&& other) noexcept;
  UringRing& operator=(UringRing&&) = delete;
  ~UringRing();

  [[nodiscard]] const UringFeatures& features() const noexcept { return features_; }
  [[nodiscard]] io_uring* raw() noexcept { return &ring_; }

  /// Whether `count` entries can be taken now. Submits early when the queue is
  /// full; false only while the kernel takes nothing.
  [[nodiscard]] bool has_room(unsigned count) noexcept;
  /// Entries were prepared that the kernel has not taken yet.
  [[nodiscard]] bool has_unsubmitted() noexcept { return io_uring_sq_ready(&ring_) != 0; }
  /// A cleared entry; there must be room.
  [[nodiscard]] io_uring_sqe* entry() noexcept;

  /// Submits everything and waits at most `wait` for a completion: one crossing.
  void enter(Duration wait) noexcept;

  /// The oldest completion that was not seen, or null.
  [[nodiscard]] const io_uring_cqe* peek() noexcept;
  void seen() noexcept { io_uring_cq_advance(&ring_, 1); }
  /// Every completion was seen, those too for which the queue had no room.
  [[nodiscard]] bool is_drained() noexcept {
    return peek() == nullptr && !io_uring_cq_has_overflow(&ring_);
  }

 private:
  UringRing() = default;
  void adopt() noexcept;

  io_uring ring_{};
  UringFeatures features_;
  bool alive_ = false;
  bool adopted_ = false;
};

}  // namespace sluice::dataplane
