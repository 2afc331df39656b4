// What systemd is told of a service of Type=notify, without a library of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/instant.h"
#include "base/result.h"

namespace sluice::control {

/// source   sd_notify(3): one datagram of NAME=value lines to the socket of $NOTIFY_SOCKET.
/// errors   the socket is not there, or takes nothing. Nobody waits: a service manager that
///          does not read holds nothing up.
/// Thread-safe. Without a socket nobody is told, and all is well.
class ServiceManager {
 public:
  /// socket   a path, or '@' and an abstract name; empty: there is no service manager.
  explicit ServiceManager(std::string socket) : socket_(std::move(socket)) {}
  /// The one of $NOTIFY_SOCKET.
  [[nodiscard]] static ServiceManager of_environment();

  /// It serves; also what ends a reload. `status` is one line for `systemctl status`.
  [[nodiscard]] Result<void> ready(std::string_view status) const;
  /// A reload has begun; `now` is of CLOCK_MONOTONIC.
  [[nodiscard]] Result<void> reloading(Instant now) const;
  /// It ends by itself within `limit`: until then it is not to be killed.
  [[nodiscard]] Result<void> stopping(Duration limit) const;

 private:
  [[nodiscard]] Result<void> tell(std::string_view message) const;

  std::string socket_;
};

}  // namespace sluice::control
