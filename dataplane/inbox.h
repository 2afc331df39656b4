// Bytes that arrived on one connection and wait to be understood.
#pragma once

#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"
#include "dataplane/transport/buffer_pool.h"

namespace sluice::dataplane {

/// For each pool buffer that lies in an inbox: its unread part and its successor.
/// A buffer lies in at most one inbox, so a worker needs one table.
class ChunkTable {
 public:
  explicit ChunkTable(std::size_t buffers) : chunks_(buffers) {}

  struct Chunk {
    std::uint8_t* begin = nullptr;
    std::uint32_t size_bytes = 0;
    BufferId next = no_buffer;
  };
  [[nodiscard]] Chunk& operator[](BufferId id) noexcept { return chunks_[id]; }

 private:
  std::vector<Chunk> chunks_;
};

/// A list of received buffers, oldest first; holds one hold on each. What a
/// paused transport still delivers fits, because the links live in the table.
class Inbox {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == no_buffer; }
  [[nodiscard]] std::size_t buffers() const noexcept { return count_; }
  [[nodiscard]] BufferId front() const noexcept { return first_; }
  /// The unread part of the first buffer.
  [[nodiscard]] ByteSpan bytes(ChunkTable& table) const noexcept {
    return {table[first_].begin, table[first_].size_bytes};
  }

  /// Takes over the caller's hold.
  void push(ChunkTable& table, BufferId id, std::uint8_t* begin,
            std::uint32_t size_bytes) noexcept {
    table[id] = {begin, size_bytes, no_buffer};
    (empty() ? first_ : table[last_].next) = id;
    last_ = id;
    ++count_;
  }

  /// The first `size_bytes` of the first buffer were used up; an empty one stays
  /// at the front until drop_front.
  void consume(ChunkTable& table, std::size_t size_bytes) noexcept {
    ASSERT(size_bytes <= table[first_].size_bytes);
    table[first_].begin += size_bytes;
    table[first_].size_bytes -= static_cast<std::uint32_t>(size_bytes);
  }

  void drop_front(ChunkTable& table, BufferPool& pool) noexcept {
    const BufferId gone = first_;
    first_ = table[gone].next;
    --count_;
    pool.release(gone);
  }

  /// Copies bytes to the end: behind the last buffer's while there is room, else
  /// into fresh ones. Only for an inbox that owns its buffers alone. False when
  /// the pool has none left.
  [[nodiscard]] bool append(ChunkTable& table, BufferPool& pool, ByteView bytes) noexcept;

  /// Calls `each` with every unread part, oldest first.
  template <class Each>
  void for_each(ChunkTable& table, Each each) const {
    for (BufferId id = first_; id != no_buffer; id = table[id].next) {
      each(ByteSpan{table[id].begin, table[id].size_bytes});
    }
  }

  /// Puts bytes that span the first two buffers side by side, as a head must
  /// lie: moves as much of the second as fits behind the first's, in a fresh
  /// first buffer when the rest of that one is too short. False when there is no
  /// second buffer, no room or no fresh buffer.
  [[nodiscard]] bool join_front(ChunkTable& table, BufferPool& pool,
                                std::size_t bytes_max) noexcept;

  void clear(ChunkTable& table, BufferPool& pool) noexcept {
    while (!empty()) drop_front(table, pool);
  }

 private:
  [[nodiscard]] bool move_front(ChunkTable& table, BufferPool& pool) noexcept;

  BufferId first_ = no_buffer;
  BufferId last_ = no_buffer;
  std::uint16_t count_ = 0;
};

}  // namespace sluice::dataplane
