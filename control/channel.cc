#include "control/channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "control/socket.h"

namespace sluice::control {
namespace {

constexpr std::size_t read_bytes = std::size_t{16} << 10;

/// With a limit the socket is not waited for but by poll().
bool goes_on(int error, bool has_limit) noexcept {
  return error == EINTR || (has_limit && error == EAGAIN);
}

}  // namespace

void SocketChannel::limit(Duration whole) {
  until_ = Clock::now() + std::chrono::nanoseconds(whole.ns);
}

Result<void> SocketChannel::await(short events, const Descriptor* stop) const {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until_ - Clock::now());
    if (left.count() <= 0) return fail("it took too long");
    std::array<pollfd, 2> waiting{
        {{.fd = socket_.get(), .events = events, .revents = 0},
         {.fd = stop == nullptr ? -1 : stop->get(), .events = POLLIN, .revents = 0}}};
    const int ready = ::poll(waiting.data(), waiting.size(), static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) return fail(system_error("poll", errno));
    if (ready <= 0) continue;
    if (waiting[1].revents != 0) return fail("this end stops");
    return {};
  }
}

Result<std::size_t> SocketChannel::read(std::string& unread) {
  const std::size_t before = unread.size();
  unread.resize(before + read_bytes);
  ssize_t got = 0;
  Result<void> ready;
  do {
    if (until_) ready = await(POLLIN, stop_);
    if (!ready) break;
    got = ::recv(socket_.get(), unread.data() + before, read_bytes, until_ ? MSG_DONTWAIT : 0);
  } while (got < 0 && goes_on(errno, until_.has_value()));
  const int error = errno;
  unread.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (!ready) return tl::unexpected(ready.error());
  if (got < 0) return fail(system_error("read", error));
  return static_cast<std::size_t>(got);
}

Result<void> SocketChannel::write(ByteView bytes) {
  while (!bytes.empty()) {
    if (until_) {
      if (auto ready = await(POLLOUT, nullptr); !ready) return ready;
    }
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(),
                                MSG_NOSIGNAL | (until_ ? MSG_DONTWAIT : 0));
    if (sent < 0 && goes_on(errno, until_.has_value())) continue;
    if (sent < 0) return fail(system_error("write", errno));
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return {};
}

void SocketChannel::end() {
  ::shutdown(socket_.get(), SHUT_WR);
}

}  // namespace sluice::control
