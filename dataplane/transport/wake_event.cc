#include "dataplane/transport/wake_event.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/assert.h"

namespace sluice::dataplane {

Result<int> WakeEvent::open() {
  const int fd = ::eventfd(0, EFD_CLOEXEC);
  if (fd < 0) return fail(fmt::format("no eventfd: {}", std::strerror(errno)));
  return fd;
}

WakeEvent::~WakeEvent() {
  ::close(fd_);
}

void WakeEvent::wake() noexcept {
  if (pending_.exchange(true, std::memory_order_seq_cst)) return;
  constexpr std::uint64_t one = 1;
  // Cannot block: the count never passes one.
  const ssize_t written = ::write(fd_, &one, sizeof one);
  ASSERT(written == sizeof one || errno == EINTR);
}

}  // namespace sluice::dataplane
