// The same relay on epoll, for comparison: reads what is there, writes it to the
// other end at once, and waits for room only when the other end has none.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <vector>

#include "dataplane/transport/listening_socket.h"

namespace {

using namespace sluice::dataplane;

struct End {
  int fd = -1;
  int other = -1;
  std::vector<char> left;  ///< Read from the other end, not yet written to this one.
};

class Relay {
 public:
  Relay(int listener, const Endpoint& target)
      : epoll_(::epoll_create1(EPOLL_CLOEXEC)), listener_(listener), target_(target) {
    watch(listener_, EPOLLIN, EPOLL_CTL_ADD);
  }

  void run() {
    std::array<epoll_event, 512> events{};
    for (;;) {
      const int count = ::epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == listener_) {
          accept_one();
        } else if (End* const end = find(fd)) {
          handle(*end, events[static_cast<std::size_t>(i)].events);
        }
      }
    }
  }

 private:
  void watch(int fd, std::uint32_t events, int operation) const {
    epoll_event event{.events = events, .data = {.fd = fd}};
    ::epoll_ctl(epoll_, operation, fd, &event);
  }

  End* find(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    return index < ends_.size() && ends_[index].fd == fd ? &ends_[index] : nullptr;
  }

  void accept_one() {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) return;
    const int target = open_outgoing_socket(target_);
    // Loopback connects at once, so the relay need not wait for it.
    if (target < 0 || ::connect(target, &target_.generic, target_.size_bytes) != 0) {
      ::close(client);
      if (target >= 0) ::close(target);
      return;
    }
    ::fcntl(target, F_SETFL, O_NONBLOCK);
    ends_.resize(std::max(ends_.size(), static_cast<std::size_t>(std::max(client, target)) + 1));
    add(client, target);
    add(target, client);
  }

  void add(int fd, int other) {
    ends_[static_cast<std::size_t>(fd)] = {.fd = fd, .other = other, .left = {}};
    watch(fd, EPOLLIN, EPOLL_CTL_ADD);
  }

  void handle(End& end, std::uint32_t events) {
    End& other = ends_[static_cast<std::size_t>(end.other)];
    if ((events & EPOLLOUT) != 0) {
      if (!write_all(end, end.left.data(), end.left.size())) return close_pair(end);
      if (!end.left.empty()) return;
      watch(end.fd, EPOLLIN, EPOLL_CTL_MOD);
      watch(other.fd, EPOLLIN, EPOLL_CTL_MOD);
    }
    if ((events & EPOLLIN) != 0 && other.left.empty()) {
      const ssize_t got = ::recv(end.fd, bytes_.data(), bytes_.size(), 0);
      if (got <= 0 || !write_all(other, bytes_.data(), static_cast<std::size_t>(got))) {
        return close_pair(end);
      }
      if (!other.left.empty()) {
        watch(end.fd, 0, EPOLL_CTL_MOD);
        watch(other.fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
      }
    }
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) close_pair(end);
  }

  /// Writes what goes and keeps the rest; false when the peer is gone.
  static bool write_all(End& to, const char* bytes, std::size_t size) {
    const ssize_t sent = ::send(to.fd, bytes, size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return false;
    const auto gone = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
    to.left = std::vector<char>(bytes + gone, bytes + size);
    return true;
  }

  void close_pair(End& end) {
    const int other = end.other;
    ::close(other);
    ::close(end.fd);
    ends_[static_cast<std::size_t>(other)] = {};
    end = {};
  }

  int epoll_;
  int listener_;
  Endpoint target_;
  std::vector<End> ends_;
  std::array<char, 64 * 1024> bytes_{};
};

std::uint16_t port_of(const char* word) {
  return static_cast<std::uint16_t>(std::strtoul(word, nullptr, 10));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: epoll_relay LISTEN_PORT TARGET_PORT   (both on 127.0.0.1)\n");
    return 2;
  }
  const auto listener = open_listening_socket(*parse_endpoint("127.0.0.1", port_of(argv[1])));
  if (!listener) {
    fmt::print(stderr, "epoll_relay: {}\n", listener.error().message);
    return 1;
  }
  std::make_unique<Relay>(*listener, *parse_endpoint("127.0.0.1", port_of(argv[2])))->run();
}
