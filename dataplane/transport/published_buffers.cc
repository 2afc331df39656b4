#include "dataplane/transport/published_buffers.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sluice::dataplane {

Result<PublishedBuffers> PublishedBuffers::make(io_uring* ring, BufferPool* pool,
                                                unsigned count_max) {
  constexpr unsigned kernel_entries_max = 32768;
  PublishedBuffers made;
  made.pool_ = pool;
  made.entries_ = std::bit_ceil(std::clamp(count_max, 1U, kernel_entries_max));
  // At most half of the pool waits for bytes that may not come.
  made.count_max_ = std::clamp(count_max, 1U, static_cast<unsigned>(pool->size() + 1) / 2);
  made.ring_bytes_ = made.entries_ * sizeof(io_uring_buf);
  void* memory =
      ::mmap(nullptr, made.ring_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return fail(fmt::format("no memory for a buffer ring: {}", std::strerror(errno)));
  }
  made.ring_ = static_cast<io_uring_buf_ring*>(memory);
  io_uring_buf_ring_init(made.ring_);

  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
  registration.ring_entries = made.entries_;
  registration.bgid = group;
  if (const int status = io_uring_register_buf_ring(ring, &registration, 0); status < 0) {
    return fail(fmt::format("the kernel takes no buffer ring: {}", std::strerror(-status)));
  }
  return made;
}

PublishedBuffers::PublishedBuffers(PublishedBuffers&& other) noexcept
    : ring_(std::exchange(other.ring_, nullptr)),
      pool_(other.pool_),
      ring_bytes_(other.ring_bytes_),
      entries_(other.entries_),
      count_max_(other.count_max_),
      count_(other.count_) {}

PublishedBuffers::~PublishedBuffers() {
  if (ring_ != nullptr) ::munmap(ring_, ring_bytes_);
}

void PublishedBuffers::top_up() noexcept {
  const int mask = io_uring_buf_ring_mask(entries_);
  int added = 0;
  for (; count_ < count_max_; ++count_, ++added) {
    const BufferId id = pool_->take_to_receive();
    if (id == no_buffer) break;
    io_uring_buf_ring_add(ring_, pool_->data(id), static_cast<unsigned>(buffer_data_bytes_max), id,
                          mask, added);
  }
  if (added > 0) io_uring_buf_ring_advance(ring_, added);
}

}  // namespace sluice::dataplane
