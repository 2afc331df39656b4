// Whose socket is at the other end of a connection within this host, as the kernel says.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "control/descriptor.h"

namespace sluice::control {

/// socket   an accepted connection over IPv4 whose peer is on this host.
/// returns  the user whose process made the peer's socket; nothing: it is not there any more, or
///          is not established, when the kernel may name somebody else.
/// errors   the kernel cannot be asked.
/// source   sock_diag(7)
[[nodiscard]] Result<std::optional<std::uint32_t>> loopback_peer(const Descriptor& socket);

}  // namespace sluice::control
