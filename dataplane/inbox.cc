#include "dataplane/inbox.h"

#include <algorithm>
#include <cstring>

namespace sluice::dataplane {

bool Inbox::append(ChunkTable& table, BufferPool& pool, ByteView bytes) noexcept {
  while (!bytes.empty()) {
    std::size_t room = 0;
    if (!empty()) {
      const ChunkTable::Chunk& last = table[last_];
      room = static_cast<std::size_t>(pool.data(last_) + buffer_data_bytes_max - last.begin) -
             last.size_bytes;
    }
    if (room == 0) {
      const BufferId fresh = pool.take();
      if (fresh == no_buffer) return false;
      push(table, fresh, pool.data(fresh), 0);
      room = buffer_data_bytes_max;
    }
    const std::size_t n = std::min(room, bytes.size());
    ChunkTable::Chunk& last = table[last_];
    std::memcpy(last.begin + last.size_bytes, bytes.data(), n);
    last.size_bytes += static_cast<std::uint32_t>(n);
    bytes = bytes.subspan(n);
  }
  return true;
}

bool Inbox::join_front(ChunkTable& table, BufferPool& pool, std::size_t bytes_max) noexcept {
  ChunkTable::Chunk& first = table[first_];
  if (first.next == no_buffer) return false;
  ChunkTable::Chunk& second = table[first.next];

  const ByteSpan slot = pool.slot(first_);
  std::uint8_t* const data_end = slot.data() + slot.size() - tailroom_bytes;
  if (first.begin + bytes_max > data_end) {
    // What came before was consumed; whether it may be overwritten is the
    // caller's promise (no slice of this buffer is on its way out).
    std::uint8_t* const moved = slot.data() + headroom_bytes;
    std::memmove(moved, first.begin, first.size_bytes);
    first.begin = moved;
  }
  std::uint8_t* const end = first.begin + first.size_bytes;
  const auto room = static_cast<std::size_t>(data_end - end);
  const std::size_t wanted = bytes_max - std::min<std::size_t>(bytes_max, first.size_bytes);
  const std::size_t moved_bytes = std::min({room, wanted, std::size_t{second.size_bytes}});
  if (moved_bytes == 0) return false;
  std::memcpy(end, second.begin, moved_bytes);
  first.size_bytes += static_cast<std::uint32_t>(moved_bytes);
  second.begin += moved_bytes;
  second.size_bytes -= static_cast<std::uint32_t>(moved_bytes);
  if (second.size_bytes == 0) {
    const BufferId gone = first.next;
    first.next = second.next;
    if (last_ == gone) last_ = first_;
    --count_;
    pool.release(gone);
  }
  return true;
}

}  // namespace sluice::dataplane
