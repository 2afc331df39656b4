#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "far.h"

namespace sluice::dataplane {

SocketFar::~SocketFar() {
  if (fd_ >= 0) ::close(fd_);
}

void SocketFar::reset() {
  // Closing with a linger time of zero sends RST.
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(fd_);
  fd_ = -1;
}

void SocketFar::pump() {
  if (fd_ >= 0 && !broken) pump_out();
  if (fd_ >= 0 && !broken && !ended && !paused_) pump_in();
}

void SocketFar::pump_out() {
  while (gone_ < out_.size()) {
    const ssize_t sent =
        ::send(fd_, out_.data() + gone_, out_.size() - gone_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
      broken = broken || (errno != EAGAIN && errno != ENOTCONN);
      return;
    }
    gone_ += static_cast<std::size_t>(sent);
  }
  if (finishes_ && !finished_) finished_ = ::shutdown(fd_, SHUT_WR) == 0;
}

void SocketFar::pump_in() {
  std::array<char, 64 * 1024> bytes;
  for (;;) {
    const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0) {
      broken = broken || (errno != EAGAIN && errno != ENOTCONN);
      return;
    }
    if (got == 0) {
      ended = true;
      return;
    }
    received.append(bytes.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace sluice::dataplane
