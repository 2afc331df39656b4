#include "cli/tunnel/link.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "control/socket.h"

namespace sluice::cli::tunnel {

using dataplane::tls_overhead_bytes_max;
using dataplane::tls_record_bytes_max;
using dataplane::TlsOutput;
using State = dataplane::TlsStream::State;
using Clock = std::chrono::steady_clock;

namespace {

constexpr Duration connect_timeout = seconds(10);
constexpr std::chrono::seconds handshake_timeout{10};
constexpr std::size_t read_bytes = std::size_t{64} << 10;

/// A gateway that is gone without a word is noticed within some minutes, if nothing is sent.
void keep_alive(const control::Descriptor& socket) {
  const int on = 1;
  const int idle_seconds = 60;
  const int interval_seconds = 15;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_KEEPIDLE, &idle_seconds, sizeof idle_seconds);
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_KEEPINTVL, &interval_seconds,
               sizeof interval_seconds);
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

tl::unexpected<Error> fail_as(const dataplane::TlsFailure& failure) {
  return fail(failure.detail.empty()
                  ? fmt::format("TLS: {}", text(failure.fault))
                  : fmt::format("TLS: {} ({})", text(failure.fault), failure.detail));
}

}  // namespace

Link::Link(control::Descriptor socket, const Gateway& gateway)
    : socket_(std::move(socket)),
      stream_(gateway.context, gateway.host),
      room_(tls_record_bytes_max + tls_overhead_bytes_max) {}

Result<std::unique_ptr<Link>> Link::open(const Gateway& gateway, const control::Descriptor& stop) {
  auto socket = control::connect_tcp(gateway.host, gateway.port, connect_timeout);
  if (!socket) return tl::unexpected(socket.error());
  if (::fcntl(socket->get(), F_SETFL, O_NONBLOCK) != 0) {
    return fail(control::system_error("fcntl", errno));
  }
  keep_alive(*socket);
  std::unique_ptr<Link> made(new Link(std::move(*socket), gateway));
  if (auto done = made->shake_hands(stop); !done) return tl::unexpected(done.error());
  return made;
}

Result<void> Link::shake_hands(const control::Descriptor& stop) {
  const auto until = Clock::now() + handshake_timeout;
  // A client's first flight is the answer to nothing.
  std::string early;
  if (auto done = decrypt(early); !done) return done;
  while (stream_.state() == State::handshake) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) return fail("TLS: the gateway takes too long");
    const short events = static_cast<short>(has_backlog() ? POLLIN | POLLOUT : POLLIN);
    std::array<pollfd, 2> waiting{{{.fd = socket_.get(), .events = events, .revents = 0},
                                   {.fd = stop.get(), .events = POLLIN, .revents = 0}}};
    if (::poll(waiting.data(), waiting.size(), static_cast<int>(left)) < 0 && errno != EINTR) {
      return fail(control::system_error("poll", errno));
    }
    if (waiting[1].revents != 0) return fail("the tunnel ends");
    if ((waiting[0].revents & POLLOUT) != 0) {
      if (auto done = flush(); !done) return done;
    }
    if ((waiting[0].revents & ~POLLOUT) != 0) {
      if (auto done = receive(early); !done) return done;
    }
  }
  if (!early.empty()) return fail("the gateway speaks before it is asked");
  return {};
}

Result<void> Link::receive(std::string& plain) {
  const std::size_t before = arrived_.size();
  arrived_.resize(before + read_bytes);
  const ssize_t got = ::recv(socket_.get(), arrived_.data() + before, read_bytes, MSG_DONTWAIT);
  const int error = errno;
  arrived_.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
  if (got < 0 && error != EAGAIN && error != EINTR) {
    return fail(control::system_error("read from the gateway", error));
  }
  if (auto done = decrypt(plain); !done) return done;
  if (got == 0 && !has_ended()) return fail("the gateway cut the connection off");
  return {};
}

Result<void> Link::decrypt(std::string& plain) {
  std::array<std::uint8_t, tls_record_bytes_max> decrypted;
  for (;;) {
    TlsOutput out{.room = room_};
    const auto read = stream_.read(as_bytes(arrived_), decrypted, out);
    arrived_.erase(0, read.taken_bytes);
    plain += as_text(ByteView(decrypted).first(read.plain_bytes));
    // An alert that says why it fails leaves, too.
    leaving_ += as_text(out.bytes());
    const auto flushed = flush();
    if (stream_.state() == State::failed) return fail_as(stream_.failure());
    if (!flushed) return flushed;
    if (read.taken_bytes + read.plain_bytes + out.size_bytes == 0) return {};
  }
}

Result<void> Link::send(std::string& plain) {
  std::size_t taken = 0;
  auto flushed = flush();
  while (flushed && !has_backlog() && taken < plain.size()) {
    TlsOutput out{.room = room_};
    const std::size_t one = stream_.write(as_bytes(plain).subspan(taken), out);
    if (one == 0) return fail_as(stream_.failure());
    taken += one;
    leaving_ += as_text(out.bytes());
    flushed = flush();
  }
  plain.erase(0, taken);
  return flushed;
}

void Link::end() {
  TlsOutput out{.room = room_};
  if (stream_.state() == State::open) stream_.end(out);
  leaving_ += as_text(out.bytes());
  static_cast<void>(flush());
  ::shutdown(socket_.get(), SHUT_WR);
}

Result<void> Link::flush() {
  while (!leaving_.empty()) {
    const ssize_t sent =
        ::send(socket_.get(), leaving_.data(), leaving_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) return {};
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return fail(control::system_error("write to the gateway", errno));
    leaving_.erase(0, static_cast<std::size_t>(sent));
  }
  return {};
}

}  // namespace sluice::cli::tunnel
