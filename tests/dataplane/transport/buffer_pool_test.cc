#include "dataplane/transport/buffer_pool.h"

#include <catch2/catch.hpp>
#include <cstring>

namespace sluice::dataplane {
namespace {

TEST_CASE("A pool gives out every slot once, and the last released first") {
  auto pool = BufferPool::make(4 * 40'000);
  REQUIRE(pool.has_value());
  REQUIRE(pool->size() == 4);
  std::vector<BufferId> taken;
  for (int i = 0; i < 4; ++i) taken.push_back(pool->take());
  CHECK(pool->take() == no_buffer);
  CHECK(pool->free_count() == 0);

  pool->release(taken[2]);
  pool->release(taken[0]);
  CHECK(pool->take() == taken[0]);
  CHECK(pool->take() == taken[2]);
}

TEST_CASE("A slot is free when its last hold is released") {
  auto pool = *BufferPool::make(40'000);
  const BufferId id = pool.take();
  pool.hold(id);
  pool.release(id);
  CHECK(pool.free_count() == 0);
  pool.release(id);
  CHECK(pool.free_count() == 1);
}

TEST_CASE("What is received leaves slots for the answers") {
  auto pool = *BufferPool::make(256 * 40'000);
  std::vector<BufferId> received;
  for (BufferId id = pool.take_to_receive(); id != no_buffer; id = pool.take_to_receive()) {
    received.push_back(id);
  }
  CHECK(pool.receivable_count() == 0);
  CHECK(pool.free_count() == pool.size() / 8);
  const BufferId answer = pool.take();
  CHECK(answer != no_buffer);

  pool.release(received.back());
  CHECK(pool.take_to_receive() == no_buffer);  // the answer's comes first
  pool.release(answer);
  CHECK(pool.take_to_receive() != no_buffer);
}

TEST_CASE("Slots are apart, writable from end to end, and have room around the data") {
  auto pool = *BufferPool::make(8 * 40'000);
  std::vector<BufferId> ids;
  while (pool.free_count() > 0) ids.push_back(pool.take());
  for (const BufferId id : ids) std::memset(pool.slot(id).data(), id, slot_bytes);
  for (const BufferId id : ids) {
    const ByteSpan slot = pool.slot(id);
    CHECK(slot.size() == slot_bytes);
    CHECK(slot.front() == id);
    CHECK(slot.back() == id);
    CHECK(pool.data(id) == slot.data() + headroom_bytes);
    CHECK(pool.data(id) + buffer_data_bytes_max + tailroom_bytes == slot.data() + slot_bytes);
  }
}

TEST_CASE("A pool that moves keeps its slots") {
  auto first = *BufferPool::make(2 * 40'000);
  const BufferId id = first.take();
  first.slot(id)[0] = 42;
  BufferPool second = std::move(first);
  CHECK(second.slot(id)[0] == 42);
  second.release(id);
  CHECK(second.free_count() == 2);
}

TEST_CASE("A pool of no slot, or of more than ids can name, is refused") {
  CHECK_FALSE(BufferPool::make(0).has_value());
  CHECK_FALSE(BufferPool::make(std::size_t{1} << 40).has_value());
}

}  // namespace
}  // namespace sluice::dataplane
