#include "dataplane/transport/buffer_pool.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
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
constexpr std::size_t slots_max = no_buffer;  // ids run below no_buffer
/// Of the pool, for answers; at least what one piece of a body may grow to.
constexpr std::size_t reserved_share = 8;
constexpr std::size_t reserved_min = 16;

/// Makes a touch of a slot that nobody holds a crash under the address sanitizer.
void poison([[maybe_unused]] std::uint8_t* slot) noexcept {
#ifdef SLUICE_POISONS
  ASAN_POISON_MEMORY_REGION(slot, slot_bytes);
#endif
}

void unpoison([[maybe_unused]] std::uint8_t* slot) noexcept {
#ifdef SLUICE_POISONS
  ASAN_UNPOISON_MEMORY_REGION(slot, slot_bytes);
#endif
}

}  // namespace

Result<BufferPool> BufferPool::make(std::size_t total_bytes, bool huge_pages) {
  const std::size_t slots = total_bytes / slot_stride_bytes;
  if (slots == 0 || slots > slots_max) {
    return fail(fmt::format("a worker's buffers take {} to {} bytes, not {}", slot_stride_bytes,
                            slots_max * slot_stride_bytes, total_bytes));
  }
  const std::size_t bytes = slots * slot_stride_bytes;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return fail(fmt::format("no memory for {} bytes of buffers: {}", bytes, std::strerror(errno)));
  }
  // Advice only: a kernel without transparent huge pages serves small ones.
  if (huge_pages) ::madvise(memory, bytes, MADV_HUGEPAGE);

  BufferPool pool;
  pool.slab_ = static_cast<std::uint8_t*>(memory);
  pool.slab_bytes_ = bytes;
  pool.holds_.assign(slots, 0);
  pool.free_.reserve(slots);
  for (std::size_t i = slots; i-- > 0;) {
    const auto id = static_cast<BufferId>(i);
    poison(pool.start_of(id));
    pool.free_.push_back(id);
  }
  return pool;
}

BufferPool::BufferPool(BufferPool&& other) noexcept
    : slab_(std::exchange(other.slab_, nullptr)),
      slab_bytes_(std::exchange(other.slab_bytes_, 0)),
      holds_(std::move(other.holds_)),
      free_(std::move(other.free_)) {}

BufferPool& BufferPool::operator=(BufferPool&& other) noexcept {
  std::swap(slab_, other.slab_);
  std::swap(slab_bytes_, other.slab_bytes_);
  std::swap(holds_, other.holds_);
  std::swap(free_, other.free_);
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
  if (free_.empty()) return no_buffer;
  const BufferId id = free_.back();
  free_.pop_back();
  ASSERT(holds_[id] == 0);
  holds_[id] = 1;
  unpoison(start_of(id));
  return id;
}

BufferId BufferPool::take_to_receive() noexcept {
  return receivable_count() == 0 ? no_buffer : take();
}

void BufferPool::hold(BufferId id) noexcept {
  ASSERT(id < holds_.size() && holds_[id] > 0);
  ASSERT(holds_[id] < std::numeric_limits<std::uint16_t>::max());
  ++holds_[id];
}

void BufferPool::release(BufferId id) noexcept {
  ASSERT(id < holds_.size() && holds_[id] > 0);
  if (--holds_[id] > 0) return;
  poison(start_of(id));
  free_.push_back(id);  // within the capacity reserved at start
}

ByteSpan BufferPool::slot(BufferId id) noexcept {
  ASSERT(id < holds_.size() && holds_[id] > 0);
  return {start_of(id), slot_bytes};
}

std::uint8_t* BufferPool::data(BufferId id) noexcept {
  ASSERT(id < holds_.size() && holds_[id] > 0);
  return start_of(id) + headroom_bytes;
}

std::uint8_t* BufferPool::start_of(BufferId id) const noexcept {
  return slab_ + std::size_t{id} * slot_stride_bytes;
}

std::size_t BufferPool::free_count() const noexcept {
  return free_.size();
}

std::size_t BufferPool::receivable_count() const noexcept {
  const std::size_t reserved =
      std::min(std::max(size() / reserved_share, reserved_min), size() / 2);
  return free_.size() - std::min(free_.size(), reserved);
}

std::size_t BufferPool::size() const noexcept {
  return holds_.size();
}

}  // namespace sluice::dataplane
