#include "control/socket.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>

#include "control/unix_peer.h"

namespace sluice::control {
namespace {

constexpr int backlog = 64;

Result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail(fmt::format("the socket path '{}' must have 1 to {} bytes", path,
                            sizeof address.sun_path - 1));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

const sockaddr* generic(const auto& address) noexcept {
  return reinterpret_cast<const sockaddr*>(&address);
}

Result<Descriptor> open_socket(int family) {
  Descriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return fail(system_error("socket", errno));
  return socket;
}

/// An address of either family, with its size as the kernel wants it.
struct NumericAddress {
  sockaddr_storage storage{};
  socklen_t size_bytes = 0;
  bool is_loopback = false;
};

Result<NumericAddress> numeric_address(const config::SocketAddress& address) {
  NumericAddress result;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
  if (::inet_pton(AF_INET, address.host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    result.size_bytes = sizeof *v4;
    result.is_loopback = (ntohl(v4->sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
    return result;
  }
  if (::inet_pton(AF_INET6, address.host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    result.size_bytes = sizeof *v6;
    result.is_loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    return result;
  }
  return fail(fmt::format("'{}' is not a numeric address", address.host));
}

Result<NumericAddress> loopback_address(const config::SocketAddress& address) {
  auto result = numeric_address(address);
  if (result && result->is_loopback) return result;
  return fail(fmt::format("'{}' is not a loopback address (127.0.0.0/8 or ::1)", address.host));
}

/// /run is empty after each boot, so the folder in it may be gone.
Result<void> make_folder(const std::filesystem::path& folder) {
  std::error_code fault;
  if (!folder.empty()) std::filesystem::create_directories(folder, fault);
  if (!fault) return {};
  return fail(fmt::format("make the folder '{}': {}", folder.string(), fault.message()));
}

/// A gateway that was killed leaves its socket's name behind.
Result<void> remove_stale(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) return fail(fmt::format("'{}' exists and is not a socket", path));
  if (connect_unix(path)) return fail(fmt::format("another gateway answers on '{}'", path));
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return fail(system_error(fmt::format("remove the old socket '{}'", path), errno));
  }
  return {};
}

}  // namespace

std::string system_error(const std::string& what, int error) {
  return fmt::format("{}: {}", what, std::generic_category().message(error));
}

Result<Descriptor> listen_unix(const std::string& path, const std::string& group) {
  const auto id = group.empty() ? std::optional<std::uint32_t>() : group_number(group);
  if (!group.empty() && !id) return fail(fmt::format("the host has no group '{}'", group));
  const auto address = unix_address(path);
  if (!address) return tl::unexpected(address.error());
  if (auto made = make_folder(std::filesystem::path(path).parent_path()); !made) {
    return tl::unexpected(made.error());
  }
  if (auto removed = remove_stale(path); !removed) return tl::unexpected(removed.error());
  auto socket = open_socket(AF_UNIX);
  if (!socket) return socket;

  // bind() creates the name with the socket's own mode, less the umask; setting
  // the mode first leaves no moment in which others could connect.
  if (::fchmod(socket->get(), 0600) != 0) return fail(system_error("fchmod", errno));
  if (::bind(socket->get(), generic(*address), sizeof *address) != 0) {
    return fail(system_error(fmt::format("bind '{}'", path), errno));
  }
  if (id && (::lchown(path.c_str(), static_cast<uid_t>(-1), *id) != 0 ||
             ::chmod(path.c_str(), 0660) != 0)) {
    return fail(system_error(fmt::format("give '{}' to the group '{}'", path, group), errno));
  }
  if (::listen(socket->get(), backlog) != 0) return fail(system_error("listen", errno));
  return socket;
}

Result<Descriptor> listen_loopback(const config::SocketAddress& address) {
  const auto resolved = loopback_address(address);
  if (!resolved) return tl::unexpected(resolved.error());
  return listen_tcp(address);
}

Result<Descriptor> listen_tcp(const config::SocketAddress& address) {
  const auto resolved = numeric_address(address);
  if (!resolved) return tl::unexpected(resolved.error());
  auto socket = open_socket(resolved->storage.ss_family);
  if (!socket) return socket;
  const int on = 1;
  ::setsockopt(socket->get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket->get(), generic(resolved->storage), resolved->size_bytes) != 0 ||
      ::listen(socket->get(), backlog) != 0) {
    return fail(system_error(fmt::format("listen on {}:{}", address.host, address.port), errno));
  }
  return socket;
}

Result<std::uint16_t> local_port(const Descriptor& socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return fail(system_error("getsockname", errno));
  }
  return storage.ss_family == AF_INET6
             ? ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port)
             : ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

Result<Descriptor> connect_unix(const std::string& path) {
  const auto address = unix_address(path);
  if (!address) return tl::unexpected(address.error());
  auto socket = open_socket(AF_UNIX);
  if (!socket) return socket;
  if (::connect(socket->get(), generic(*address), sizeof *address) != 0) {
    return fail(system_error(fmt::format("connect to '{}'", path), errno));
  }
  return socket;
}

Result<Descriptor> connect_loopback(std::uint16_t port) {
  const auto address = loopback_address({.host = "127.0.0.1", .port = port});
  if (!address) return tl::unexpected(address.error());
  auto socket = open_socket(AF_INET);
  if (!socket) return socket;
  if (::connect(socket->get(), generic(address->storage), address->size_bytes) != 0) {
    return fail(system_error(fmt::format("connect to 127.0.0.1:{}", port), errno));
  }
  return socket;
}

Result<Descriptor> connect_tcp(const std::string& host, std::uint16_t port, Duration timeout) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
      code != 0) {
    return fail(fmt::format("find '{}': {}", host, ::gai_strerror(code)));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  int error = 0;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    auto socket = open_socket(at->ai_family);
    if (!socket) return socket;
    if (auto set = set_timeout(*socket, timeout); !set) return tl::unexpected(set.error());
    if (::connect(socket->get(), at->ai_addr, at->ai_addrlen) == 0) return socket;
    error = errno == EINPROGRESS ? ETIMEDOUT : errno;
  }
  return fail(system_error(fmt::format("connect to {}:{}", host, port), error));
}

Result<void> set_timeout(const Descriptor& socket, Duration timeout) {
  const timeval value{.tv_sec = timeout.ns / 1'000'000'000,
                      .tv_usec = timeout.ns % 1'000'000'000 / 1'000};
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &value, sizeof value) != 0 ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &value, sizeof value) != 0) {
    return fail(system_error("setsockopt", errno));
  }
  return {};
}

}  // namespace sluice::control
