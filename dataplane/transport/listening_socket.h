// Listening and outgoing TCP sockets with the options the gateway wants.
#pragma once

#include "base/result.h"
#include "dataplane/transport/transport.h"

namespace sluice::dataplane {

/// A TCP socket that listens on `endpoint` beside those of other workers
/// (SO_REUSEPORT: the kernel spreads clients). The descriptor is the caller's.
Result<int> open_listening_socket(const Endpoint& endpoint);

/// An unconnected TCP socket for `peer`'s address family; a negative errno on failure.
int open_outgoing_socket(const Endpoint& peer) noexcept;

}  // namespace sluice::dataplane
