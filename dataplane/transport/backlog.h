// Received buffers that wait for their connection to read on: queues threaded
// through one table with a row per slot of the pool, so that nothing allocates.
#pragma once

#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "dataplane/transport/buffer_pool.h"

namespace sluice::dataplane {

/// One connection's queue, oldest first.
struct Backlog {
  BufferId first = no_buffer;
  BufferId last = no_buffer;
  [[nodiscard]] bool empty() const noexcept { return first == no_buffer; }
};

class BacklogTable {
 public:
  struct Entry {
    BufferId buffer = no_buffer;
    std::uint32_t size_bytes = 0;
  };

  explicit BacklogTable(std::size_t slots) : rows_(slots) {}

  void push(Backlog& backlog, Entry entry) noexcept {
    rows_[entry.buffer] = {.next = no_buffer, .size_bytes = entry.size_bytes};
    (backlog.empty() ? backlog.first : rows_[backlog.last].next) = entry.buffer;
    backlog.last = entry.buffer;
  }

  Entry pop(Backlog& backlog) noexcept {
    ASSERT(!backlog.empty());
    const Entry entry{backlog.first, rows_[backlog.first].size_bytes};
    backlog.first = rows_[backlog.first].next;
    return entry;
  }

 private:
  struct Row {
    BufferId next = no_buffer;
    std::uint32_t size_bytes = 0;
  };
  std::vector<Row> rows_;
};

}  // namespace sluice::dataplane
