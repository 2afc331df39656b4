// Blocking sockets for the control thread: the admin interface and its client.
// The data path has its own transport.
#pragma once

#include <cstdint>
#include <string>

#include "base/instant.h"
#include "base/result.h"
#include "config/model/settings.h"
#include "control/descriptor.h"

namespace sluice::control {

/// Binds a unix socket that only its owner may open (mode 0600), and the members of `group`
/// where one is named (0660). What a killed gateway left at `path` is replaced; a socket that
/// still answers is an error.
Result<Descriptor> listen_unix(const std::string& path, const std::string& group = {});

/// Binds a numeric loopback address; any other is an error, because nothing
/// authenticates callers there. Port 0 takes a free one.
Result<Descriptor> listen_loopback(const config::SocketAddress& address);
/// The same for any numeric address: for what proves itself by signatures.
Result<Descriptor> listen_tcp(const config::SocketAddress& address);
Result<std::uint16_t> local_port(const Descriptor& socket);

Result<Descriptor> connect_unix(const std::string& path);
Result<Descriptor> connect_loopback(std::uint16_t port);
/// To a host of a name or a numeric address; `timeout` is for each address, and for
/// each read and write later.
Result<Descriptor> connect_tcp(const std::string& host, std::uint16_t port, Duration timeout);

/// Reads and writes give up after this long without progress.
Result<void> set_timeout(const Descriptor& socket, Duration timeout);

/// errno's meaning, in words.
std::string system_error(const std::string& what, int error);

}  // namespace sluice::control
