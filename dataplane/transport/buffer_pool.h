// A worker's receive buffers: one slab, fixed slots, room before and after the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace sluice::dataplane {

/// Index of a slot; `no_buffer` for bytes that live elsewhere.
using BufferId = std::uint16_t;
inline constexpr BufferId no_buffer = 0xFFFF;

/// Layout of a slot. The headroom takes what must come before received bytes so
/// that they need not move: a rewritten head, a chunk prefix, bytes withheld by
/// the matcher. The tail takes what follows: CRLF, and the matcher's over-read.
inline constexpr std::size_t slot_bytes = 32 * 1024;
inline constexpr std::size_t headroom_bytes = 6 * 1024;
inline constexpr std::size_t tailroom_bytes = 256;
inline constexpr std::size_t buffer_data_bytes_max = slot_bytes - headroom_bytes - tailroom_bytes;

/// Not thread-safe; a worker owns one. Slots are counted: a slot is free when
/// nothing holds it.
class BufferPool {
 public:
  /// As many slots as fit into `total_bytes`; at most 65,535 (2 GiB).
  static Result<BufferPool> make(std::size_t total_bytes, bool huge_pages = false);
  BufferPool(BufferPool&&) noexcept;
  BufferPool& operator=(BufferPool&&) noexcept;
  ~BufferPool();

  /// A free slot with one hold, or no_buffer. Last released, first taken (warm caches).
  [[nodiscard]] BufferId take() noexcept;
  /// As take(), for bytes that arrive: leaves those that answers to them may need, so
  /// that what came in can always get out.
  [[nodiscard]] BufferId take_to_receive() noexcept;
  void hold(BufferId id) noexcept;
  void release(BufferId id) noexcept;

  /// The whole slot.
  [[nodiscard]] ByteSpan slot(BufferId id) noexcept;
  /// Where received bytes begin: slot + headroom_bytes.
  [[nodiscard]] std::uint8_t* data(BufferId id) noexcept;
  [[nodiscard]] std::size_t free_count() const noexcept;
  /// How many of them take_to_receive() would give.
  [[nodiscard]] std::size_t receivable_count() const noexcept;
  /// So few that everybody makes do with less.
  [[nodiscard]] bool is_scarce() const noexcept { return receivable_count() < size() / 8; }
  [[nodiscard]] std::size_t size() const noexcept;

 private:
  BufferPool() = default;
  [[nodiscard]] std::uint8_t* start_of(BufferId id) const noexcept;

  std::uint8_t* slab_ = nullptr;
  std::size_t slab_bytes_ = 0;
  std::vector<std::uint16_t> holds_;
  std::vector<BufferId> free_;
};

}  // namespace sluice::dataplane
