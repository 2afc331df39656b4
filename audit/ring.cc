#include "audit/ring.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/crc32c.h"

namespace sluice::audit {
namespace {

constexpr std::uint64_t ring_magic = 0x31676e6972636c73U;  // "slcring1"
constexpr std::uint64_t ring_version = 1;

/// A descriptor that closes itself; the mapping does not need it.
struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

tl::unexpected<Error> ring_failure(const char* what, const std::filesystem::path& path) {
  return fail(
      fmt::format("cannot {} the audit ring {}: {}", what, path.string(), std::strerror(errno)));
}

bool is_ring_size(std::uint64_t bytes) {
  return std::has_single_bit(bytes) && bytes >= Ring::bytes_min && bytes <= Ring::bytes_max;
}

}  // namespace

std::uint32_t Ring::check_of_head() const noexcept {
  return crc32c({reinterpret_cast<const std::uint8_t*>(shared_), offsetof(Shared, check)});
}

Result<std::unique_ptr<Ring>> Ring::map(int fd, std::size_t bytes,
                                        const std::filesystem::path& path) {
  // Reserve one run of addresses, then lay the head and the data, twice, over it.
  const std::size_t span = head_bytes + 2 * bytes;
  void* base = ::mmap(nullptr, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) return ring_failure("map", path);
  auto* start = static_cast<std::uint8_t*>(base);
  std::unique_ptr<Ring> ring(new Ring);
  ring->shared_ = static_cast<Shared*>(base);
  ring->data_ = start + head_bytes;
  ring->capacity_ = bytes;
  // Populated now, so that no append takes a page fault for a page it never saw.
  const int flags = MAP_SHARED | MAP_FIXED | MAP_POPULATE;
  const int access = PROT_READ | PROT_WRITE;
  if (::mmap(start, head_bytes + bytes, access, flags, fd, 0) == MAP_FAILED ||
      ::mmap(start + head_bytes + bytes, bytes, access, flags, fd, head_bytes) == MAP_FAILED) {
    return ring_failure("map", path);
  }
  return ring;
}

Ring::~Ring() {
  if (shared_ != nullptr) ::munmap(shared_, head_bytes + 2 * capacity_);
}

Result<std::unique_ptr<Ring>> Ring::create(const std::filesystem::path& path, std::size_t bytes,
                                           std::uint32_t worker, std::uint64_t epoch) {
  if (!is_ring_size(bytes)) {
    return fail(fmt::format("the audit ring's size must be a power of two from {} to {} bytes",
                            bytes_min, bytes_max));
  }
  const std::filesystem::path draft = path.string() + ".new";
  ::unlink(draft.c_str());
  const Descriptor file{
      ::open(draft.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR)};
  if (file.fd < 0) return ring_failure("create", draft);
  // Allocated now: a store into a hole of a full disk would be a SIGBUS.
  if (const int error = ::posix_fallocate(file.fd, 0, static_cast<off_t>(head_bytes + bytes));
      error != 0) {
    errno = error;
    return ring_failure("allocate", draft);
  }
  auto ring = map(file.fd, bytes, draft);
  if (!ring) return ring;
  auto* shared = new ((*ring)->shared_) Shared{};
  shared->magic = ring_magic;
  shared->version = ring_version;
  shared->capacity = bytes;
  shared->epoch = epoch;
  shared->worker = worker;
  shared->boot = boot_id();
  shared->check = (*ring)->check_of_head();
  if (std::rename(draft.c_str(), path.c_str()) != 0) return ring_failure("name", path);
  return ring;
}

Result<std::unique_ptr<Ring>> Ring::open(const std::filesystem::path& path) {
  const Descriptor file{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
  if (file.fd < 0) return ring_failure("open", path);
  struct ::stat info {};
  if (::fstat(file.fd, &info) != 0) return ring_failure("read", path);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  const auto damaged = [&path](const char* what) {
    return fail(fmt::format("the audit ring {} is damaged: {}", path.string(), what));
  };
  if (size <= head_bytes || !is_ring_size(size - head_bytes)) return damaged("odd size");
  auto ring = map(file.fd, size - head_bytes, path);
  if (!ring) return ring;
  const Shared& shared = *(*ring)->shared_;
  if (shared.magic != ring_magic || shared.version != ring_version ||
      shared.check != (*ring)->check_of_head() || shared.capacity != (*ring)->capacity_) {
    return damaged("bad head");
  }
  const std::uint64_t written = shared.written.load(std::memory_order_acquire);
  const std::uint64_t consumed = shared.consumed.load(std::memory_order_acquire);
  if (consumed > written || written - consumed > (*ring)->capacity_) return damaged("bad indices");
  (*ring)->written_ = written;
  (*ring)->consumed_seen_ = consumed;
  (*ring)->cursor_ = consumed;
  return ring;
}

std::uint32_t Ring::worker() const noexcept {
  return static_cast<std::uint32_t>(shared_->worker);
}
std::uint64_t Ring::epoch() const noexcept {
  return shared_->epoch;
}
bool Ring::is_of_this_boot() const noexcept {
  return shared_->boot != BootId{} && shared_->boot == boot_id();
}

void Ring::mark_broken(const FailureMark& mark) noexcept {
  shared_->trusted_bytes.store(mark.trusted_bytes, std::memory_order_relaxed);
  shared_->failed_segment.store(mark.segment, std::memory_order_release);
  shared_->is_broken.store(1, std::memory_order_release);
}

FailureMark Ring::failure() const noexcept {
  const std::uint64_t segment = shared_->failed_segment.load(std::memory_order_acquire);
  return {segment, shared_->trusted_bytes.load(std::memory_order_relaxed)};
}

Result<void> Ring::forget_failure() noexcept {
  if (failure().segment == 0) return {};
  shared_->failed_segment.store(0, std::memory_order_release);
  if (::msync(shared_, head_bytes, MS_SYNC) != 0) {
    return fail(fmt::format("cannot sync an audit ring: {}", std::strerror(errno)));
  }
  return {};
}

}  // namespace sluice::audit
