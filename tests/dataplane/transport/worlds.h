// The worlds that a contract test runs in: io_uring on loopback sockets, the
// same on what older kernels have, and the simulation.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <deque>
#include <memory>

#include "dataplane/transport/sim_transport.h"
#include "dataplane/transport/uring_transport.h"
#include "far.h"

namespace sluice::dataplane {

struct WorldOptions {
  std::uint32_t connections_max = 64;
  std::size_t buffer_bytes = 8 * 1024 * 1024;
  std::uint64_t seed = 1;
};

inline Endpoint loopback(std::uint16_t port = 0) {
  return *parse_endpoint("127.0.0.1", port);
}

template <bool plain>
class UringWorld {
 public:
  using Transport = UringTransport;
  static constexpr bool is_real = true;

  explicit UringWorld(const WorldOptions& options) {
    auto made = UringTransport::make({.connections_max = options.connections_max,
                                      .buffer_bytes = options.buffer_bytes,
                                      .ring_entries = 64,
                                      .published_buffers = 64,
                                      .plain = plain});
    if (!made) throw std::runtime_error(made.error().message);
    transport_ = *std::move(made);
    if (const auto listening = transport_->listen(loopback(), 7); !listening) {
      throw std::runtime_error(listening.error().message);
    }
    listener_ = *transport_->local_endpoint(7);
    target_fd_ = open_listener(64);
    mute_fd_ = open_listener(0);
    for (int i = 0; i < 4; ++i) open_client_to(address_of(mute_fd_));  // fills its backlog
    const int gone = open_listener(1);
    nobody_ = address_of(gone);
    ::close(gone);
  }
  UringWorld(const UringWorld&) = delete;
  UringWorld& operator=(const UringWorld&) = delete;
  ~UringWorld() {
    ::close(target_fd_);
    ::close(mute_fd_);
  }

  UringTransport& transport() { return *transport_; }
  Far& open_client() { return open_client_to(listener_); }
  Endpoint target() const { return address_of(target_fd_); }
  Endpoint nobody() const { return nobody_; }
  Endpoint mute() const { return address_of(mute_fd_); }
  /// The far end of a connect to target(), once it is there.
  Far* next_served() {
    const int fd = ::accept4(target_fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return fd < 0 ? nullptr : &fars_.emplace_back(fd);
  }
  void pump() {
    for (SocketFar& far : fars_) far.pump();
  }

 private:
  static Endpoint address_of(int fd) {
    Endpoint endpoint{};
    endpoint.size_bytes = sizeof endpoint.v6;
    ::getsockname(fd, &endpoint.generic, &endpoint.size_bytes);
    return endpoint;
  }
  static int open_listener(int backlog) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const Endpoint any = loopback();
    if (::bind(fd, &any.generic, any.size_bytes) != 0 || ::listen(fd, backlog) != 0) {
      throw std::runtime_error("no listener");
    }
    return fd;
  }
  Far& open_client_to(const Endpoint& endpoint) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ::connect(fd, &endpoint.generic, endpoint.size_bytes);
    return fars_.emplace_back(fd);
  }

  std::unique_ptr<UringTransport> transport_;
  Endpoint listener_{};
  Endpoint nobody_{};
  int target_fd_ = -1;
  int mute_fd_ = -1;
  std::deque<SocketFar> fars_;
};

using ModernWorld = UringWorld<false>;
using PlainWorld = UringWorld<true>;

class SimWorld {
 public:
  using Transport = SimTransport;
  static constexpr bool is_real = false;

  explicit SimWorld(const WorldOptions& options, SimOptions sim = {})
      : transport_([&] {
          sim.seed = options.seed;
          sim.connections_max = options.connections_max;
          sim.buffer_bytes = options.buffer_bytes;
          return sim;
        }()) {
    transport_.serve(target(), [this] {
      served_.push_back(&fars_.emplace_back());
      return served_.back();
    });
    transport_.swallow(mute());
  }

  SimTransport& transport() { return transport_; }
  Far& open_client() {
    SimFar& far = fars_.emplace_back();
    transport_.bring_client(7, far);
    return far;
  }
  Endpoint target() const { return loopback(1); }
  Endpoint nobody() const { return loopback(2); }
  Endpoint mute() const { return loopback(3); }
  Far* next_served() {
    if (served_.empty()) return nullptr;
    SimFar* const far = served_.front();
    served_.pop_front();
    return far;
  }
  void pump() {}

 private:
  SimTransport transport_;
  std::deque<SimFar> fars_;
  std::deque<SimFar*> served_;
};

}  // namespace sluice::dataplane
