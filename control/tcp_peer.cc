#include "control/tcp_peer.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace sluice::control {
namespace {

std::string text_of(int family, const void* bytes) {
  std::array<char, INET6_ADDRSTRLEN> room{};
  return ::inet_ntop(family, bytes, room.data(), room.size());
}

TcpPeer peer_of(const in_addr& host, std::uint16_t port) {
  const std::string text = text_of(AF_INET, &host);
  return {.address = fmt::format("{}:{}", text, port), .source = text};
}

TcpPeer peer_of(in6_addr host, std::uint16_t port) {
  const std::string text = text_of(AF_INET6, &host);
  std::fill(std::begin(host.s6_addr) + 8, std::end(host.s6_addr), std::uint8_t{0});
  return {.address = fmt::format("[{}]:{}", text, port), .source = text_of(AF_INET6, &host)};
}

}  // namespace

std::optional<TcpPeer> tcp_peer(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return peer_of(v4.sin_addr, ntohs(v4.sin_port));
  }
  if (address.ss_family != AF_INET6) return std::nullopt;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return peer_of(v6.sin6_addr, ntohs(v6.sin6_port));
  in_addr inner{};
  std::memcpy(&inner, v6.sin6_addr.s6_addr + 12, sizeof inner);
  return peer_of(inner, ntohs(v6.sin6_port));
}

}  // namespace sluice::control
