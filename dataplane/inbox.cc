#include "dataplane/inbox.h"

#include <algorithm>
#include <cstring>
#include <utility>

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
  if (table[first_].next == no_buffer) return false;
  const std::uint8_t* const data = pool.data(first_);
  const std::ptrdiff_t begin = table[first_].begin - data;  // Below 0 in the headroom.
  const bool is_short_of_room =
      begin + static_cast<std::ptrdiff_t>(bytes_max) > std::ptrdiff_t{buffer_data_bytes_max};
  if (is_short_of_room && begin > 0 && !move_front(table, pool)) return false;

  ChunkTable::Chunk& first = table[first_];
  ChunkTable::Chunk& second = table[first.next];
  std::uint8_t* const data_end = pool.data(first_) + buffer_data_bytes_max;
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

/// Gives the first buffer's unread part a buffer of its own. What was consumed
/// before it may still be on its way out, so it cannot move within its buffer.
bool Inbox::move_front(ChunkTable& table, BufferPool& pool) noexcept {
  const BufferId fresh = pool.take();
  if (fresh == no_buffer) return false;
  const ChunkTable::Chunk& old = table[first_];
  std::memcpy(pool.data(fresh), old.begin, old.size_bytes);
  table[fresh] = {pool.data(fresh), old.size_bytes, old.next};
  pool.release(std::exchange(first_, fresh));
  return true;
}

}  // namespace sluice::dataplane
