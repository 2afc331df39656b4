#include "dataplane/inbox.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

using namespace sluice;
using namespace sluice::dataplane;

namespace {

struct Fixture {
  BufferPool pool = BufferPool::make(std::size_t{1} << 18).value();
  ChunkTable table{pool.size()};
  Inbox inbox;

  /// A received buffer full of one letter.
  BufferId receive(char letter, std::size_t size_bytes) {
    const BufferId id = pool.take();
    std::fill_n(pool.data(id), size_bytes, static_cast<std::uint8_t>(letter));
    inbox.push(table, id, pool.data(id), static_cast<std::uint32_t>(size_bytes));
    return id;
  }
  std::string front() { return std::string(as_text(inbox.bytes(table))); }
};

}  // namespace

TEST_CASE("Joining two buffers leaves alone what was consumed: it may be on its way out") {
  Fixture f;
  const BufferId first = f.receive('a', buffer_data_bytes_max);
  f.receive('b', 100);
  f.inbox.consume(f.table, buffer_data_bytes_max - 10);
  f.pool.hold(first);  // as a slice that is being sent does
  const std::string sent(as_text({f.pool.data(first), buffer_data_bytes_max}));

  REQUIRE(f.inbox.join_front(f.table, f.pool, 4096));
  CHECK(f.front() == std::string(10, 'a') + std::string(100, 'b'));
  CHECK(f.inbox.buffers() == 1);
  CHECK(f.inbox.front() != first);
  const bool untouched = as_text({f.pool.data(first), buffer_data_bytes_max}) == sent;
  CHECK(untouched);

  f.pool.release(first);
  f.inbox.clear(f.table, f.pool);
  CHECK(f.pool.free_count() == f.pool.size());
}

TEST_CASE("Joining takes no more than was asked for, and no buffer where there is room") {
  Fixture f;
  const BufferId first = f.receive('a', 10);
  f.receive('b', 100);
  REQUIRE(f.inbox.join_front(f.table, f.pool, 30));
  CHECK(f.front() == std::string(10, 'a') + std::string(20, 'b'));
  CHECK(f.inbox.front() == first);
  CHECK(f.inbox.buffers() == 2);
  CHECK_FALSE(f.inbox.join_front(f.table, f.pool, 30));
  f.inbox.clear(f.table, f.pool);
}

TEST_CASE("Joining waits when there is nothing to join or no buffer to join in") {
  Fixture f;
  f.receive('a', buffer_data_bytes_max);
  f.inbox.consume(f.table, buffer_data_bytes_max - 10);
  CHECK_FALSE(f.inbox.join_front(f.table, f.pool, 4096));
  f.receive('b', 100);
  std::vector<BufferId> others;
  while (f.pool.free_count() != 0) others.push_back(f.pool.take());
  CHECK_FALSE(f.inbox.join_front(f.table, f.pool, 4096));
  CHECK(f.front() == std::string(10, 'a'));
  for (const BufferId id : others) f.pool.release(id);
  f.inbox.clear(f.table, f.pool);
}
