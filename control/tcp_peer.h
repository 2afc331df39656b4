// Who is at the other end of a TCP connection.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>

namespace sluice::control {

struct TcpPeer {
  std::string address;  ///< "192.0.2.1:4711", "[2001:db8::1]:4711"
  /// What failures are counted by: the address, or an IPv6 network of 64 bits, of which one host
  /// has all addresses.
  std::string source;
};

/// Nothing for what is no IP address. An IPv4 address that is written as IPv6's is IPv4's.
[[nodiscard]] std::optional<TcpPeer> tcp_peer(const sockaddr_storage& address);

}  // namespace sluice::control
