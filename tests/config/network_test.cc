#include "config/model/network.h"

#include <arpa/inet.h>

#include <catch2/catch.hpp>
#include <string>

using namespace sluice;
using namespace sluice::config;

namespace {

bool contains(std::string_view network, const std::string& address) {
  std::array<std::uint8_t, 16> bytes{};
  const bool is_v4 = address.find(':') == std::string::npos;
  REQUIRE(::inet_pton(is_v4 ? AF_INET : AF_INET6, address.c_str(), bytes.data()) == 1);
  return Network::parse(network).value().contains(ByteView(bytes).first(is_v4 ? 4 : 16));
}

}  // namespace

TEST_CASE("A network holds the addresses that begin as it does") {
  CHECK(contains("10.0.0.0/8", "10.255.3.4"));
  CHECK_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
  CHECK(contains("192.0.2.64/26", "192.0.2.127"));
  CHECK_FALSE(contains("192.0.2.64/26", "192.0.2.128"));
  CHECK(contains("192.0.2.7", "192.0.2.7"));
  CHECK_FALSE(contains("192.0.2.7", "192.0.2.6"));
  CHECK(contains("0.0.0.0/0", "203.0.113.9"));
  CHECK(contains("2001:db8::/33", "2001:db8:7fff::1"));
  CHECK_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  CHECK(contains("::1", "::1"));
}

TEST_CASE("A network is of one family, and mapped addresses are IPv4") {
  CHECK_FALSE(contains("0.0.0.0/0", "::1"));
  CHECK_FALSE(contains("::/0", "10.0.0.1"));
  CHECK(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
  CHECK_FALSE(contains("::/0", "::ffff:10.1.2.3"));
}

TEST_CASE("What is no network is refused") {
  for (const std::string text :
       {"", "/8", "10.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/x",
        "::/129", "localhost", "10.0.0.1/8", "2001:db8::1/64", "010.0.0.0/8", "[::1]"}) {
    CAPTURE(text);
    CHECK_FALSE(Network::parse(text));
  }
  CHECK_FALSE(Network::parse(std::string("10.0.0.0\0/8", 11)));
}
