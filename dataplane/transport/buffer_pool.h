// A worker's receive buffers: one slab, slots of two sizes, room before and after the bytes.
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
///
/// Ordinary slots hold messages; large ones are for bulk, where every receive
/// and send of less costs the kernel the same again. Large slots are extra: they
/// may be used up, and everything works without.
inline constexpr std::size_t slot_bytes = 32 * 1024;
inline constexpr std::size_t large_slot_bytes = 256 * 1024;
inline constexpr std::size_t headroom_bytes = 6 * 1024;
inline constexpr std::size_t tailroom_bytes = 256;
/// Of an ordinary slot; data_bytes_max() says it of any.
inline constexpr std::size_t buffer_data_bytes_max = slot_bytes - headroom_bytes - tailroom_bytes;

/// Not thread-safe; a worker owns one. Slots are counted: a slot is free when
/// nothing holds it.
class BufferPool {
 public:
  /// As many slots as fit into `total_bytes`; at most 65,535 (2 GiB). A pool of
  /// 4 MiB or more gives half of them to large slots.
  static Result<BufferPool> make(std::size_t total_bytes, bool huge_pages = false);
  BufferPool(BufferPool&&) noexcept;
  BufferPool& operator=(BufferPool&&) noexcept;
  ~BufferPool();

  /// A free slot with one hold, or no_buffer. Last released, first taken (warm caches).
  [[nodiscard]] BufferId take() noexcept;
  [[nodiscard]] BufferId take_large() noexcept;
  void hold(BufferId id) noexcept;
  void release(BufferId id) noexcept;

  /// The whole slot.
  [[nodiscard]] ByteSpan slot(BufferId id) noexcept;
  /// Where received bytes begin: slot + headroom_bytes.
  [[nodiscard]] std::uint8_t* data(BufferId id) noexcept;
  [[nodiscard]] bool is_large(BufferId id) const noexcept { return id >= ordinary_; }
  [[nodiscard]] std::size_t data_bytes_max(BufferId id) const noexcept {
    return slot_size(id) - headroom_bytes - tailroom_bytes;
  }
  /// Of all slots; ids run below it.
  [[nodiscard]] std::size_t size() const noexcept { return holds_.size(); }
  [[nodiscard]] std::size_t free_count() const noexcept {
    return free_.size() + free_large_.size();
  }
  [[nodiscard]] std::size_t large_size() const noexcept { return size() - ordinary_; }
  [[nodiscard]] std::size_t ordinary_free_count() const noexcept { return free_.size(); }
  /// Less than a quarter of the ordinary slots is free.
  [[nodiscard]] bool is_scarce() const noexcept { return free_.size() < ordinary_ / 4; }

 private:
  BufferPool() = default;
  [[nodiscard]] BufferId take_from(std::vector<BufferId>& free) noexcept;
  [[nodiscard]] std::uint8_t* start_of(BufferId id) const noexcept;
  [[nodiscard]] std::size_t slot_size(BufferId id) const noexcept {
    return is_large(id) ? large_slot_bytes : slot_bytes;
  }

  std::uint8_t* slab_ = nullptr;
  std::size_t slab_bytes_ = 0;
  std::size_t ordinary_ = 0;  ///< Slots; the large ones are numbered and stand behind them.
  std::vector<std::uint16_t> holds_;
  std::vector<BufferId> free_;
  std::vector<BufferId> free_large_;
};

}  // namespace sluice::dataplane
