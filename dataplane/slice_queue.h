// Bytes on their way out of one connection, in order, without copying them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/assert.h"
#include "base/bytes.h"
#include "dataplane/transport/transport.h"

namespace sluice::dataplane {

/// A bounded queue of slices. Each slice that lies in a pool buffer carries one
/// hold on it, given back when the slice was sent or dropped, and says how far the
/// audit log must be durable before it may leave.
class SliceQueue {
 public:
  static constexpr std::size_t capacity = 32;

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t free_slices() const noexcept { return capacity - size_ - kept_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] bool in_flight() const noexcept { return in_flight_ != 0; }
  /// Nothing is left to be sent but what is in flight.
  [[nodiscard]] bool is_on_its_way() const noexcept { return in_flight_ == size_; }

  /// What is pushed from now on leaves once the log is durable through `sequence`,
  /// and so does what was pushed since close_gate.
  void set_gate(std::uint64_t sequence) noexcept;
  /// What is pushed from now on waits for a record that is not written yet: until
  /// set_gate, or open_gate if no such record is to come.
  void close_gate() noexcept;
  /// What is pushed from now on waits for this record as well. A closed gate stays so.
  void raise_gate(std::uint64_t sequence) noexcept;
  void open_gate() noexcept;
  /// Whether all that was pushed may leave, and what follows it (the connection's end).
  [[nodiscard]] bool may_leave(std::uint64_t durable_through) const noexcept;

  /// Appends bytes that outlive the queue (string literals, snapshot texts).
  void push_static(ByteView bytes) noexcept;
  /// Appends bytes of a pool buffer, taking a hold of its own. Bytes that
  /// continue the last slice extend it unless it is in flight already.
  void push(BufferPool& pool, BufferId buffer, ByteView bytes) noexcept;

  /// The next slices that may leave, and the buffers they lie in. They stay queued,
  /// in flight, until `sent`.
  [[nodiscard]] std::size_t begin_send(std::span<Slice, slices_per_send_max> out,
                                       std::span<BufferId, slices_per_send_max> buffers,
                                       std::uint64_t durable_through) noexcept;
  /// What begin_send gave has gone out.
  void sent(BufferPool& pool) noexcept;
  /// The connection is gone: what was in flight counts as unsent. Whoever began
  /// the send still holds the buffers for as long as the transport reads them.
  void abandon_send() noexcept { in_flight_ = 0; }
  /// Forgets everything.
  void clear(BufferPool& pool) noexcept;

  /// From now on sent slices are kept, so that rewind can offer them again.
  void keep_sent() noexcept { keeps_ = true; }
  /// Lets go of what was kept and keeps no more.
  void forget_sent(BufferPool& pool) noexcept;
  [[nodiscard]] bool can_rewind() const noexcept { return keeps_; }
  /// Everything since keep_sent is unsent again. Only when nothing is in flight.
  void rewind() noexcept;

 private:
  static constexpr std::uint64_t closed = UINT64_MAX;

  struct Entry {
    const std::uint8_t* data = nullptr;
    std::uint32_t size_bytes = 0;
    BufferId buffer = no_buffer;
  };
  [[nodiscard]] Entry& at(std::size_t i) noexcept {
    return entries_[(first_ + kept_ + i) % capacity];
  }
  /// The log's sequence that must be durable before an entry leaves.
  [[nodiscard]] std::uint64_t gate_of(std::size_t i) const noexcept {
    return gates_ ? (*gates_)[(first_ + kept_ + i) % capacity] : 0;
  }
  [[nodiscard]] std::uint64_t& gate_at(std::size_t i) noexcept {
    return (*gates_)[(first_ + kept_ + i) % capacity];
  }
  void append(ByteView bytes, BufferId buffer) noexcept;
  void drop_oldest(BufferPool& pool) noexcept;

  // Ring order: kept_ entries that were sent, then size_ entries that were not,
  // of which the first in_flight_ are with the transport.
  std::array<Entry, capacity> entries_;
  std::size_t bytes_ = 0;  ///< Of unsent entries.
  /// Beside the entries; made with the first gate, for only durable release has any.
  std::unique_ptr<std::array<std::uint64_t, capacity>> gates_;
  std::uint64_t gate_ = 0;       ///< Of what is pushed next.
  std::uint64_t last_gate_ = 0;  ///< What it will be if it is opened.
  std::uint8_t first_ = 0;
  std::uint8_t kept_ = 0;
  std::uint8_t size_ = 0;
  std::uint8_t in_flight_ = 0;
  bool keeps_ = false;
};

}  // namespace sluice::dataplane
