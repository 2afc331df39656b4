#include "control/tcp_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <catch2/catch.hpp>
#include <cstring>

using namespace sluice::control;

namespace {

sockaddr_storage v6(const char* text, std::uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  REQUIRE(::inet_pton(AF_INET6, text, &address.sin6_addr) == 1);
  sockaddr_storage storage{};
  std::memcpy(&storage, &address, sizeof address);
  return storage;
}

}  // namespace

TEST_CASE("a peer is an address and a port; its source is the address or its network") {
  const auto far = tcp_peer(v6("2001:db8:1:2:3:4:5:6", 4711));
  REQUIRE(far);
  CHECK(far->address == "[2001:db8:1:2:3:4:5:6]:4711");
  CHECK(far->source == "2001:db8:1:2::");
  const auto mapped = tcp_peer(v6("::ffff:192.0.2.1", 80));
  REQUIRE(mapped);
  CHECK(mapped->address == "192.0.2.1:80");
  CHECK(mapped->source == "192.0.2.1");
  sockaddr_storage local{};
  local.ss_family = AF_UNIX;
  CHECK_FALSE(tcp_peer(local));
}
