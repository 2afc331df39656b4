// Whose socket is at the other end, as this kernel says.
#include "control/loopback_peer.h"

#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "control/socket.h"

using namespace sluice::control;

TEST_CASE("The other end's user is known while it is connected, and nobody is taken for it later") {
  const auto listener = listen_loopback({.host = "127.0.0.1", .port = 0});
  REQUIRE(listener);
  auto client = connect_loopback(*local_port(*listener));
  REQUIRE(client);
  const Descriptor accepted(::accept(listener->get(), nullptr, nullptr));
  REQUIRE(accepted.is_open());
  CHECK(loopback_peer(accepted).value() == ::geteuid());
  client = Descriptor();
  CHECK(loopback_peer(accepted).value() == std::nullopt);
}

TEST_CASE("A socket that is not connected has no other end") {
  const auto listener = listen_loopback({.host = "127.0.0.1", .port = 0});
  REQUIRE(listener);
  CHECK_FALSE(loopback_peer(*listener));
}
