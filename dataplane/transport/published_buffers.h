// The buffers that the kernel may fill next: a provided-buffer ring fed from
// the pool. Bounded, so that the few slots in turn stay warm in the cache.
#pragma once

#include <liburing.h>

#include <cstdint>

#include "base/result.h"
#include "dataplane/transport/buffer_pool.h"

namespace sluice::dataplane {

/// A published buffer is held until the kernel hands it back in a completion.
/// The pool outlives this, and this outlives the io_uring.
class PublishedBuffers {
 public:
  static constexpr std::uint16_t group = 0;

  /// Publishes at most `count_max` buffers at a time.
  static Result<PublishedBuffers> make(io_uring* ring, BufferPool* pool, unsigned count_max);
  PublishedBuffers(PublishedBuffers&& other) noexcept;
  PublishedBuffers& operator=(PublishedBuffers&&) = delete;
  ~PublishedBuffers();

  /// Publishes free slots up to the bound, or until the pool has no more.
  void top_up() noexcept;
  /// The kernel handed one back: its hold is the caller's now.
  void taken() noexcept { --count_; }
  [[nodiscard]] unsigned count() const noexcept { return count_; }

 private:
  PublishedBuffers() = default;

  io_uring_buf_ring* ring_ = nullptr;
  BufferPool* pool_ = nullptr;
  std::size_t ring_bytes_ = 0;
  unsigned entries_ = 0;
  unsigned count_max_ = 0;
  unsigned count_ = 0;
};

}  // namespace sluice::dataplane
