// Addresses in words and as the kernel takes them. Numeric only: names are
// resolved elsewhere, never on a worker.
#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/assert.h"
#include "dataplane/transport/transport.h"

namespace sluice::dataplane {

Result<Endpoint> parse_endpoint(const std::string& host, std::uint16_t port) {
  Endpoint endpoint{};
  // Zeroes every byte that the kernel will see, also those of the longer form.
  endpoint.v6 = sockaddr_in6{};
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const std::string bare = bracketed ? host.substr(1, host.size() - 2) : host;
  const bool whole = bare.find('\0') == std::string::npos;  // C strings end there

  in_addr v4{};
  if (whole && !bracketed && ::inet_pton(AF_INET, bare.c_str(), &v4) == 1) {
    endpoint.v4.sin_family = AF_INET;
    endpoint.v4.sin_port = htons(port);
    endpoint.v4.sin_addr = v4;
    endpoint.size_bytes = sizeof(sockaddr_in);
    return endpoint;
  }
  if (whole && ::inet_pton(AF_INET6, bare.c_str(), &endpoint.v6.sin6_addr) == 1) {
    endpoint.v6.sin6_family = AF_INET6;
    endpoint.v6.sin6_port = htons(port);
    endpoint.size_bytes = sizeof(sockaddr_in6);
    return endpoint;
  }
  return fail(fmt::format("\"{}\" is not an IPv4 or IPv6 address", host));
}

Endpoint endpoint(ByteView address, std::uint16_t port) noexcept {
  Endpoint made{};
  made.v6 = sockaddr_in6{};
  if (address.size() == sizeof made.v4.sin_addr) {
    made.v4.sin_family = AF_INET;
    made.v4.sin_port = htons(port);
    std::memcpy(&made.v4.sin_addr, address.data(), address.size());
    made.size_bytes = sizeof(sockaddr_in);
  } else {
    ASSERT(address.size() == sizeof made.v6.sin6_addr);
    made.v6.sin6_family = AF_INET6;
    made.v6.sin6_port = htons(port);
    std::memcpy(&made.v6.sin6_addr, address.data(), address.size());
    made.size_bytes = sizeof(sockaddr_in6);
  }
  return made;
}

ByteView address_bytes(const Endpoint& endpoint) noexcept {
  if (endpoint.generic.sa_family == AF_INET) {
    return {reinterpret_cast<const std::uint8_t*>(&endpoint.v4.sin_addr),
            sizeof endpoint.v4.sin_addr};
  }
  if (endpoint.generic.sa_family == AF_INET6) {
    return {endpoint.v6.sin6_addr.s6_addr, sizeof endpoint.v6.sin6_addr};
  }
  return {};
}

std::string text(const Endpoint& endpoint) {
  std::array<char, INET6_ADDRSTRLEN> host{};
  if (endpoint.generic.sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &endpoint.v4.sin_addr, host.data(), host.size());
    return fmt::format("{}:{}", host.data(), ntohs(endpoint.v4.sin_port));
  }
  if (endpoint.generic.sa_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &endpoint.v6.sin6_addr, host.data(), host.size());
    return fmt::format("[{}]:{}", host.data(), ntohs(endpoint.v6.sin6_port));
  }
  return "(no address)";
}

ByteView source_of(const Endpoint& endpoint) noexcept {
  constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  constexpr std::size_t network_bytes = 8;
  const ByteView address = address_bytes(endpoint);
  const bool is_mapped =
      address.size() > mapped.size() && std::ranges::equal(address.first(mapped.size()), mapped);
  if (is_mapped) return address.subspan(mapped.size());
  return address.first(std::min(address.size(), network_bytes));
}

}  // namespace sluice::dataplane
