#include "cli/tunnel/server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "cli/tunnel/relay.h"
#include "control/loopback_peer.h"
#include "control/socket.h"

namespace sluice::cli::tunnel {
namespace {

/// How soon the places of connections that are over are taken.
constexpr int pause_ms = 200;

/// A tunnel for all accounts would be worse than none, so this is tried before anybody comes.
Result<void> see_own_socket(const control::Descriptor& listener) {
  const auto port = control::local_port(listener);
  if (!port) return tl::unexpected(port.error());
  const auto own = control::connect_loopback(*port);
  if (!own) return tl::unexpected(own.error());
  const control::Descriptor accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!accepted.is_open()) return fail(control::system_error("accept", errno));
  const auto peer = control::loopback_peer(accepted);
  if (!peer) return tl::unexpected(peer.error());
  if (*peer != ::geteuid()) return fail("the kernel does not say whose a socket is");
  return {};
}

}  // namespace

Server::Server(control::Descriptor listener, control::Descriptor stop, ServerOptions options)
    : listener_(std::move(listener)), stop_(std::move(stop)), options_(std::move(options)) {}

Result<std::unique_ptr<Server>> Server::start(control::Descriptor listener, ServerOptions options) {
  if (auto seen = see_own_socket(listener); !seen) return tl::unexpected(seen.error());
  control::Descriptor stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop.is_open()) return fail(control::system_error("eventfd", errno));
  // Whoever called may be gone.
  if (::fcntl(listener.get(), F_SETFL, O_NONBLOCK) != 0) {
    return fail(control::system_error("fcntl", errno));
  }
  std::unique_ptr<Server> made(
      new Server(std::move(listener), std::move(stop), std::move(options)));
  made->thread_ = std::jthread([&own = *made] { own.run(); });
  return made;
}

Server::~Server() {
  // The counter stays up, so that every thread sees it.
  ::eventfd_write(stop_.get(), 1);
}

void Server::run() {
  for (;;) {
    std::erase_if(connections_, [](const Connection& one) { return one.is_over.load(); });
    const bool has_room = connections_.size() < options_.connections_max;
    std::array<pollfd, 2> waiting{
        {{.fd = has_room ? listener_.get() : -1, .events = POLLIN, .revents = 0},
         {.fd = stop_.get(), .events = POLLIN, .revents = 0}}};
    if (::poll(waiting.data(), waiting.size(), connections_.empty() ? -1 : pause_ms) < 0) {
      if (errno != EINTR) return options_.complain(control::system_error("poll", errno));
      continue;
    }
    if (waiting[1].revents != 0) return;
    if (waiting[0].revents != 0) accept();
  }
}

void Server::accept() {
  control::Descriptor client(
      ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!client.is_open()) return;
  const auto peer = control::loopback_peer(client);
  if (!peer) return options_.complain(peer.error().message);
  if (*peer && **peer != ::geteuid()) {
    return options_.complain(fmt::format("user {} may not use this tunnel", **peer));
  }
  if (!*peer) return;
  const int on = 1;
  ::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Connection& made = connections_.emplace_back();
  made.client = std::move(client);
  made.thread = std::jthread([this, &made] {
    serve(made.client);
    made.is_over = true;
  });
}

void Server::serve(const control::Descriptor& client) const {
  const auto codec = options_.make_codec();
  const auto done = Relay(client, options_.gateway, *codec, stop_).run();
  if (!done) options_.complain(done.error().message);
}

}  // namespace sluice::cli::tunnel
