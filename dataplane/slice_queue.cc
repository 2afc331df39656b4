#include "dataplane/slice_queue.h"

#include <algorithm>

namespace sluice::dataplane {

void SliceQueue::push_static(ByteView bytes) noexcept {
  if (bytes.empty()) return;
  append(bytes, no_buffer);
}

void SliceQueue::push(BufferPool& pool, BufferId buffer, ByteView bytes) noexcept {
  if (bytes.empty()) return;
  if (size_ > in_flight_) {
    Entry& last = at(size_ - 1U);
    if (last.buffer == buffer && gate_of(size_ - 1U) == gate_ &&
        last.data + last.size_bytes == bytes.data()) {
      last.size_bytes += static_cast<std::uint32_t>(bytes.size());
      bytes_ += bytes.size();
      return;
    }
  }
  pool.hold(buffer);
  append(bytes, buffer);
}

void SliceQueue::set_gate(std::uint64_t sequence) noexcept {
  if (!gates_) gates_ = std::make_unique<std::array<std::uint64_t, capacity>>();
  for (std::size_t i = size_; i-- != 0 && gate_of(i) == closed;) gate_at(i) = sequence;
  gate_ = last_gate_ = sequence;
}

void SliceQueue::close_gate() noexcept {
  if (gate_ != closed) set_gate(gate_);
  gate_ = closed;
}

void SliceQueue::raise_gate(std::uint64_t sequence) noexcept {
  if (gate_ != closed) return set_gate(sequence);
  last_gate_ = sequence;
}

void SliceQueue::open_gate() noexcept {
  if (gate_ == closed) set_gate(last_gate_);
}

bool SliceQueue::may_leave(std::uint64_t durable_through) const noexcept {
  for (std::size_t i = 0; i < size_; ++i) {
    if (gate_of(i) > durable_through) return false;
  }
  return gate_ <= durable_through;
}

std::size_t SliceQueue::begin_send(std::span<Slice, slices_per_send_max> out,
                                   std::span<BufferId, slices_per_send_max> buffers,
                                   std::uint64_t durable_through) noexcept {
  ASSERT(in_flight_ == 0);
  const std::size_t most = std::min<std::size_t>(size_, slices_per_send_max);
  std::size_t count = 0;
  for (; count < most && gate_of(count) <= durable_through; ++count) {
    out[count] = {at(count).data, at(count).size_bytes};
    buffers[count] = at(count).buffer;
  }
  in_flight_ = static_cast<std::uint8_t>(count);
  return count;
}

void SliceQueue::sent(BufferPool& pool) noexcept {
  for (; in_flight_ != 0; --in_flight_) {
    bytes_ -= at(0).size_bytes;
    --size_;
    ++kept_;
    if (!keeps_) drop_oldest(pool);
  }
}

void SliceQueue::clear(BufferPool& pool) noexcept {
  kept_ = static_cast<std::uint8_t>(kept_ + size_);
  size_ = 0;
  in_flight_ = 0;
  bytes_ = 0;
  forget_sent(pool);
}

void SliceQueue::forget_sent(BufferPool& pool) noexcept {
  keeps_ = false;
  while (kept_ != 0) drop_oldest(pool);
}

void SliceQueue::rewind() noexcept {
  ASSERT(in_flight_ == 0);
  size_ = static_cast<std::uint8_t>(size_ + kept_);
  kept_ = 0;
  bytes_ = 0;
  for (std::size_t i = 0; i < size_; ++i) bytes_ += at(i).size_bytes;
}

void SliceQueue::append(ByteView bytes, BufferId buffer) noexcept {
  ASSERT(free_slices() != 0);
  at(size_) = {bytes.data(), static_cast<std::uint32_t>(bytes.size()), buffer};
  if (gates_) gate_at(size_) = gate_;
  ++size_;
  bytes_ += bytes.size();
}

void SliceQueue::drop_oldest(BufferPool& pool) noexcept {
  const Entry& entry = entries_[first_];
  if (entry.buffer != no_buffer) pool.release(entry.buffer);
  first_ = static_cast<std::uint8_t>((first_ + 1U) % capacity);
  --kept_;
}

}  // namespace sluice::dataplane
