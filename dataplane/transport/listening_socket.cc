#include "dataplane/transport/listening_socket.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sluice::dataplane {
namespace {

/// As deep as net.core.somaxconn lets it be.
constexpr int backlog_max = 65535;

bool enable(int fd, int level, int option) noexcept {
  constexpr int on = 1;
  return ::setsockopt(fd, level, option, &on, sizeof on) == 0;
}

int open_tcp(const Endpoint& endpoint) noexcept {
  return ::socket(endpoint.generic.sa_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
}

bool prepare(int fd, const Endpoint& endpoint) noexcept {
  // An IPv6 listener is for IPv6 only, so that each family is said by itself.
  const bool family_ok =
      endpoint.generic.sa_family != AF_INET6 || enable(fd, IPPROTO_IPV6, IPV6_V6ONLY);
  // Accepted sockets inherit TCP_NODELAY, which saves a call for each.
  return family_ok && enable(fd, SOL_SOCKET, SO_REUSEADDR) &&
         enable(fd, SOL_SOCKET, SO_REUSEPORT) && enable(fd, IPPROTO_TCP, TCP_NODELAY) &&
         ::bind(fd, &endpoint.generic, endpoint.size_bytes) == 0 && ::listen(fd, backlog_max) == 0;
}

}  // namespace

Result<int> open_listening_socket(const Endpoint& endpoint) {
  const int fd = open_tcp(endpoint);
  if (fd >= 0 && prepare(fd, endpoint)) return fd;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  return fail(fmt::format("cannot listen on {}: {}", text(endpoint), std::strerror(error)));
}

int open_outgoing_socket(const Endpoint& peer) noexcept {
  const int fd = open_tcp(peer);
  if (fd < 0) return -errno;
  // Small requests must not wait for the acknowledgement of earlier ones.
  enable(fd, IPPROTO_TCP, TCP_NODELAY);
  return fd;
}

}  // namespace sluice::dataplane
