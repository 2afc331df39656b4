#include "control/service_manager.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "control/descriptor.h"
#include "control/socket.h"

namespace sluice::control {

ServiceManager ServiceManager::of_environment() {
  const char* socket = std::getenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe): nobody sets
  return ServiceManager(socket == nullptr ? "" : socket);
}

Result<void> ServiceManager::ready(std::string_view status) const {
  return tell(fmt::format("READY=1\nSTATUS={}", status));
}

Result<void> ServiceManager::reloading(Instant now) const {
  // Type=notify-reload wants the time, and others ignore it.
  return tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.ns / 1'000));
}

Result<void> ServiceManager::stopping(Duration limit) const {
  return tell(fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}", limit.ns / 1'000));
}

Result<void> ServiceManager::tell(std::string_view message) const {
  if (socket_.empty()) return {};
  ::sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool is_abstract = socket_.front() == '@';
  // A path ends with a zero, an abstract name begins with one.
  if (socket_.size() + (is_abstract ? 0 : 1) > sizeof address.sun_path) {
    return fail("NOTIFY_SOCKET is too long for a socket");
  }
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (is_abstract) address.sun_path[0] = '\0';
  const Descriptor sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!sender.is_open()) return fail(system_error("socket", errno));
  const auto length = static_cast<::socklen_t>(offsetof(::sockaddr_un, sun_path) + socket_.size() +
                                               (is_abstract ? 0 : 1));
  const ssize_t sent =
      ::sendto(sender.get(), message.data(), message.size(), MSG_NOSIGNAL,
               reinterpret_cast<const ::sockaddr*>(&address), length);  // as sendto(2) wants it
  if (sent != static_cast<ssize_t>(message.size())) {
    return fail(system_error(fmt::format("cannot tell the service manager at {}", socket_), errno));
  }
  return {};
}

}  // namespace sluice::control
