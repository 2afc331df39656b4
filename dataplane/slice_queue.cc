#include "dataplane/slice_queue.h"

#include <algorithm>

namespace sluice::dataplane {

void SliceQueue::push_static(ByteView bytes) noexcept {
  if (bytes.empty()) return;
  append({bytes.data(), static_cast<std::uint32_t>(bytes.size()), no_buffer});
}

void SliceQueue::push(BufferPool& pool, BufferId buffer, ByteView bytes) noexcept {
  if (bytes.empty()) return;
  if (size_ > in_flight_) {
    Entry& last = at(size_ - 1U);
    if (last.buffer == buffer && last.data + last.size_bytes == bytes.data()) {
      last.size_bytes += static_cast<std::uint32_t>(bytes.size());
      bytes_ += bytes.size();
      return;
    }
  }
  pool.hold(buffer);
  append({bytes.data(), static_cast<std::uint32_t>(bytes.size()), buffer});
}

std::size_t SliceQueue::begin_send(std::span<Slice, slices_per_send_max> out,
                                   std::span<BufferId, slices_per_send_max> buffers) noexcept {
  ASSERT(in_flight_ == 0);
  const std::size_t count = std::min<std::size_t>(size_, slices_per_send_max);
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = {at(i).data, at(i).size_bytes};
    buffers[i] = at(i).buffer;
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

void SliceQueue::append(const Entry& entry) noexcept {
  ASSERT(free_slices() != 0);
  at(size_) = entry;
  ++size_;
  bytes_ += entry.size_bytes;
}

void SliceQueue::drop_oldest(BufferPool& pool) noexcept {
  const Entry& entry = entries_[first_];
  if (entry.buffer != no_buffer) pool.release(entry.buffer);
  first_ = static_cast<std::uint8_t>((first_ + 1U) % capacity);
  --kept_;
}

}  // namespace sluice::dataplane
