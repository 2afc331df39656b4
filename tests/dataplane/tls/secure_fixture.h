// One secured connection on the simulated network.
#pragma once

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "tls/secure_world.h"

namespace sluice::dataplane {

/// A transport, one client of it, and what was reported.
template <class Below>
struct FixtureOver {
  using Kind = Completion::Kind;

  explicit FixtureOver(const SimOptions& options = {}) : below(options) {}

  Below below;
  TlsMetrics as_server;
  TlsMetrics as_client;
  SecureTransport<Below> transport{below, as_server, as_client};
  std::shared_ptr<const TlsContext> server =
      test::tls_server(test::test_certificate("DNS:gw.test"));
  ConnId id;
  std::vector<Kind> news;
  std::string received;
  int error = 0;

  const TlsStream& stream() {
    const TlsStream* const found = transport.stream(id);
    ASSERT(found != nullptr);
    return *found;
  }
  /// Turns until something of the kind was reported; false when it never is.
  bool until(Kind kind) {
    for (int i = 0; i < 2000; ++i) {
      if (std::ranges::find(news, kind) != news.end()) return true;
      turn();
    }
    return false;
  }
  void turn() {
    std::array<Completion, 8> done{};
    const std::size_t count = transport.poll(done, milliseconds(1));
    for (std::size_t i = 0; i < count; ++i) {
      news.push_back(done[i].kind);
      if (done[i].kind == Kind::accepted) id = done[i].conn;
      if (done[i].kind == Kind::failed) error = done[i].error;
      if (done[i].kind != Kind::received) continue;
      const auto* const data = reinterpret_cast<const char*>(transport.pool().data(done[i].buffer));
      received.append(data, done[i].size_bytes);
      transport.pool().release(done[i].buffer);
    }
  }
  void send(std::string_view bytes) {
    const Slice slice{as_bytes(bytes).data(), static_cast<std::uint32_t>(bytes.size())};
    transport.send(id, {&slice, 1});
  }
  /// Accepts `peer` and secures it.
  void accept(SimPeer& peer) {
    below.bring_client(0, peer);
    REQUIRE(until(Kind::accepted));
    transport.secure(id, server);
  }
  void close() {
    transport.close(id);
    REQUIRE(until(Kind::closed));
    CHECK(transport.stream(id) == nullptr);
    CHECK(transport.pool().free_count() == transport.pool().size());
    CHECK(as_server.handshaking.read() == 0);
  }
};

}  // namespace sluice::dataplane
