#include "cli/tls_channel.h"

#include <sys/socket.h>

#include <array>
#include <catch2/catch.hpp>
#include <thread>

#include "test_tls.h"

using namespace sluice;
using control::Channel;
using control::Descriptor;
using control::SocketChannel;

namespace {

struct Wire {
  Descriptor client;
  Descriptor server;

  Wire() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
    client = Descriptor(ends[0]);
    server = Descriptor(ends[1]);
  }
};

/// Reads until the peer's end, then says the same.
void echo(const Descriptor& socket, const std::shared_ptr<const dataplane::TlsContext>& context) {
  SocketChannel below(socket);
  below.limit(seconds(20));
  auto channel = cli::TlsChannel::open(below, context);
  if (!channel) return;
  std::string all;
  for (;;) {
    const auto got = (*channel)->read(all);
    if (!got) return;
    if (*got == 0) break;
  }
  if ((*channel)->write(as_bytes(all))) (*channel)->end();
}

}  // namespace

TEST_CASE("What goes in at one end of a TLS channel comes out at the other") {
  const Wire wire;
  const auto context = test::tls_server(test::test_certificate("DNS:gw.test"));
  std::thread server([&] { echo(wire.server, context); });
  SocketChannel below(wire.client);
  below.limit(seconds(20));
  auto channel = cli::TlsChannel::open(below, test::tls_client(), "gw.test");
  REQUIRE(channel);
  const std::string text(100'000, 'z');
  CHECK((*channel)->write(as_bytes(text)));
  (*channel)->end();
  std::string back;
  for (;;) {
    const auto got = (*channel)->read(back);
    REQUIRE(got);
    if (*got == 0) break;
  }
  CHECK(back == text);
  server.join();
}

TEST_CASE("A certificate for somebody else, and what is no TLS, open no channel") {
  const Wire wire;
  SocketChannel below(wire.client);
  below.limit(seconds(20));
  SECTION("another's certificate") {
    const auto context = test::tls_server(test::test_certificate("DNS:other.test"));
    std::thread server([&] { echo(wire.server, context); });
    const auto channel = cli::TlsChannel::open(below, test::tls_client(), "gw.test");
    REQUIRE_FALSE(channel);
    CHECK(channel.error().message.find("wrong-name") != std::string::npos);
    server.join();
  }
  SECTION("a request in clear") {
    const auto context = test::tls_server(test::test_certificate("DNS:gw.test"));
    CHECK(below.write(as_bytes(std::string_view("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))));
    SocketChannel server(wire.server);
    server.limit(seconds(20));
    const auto channel = cli::TlsChannel::open(server, context);
    REQUIRE_FALSE(channel);
    CHECK(channel.error().message.find("not-tls") != std::string::npos);
  }
  SECTION("an end without its being said inside of TLS") {
    const auto context = test::tls_server(test::test_certificate("DNS:gw.test"));
    std::thread server([&] {
      SocketChannel far(wire.server);
      far.limit(seconds(20));
      CHECK(cli::TlsChannel::open(far, context));
      far.end();
    });
    auto channel = cli::TlsChannel::open(below, test::tls_client(), "gw.test");
    REQUIRE(channel);
    std::string nothing;
    CHECK_FALSE((*channel)->read(nothing));
    server.join();
  }
}
