#include "dataplane/transport/buffer_pool.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "base/assert.h"

#if defined(__SANITIZE_ADDRESS__)
#define SLUICE_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLUICE_POISONS 1
#endif
#endif
#ifdef SLUICE_POISONS
#include <sanitizer/asan_interface.h>
#endif

namespace sluice::dataplane {
namespace {

/// Slots do not start a power of two apart: their first lines, which every
/// message touches, would all fall into the same few sets of the cache. An odd
/// number of lines between them spreads slots over all sets.
constexpr std::size_t slot_stride_bytes = slot_bytes + 5 * 64;
constexpr std::size_t large_stride_bytes = large_slot_bytes + 5 * 64;
constexpr std::size_t large_pool_bytes_min = std::size_t{4} << 20;
constexpr std::size_t slots_max = no_buffer;  // ids run below no_buffer

/// Makes a touch of a slot that nobody holds a crash under the address sanitizer.
void poison([[maybe_unused]] std::uint8_t* slot, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef SLUICE_POISONS
  ASAN_POISON_MEMORY_REGION(slot, bytes);
#endif
}

void unpoison([[maybe_unused]] std::uint8_t* slot, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef SLUICE_POISONS
  ASAN_UNPOISON_MEMORY_REGION(slot, bytes);
#endif
}

}  // namespace

Result<BufferPool> BufferPool::make(std::size_t total_bytes, bool huge_pages) {
  const std::size_t large =
      total_bytes < large_pool_bytes_min ? 0 : total_bytes / 2 / large_stride_bytes;
  const std::size_t ordinary = (total_bytes - large * large_stride_bytes) / slot_stride_bytes;
  const std::size_t slots = ordinary + large;
  if (ordinary == 0 || slots > slots_max) {
    return fail(fmt::format("a worker's buffers take {} to {} bytes, not {}", slot_stride_bytes,
                            slots_max * slot_stride_bytes, total_bytes));
  }
  const std::size_t bytes = ordinary * slot_stride_bytes + large * large_stride_bytes;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return fail(fmt::format("no memory for {} bytes of buffers: {}", bytes, std::strerror(errno)));
  }
  // Advice only: a kernel without transparent huge pages serves small ones.
  if (huge_pages) ::madvise(memory, bytes, MADV_HUGEPAGE);

  BufferPool pool;
  pool.slab_ = static_cast<std::uint8_t*>(memory);
  pool.slab_bytes_ = bytes;
  pool.ordinary_ = ordinary;
  pool.holds_.assign(slots, 0);
  pool.free_.reserve(ordinary);
  pool.free_large_.reserve(large);
  for (std::size_t i = slots; i-- > 0;) {
    const auto id = static_cast<BufferId>(i);
    poison(pool.start_of(id), pool.slot_size(id));
    (pool.is_large(id) ? pool.free_large_ : pool.free_).push_back(id);
  }
  return pool;
}

BufferPool::BufferPool(BufferPool&& other) noexcept
    : slab_(std::exchange(other.slab_, nullptr)),
      slab_bytes_(std::exchange(other.slab_bytes_, 0)),
      ordinary_(std::exchange(other.ordinary_, 0)),
      holds_(std::move(other.holds_)),
      free_(std::move(other.free_)),
      free_large_(std::move(other.free_large_)) {}

BufferPool& BufferPool::operator=(BufferPool&& other) noexcept {
  std::swap(slab_, other.slab_);
  std::swap(slab_bytes_, other.slab_bytes_);
  std::swap(ordinary_, other.ordinary_);
  std::swap(holds_, other.holds_);
  std::swap(free_, other.free_);
  std::swap(free_large_, other.free_large_);
  return *this;
}

BufferPool::~BufferPool() {
  if (slab_ == nullptr) return;
#ifdef SLUICE_POISONS
  ASAN_UNPOISON_MEMORY_REGION(slab_, slab_bytes_);  // the addresses will be used again
#endif
  ::munmap(slab_, slab_bytes_);
}

BufferId BufferPool::take() noexcept {
  return take_from(free_);
}

BufferId BufferPool::take_large() noexcept {
  return take_from(free_large_);
}

BufferId BufferPool::take_from(std::vector<BufferId>& free) noexcept {
  if (free.empty()) return no_buffer;
  const BufferId id = free.back();
  free.pop_back();
  ASSERT(holds_[id] == 0);
  holds_[id] = 1;
  unpoison(start_of(id), slot_size(id));
  return id;
}

void BufferPool::hold(BufferId id) noexcept {
  ASSERT(id < holds_.size() && holds_[id] > 0);
  ASSERT(holds_[id] < std::numeric_limits<std::uint16_t>::max());
  ++holds_[id];
}

void BufferPool::release(BufferId id) noexcept {
  ASSERT(id < holds_.size() && holds_[id] > 0);
  if (--holds_[id] > 0) return;
  poison(start_of(id), slot_size(id));
  (is_large(id) ? free_large_ : free_).push_back(id);  // within the capacity reserved at start
}

ByteSpan BufferPool::slot(BufferId id) noexcept {
  ASSERT(id < holds_.size() && holds_[id] > 0);
  return {start_of(id), slot_size(id)};
}

std::uint8_t* BufferPool::data(BufferId id) noexcept {
  ASSERT(id < holds_.size() && holds_[id] > 0);
  return start_of(id) + headroom_bytes;
}

std::uint8_t* BufferPool::start_of(BufferId id) const noexcept {
  if (!is_large(id)) return slab_ + std::size_t{id} * slot_stride_bytes;
  return slab_ + ordinary_ * slot_stride_bytes + (id - ordinary_) * large_stride_bytes;
}

}  // namespace sluice::dataplane
