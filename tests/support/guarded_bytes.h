// Bytes that end exactly at an unmapped page: one read too far ends the test.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "base/bytes.h"

namespace sluice::testing {

class GuardedBytes {
 public:
  explicit GuardedBytes(std::size_t capacity) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    room_bytes_ = (capacity / page + 1) * page;
    void* mapped = ::mmap(nullptr, room_bytes_ + page, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) std::abort();
    begin_ = static_cast<std::uint8_t*>(mapped);
    mapped_bytes_ = room_bytes_ + page;
    if (::mprotect(begin_ + room_bytes_, page, PROT_NONE) != 0) std::abort();
  }
  ~GuardedBytes() { ::munmap(begin_, mapped_bytes_); }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;

  /// A copy of `bytes` whose last byte is the last readable one. The previous copy dies.
  ByteSpan hold(ByteView bytes) noexcept {
    if (bytes.size() > room_bytes_) std::abort();
    std::uint8_t* const at = begin_ + (room_bytes_ - bytes.size());
    if (!bytes.empty()) std::memmove(at, bytes.data(), bytes.size());
    return {at, bytes.size()};
  }

 private:
  std::uint8_t* begin_ = nullptr;
  std::size_t room_bytes_ = 0;
  std::size_t mapped_bytes_ = 0;
};

}  // namespace sluice::testing
