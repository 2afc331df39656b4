// What a transport that speaks TLS adds to one that does not: upgrades, refusals, and ends
// that can be told from cuts. What both promise is in transport/contract_test.cc.
#include "dataplane/tls/secure_transport.h"

#include <catch2/catch.hpp>
#include <cerrno>
#include <deque>
#include <span>

#include "tls/secure_fixture.h"

namespace sluice::dataplane {
namespace {

using Kind = Completion::Kind;
using test::TlsSimPeer;

/// Counts what is sent below.
class CountingTransport : public SimTransport {
 public:
  using SimTransport::SimTransport;
  void send(ConnId id, std::span<const Slice> slices) {
    ++sends;
    SimTransport::send(id, slices);
  }
  std::size_t sends = 0;
};

using Fixture = FixtureOver<SimTransport>;
using KernelFixture = FixtureOver<test::ProtectingTransport>;

std::uint64_t failed(const TlsMetrics& metrics, TlsFault fault) {
  return metrics.failed[static_cast<std::size_t>(fault)].read();
}

TEST_CASE("A secured connection says what was agreed on", "[tls]") {
  Fixture f;
  SimFar far;
  TlsSimPeer peer(far, test::tls_client(), "gw.test");
  f.accept(peer);
  REQUIRE(f.until(Kind::secured));
  CHECK(f.transport.stream(f.id)->is_tls13());
  CHECK(f.transport.stream(f.id)->server_name() == "gw.test");
  CHECK(f.as_server.done_tls13.read() == 1);
  CHECK(f.as_client.done_tls13.read() == 0);
  // Nothing is read before receive is called.
  far.send("early");
  for (int i = 0; i < 20; ++i) f.turn();
  CHECK(f.received.empty());
  f.transport.receive(f.id);
  REQUIRE(f.until(Kind::received));
  CHECK(f.received == "early");
  f.close();
}

TEST_CASE("An end that was said is told from a cut", "[tls]") {
  Fixture f;
  SimFar far;
  TlsSimPeer peer(far, test::tls_client(), "gw.test");
  f.accept(peer);
  REQUIRE(f.until(Kind::secured));
  f.transport.receive(f.id);
  far.send("all of it");
  const bool is_cut = GENERATE(false, true);
  if (is_cut) {
    REQUIRE(f.until(Kind::received));
    peer.cut_off();
    REQUIRE(f.until(Kind::failed));
    CHECK(f.error == ECONNRESET);
    CHECK(std::ranges::find(f.news, Kind::peer_closed) == f.news.end());
  } else {
    far.finish();
    REQUIRE(f.until(Kind::peer_closed));
    CHECK(std::ranges::find(f.news, Kind::failed) == f.news.end());
  }
  CHECK(f.received == "all of it");
  f.close();
}

TEMPLATE_TEST_CASE("A peer can tell a close from a shutdown", "[tls]", Fixture, KernelFixture) {
  TestType f;
  SimFar far;
  TlsSimPeer peer(far, test::tls_client(), "gw.test");
  f.accept(peer);
  REQUIRE(f.until(Kind::secured));
  f.send("half of it");
  REQUIRE(f.until(Kind::sent));
  const bool is_whole = GENERATE(false, true);
  if (is_whole) f.transport.shutdown(f.id);
  f.close();
  for (int i = 0; i < 20; ++i) f.turn();
  CHECK(far.received == "half of it");
  CHECK(peer.was_truncated() == !is_whole);
  CHECK(far.ended == is_whole);
}

TEST_CASE("An answer leaves with the ticket before it and the end behind it", "[tls]") {
  FixtureOver<CountingTransport> f;
  SimFar far;
  TlsSimPeer peer(far, test::tls_client(), "gw.test");
  f.accept(peer);
  REQUIRE(f.until(Kind::secured));
  CHECK(f.below.sends == 1);  // the server's part of the handshake
  f.send("all of it");
  f.transport.shutdown(f.id);
  REQUIRE(f.until(Kind::sent));
  for (int i = 0; i < 20; ++i) f.turn();
  CHECK(f.below.sends == 2);
  CHECK(far.received == "all of it");
  CHECK(far.ended);
  f.close();
}

TEST_CASE("Where the kernel can, it makes all records behind the handshake's", "[tls]") {
  KernelFixture f;
  SimFar far;
  TlsSimPeer peer(far, test::tls_client(), "gw.test");
  f.accept(peer);
  REQUIRE(f.until(Kind::secured));
  CHECK(f.transport.stream(f.id)->is_kernels());
  CHECK(f.as_server.kernel.read() == 1);
  CHECK(f.below.records_of_other_types == 1);  // the ticket
  const std::string said(50'000, 'x');
  f.send(said);
  REQUIRE(f.until(Kind::sent));
  f.transport.shutdown(f.id);
  f.close();
  for (int i = 0; i < 20; ++i) f.turn();
  CHECK(far.received == said);
  CHECK(f.below.records_of_other_types == 2);  // and close_notify
}

TEST_CASE("What is no TLS fails the handshake, is counted, and nothing is answered in clear",
          "[tls]") {
  Fixture f;
  SimFar far;
  far.send("GET / HTTP/1.1\r\nHost: gw.test\r\n\r\n");
  f.accept(far);
  REQUIRE(f.until(Kind::failed));
  CHECK(f.error == EPROTO);
  CHECK(f.transport.stream(f.id)->failure().fault == TlsFault::not_tls);
  CHECK(failed(f.as_server, TlsFault::not_tls) == 1);
  f.close();
  CHECK(far.received.find("HTTP") == std::string::npos);
}

TEST_CASE("A client that leaves inside of its handshake is counted as that", "[tls]") {
  Fixture f;
  SimFar far;
  far.send(std::string("\x16\x03\x01\x02", 4));
  far.finish();
  f.accept(far);
  REQUIRE(f.until(Kind::failed));
  CHECK(failed(f.as_server, TlsFault::truncated) == 1);
  f.close();
}

TEST_CASE("A handshake that fails tells the peer why before it closes", "[tls]") {
  Fixture f;
  SimFar far;
  TlsSimPeer peer(far, test::tls_client(), "other.test");
  f.accept(peer);
  // In 1.3 the client finds the fault once the server is done.
  REQUIRE((f.until(Kind::secured) || f.until(Kind::failed)));
  f.transport.receive(f.id);
  REQUIRE(f.until(Kind::failed));
  CHECK(peer.stream().failure().fault == TlsFault::wrong_name);
  f.close();
}

/// Asks in clear whether it may go on in TLS, as PostgreSQL's clients do.
class Upgrading final : public SimPeer {
 public:
  explicit Upgrading(TlsSimPeer& tls) : tls_(tls) {}
  void on_connected(SimRemote& remote) override { remote.send(as_bytes("may I?")); }
  void on_bytes(SimRemote& remote, ByteView bytes) override {
    if (std::exchange(is_upgraded_, true)) return tls_.on_bytes(remote, bytes);
    CHECK(as_text(bytes) == "S");
    tls_.on_connected(remote);
  }
  void on_finished(SimRemote& remote) override {
    if (is_upgraded_) tls_.on_finished(remote);
  }

 private:
  TlsSimPeer& tls_;
  bool is_upgraded_ = false;
};

TEST_CASE("A connection can be secured after bytes in clear", "[tls]") {
  Fixture f;
  SimFar far;
  TlsSimPeer tls(far, test::tls_client(), "gw.test");
  Upgrading peer(tls);
  f.below.bring_client(0, peer);
  REQUIRE(f.until(Kind::accepted));
  f.transport.receive(f.id);
  REQUIRE(f.until(Kind::received));
  while (f.received.size() < 6) f.turn();
  f.send("S");
  REQUIRE(f.until(Kind::sent));
  f.transport.secure(f.id, f.server);
  REQUIRE(f.until(Kind::secured));
  f.received.clear();
  f.transport.receive(f.id);
  far.send("a secret");
  while (f.received.empty()) f.turn();
  CHECK(f.received == "a secret");
  f.close();
}

TEST_CASE("Words in clear that come behind an upgrade are never heard", "[tls]") {
  Fixture f;
  SimFar far;
  far.send("may I?");
  f.below.bring_client(0, far);
  REQUIRE(f.until(Kind::accepted));
  f.transport.receive(f.id);
  while (f.received.size() < 6) f.turn();
  f.send("S");
  REQUIRE(f.until(Kind::sent));
  f.transport.secure(f.id, f.server);
  far.send("DELETE FROM payments;");
  REQUIRE(f.until(Kind::failed));
  CHECK(f.received == "may I?");
  CHECK(f.transport.stream(f.id)->failure().fault == TlsFault::not_tls);
  f.close();
}

TEST_CASE("A flood of handshakes takes a bounded part of each turn, and all come to an end",
          "[tls]") {
  SimOptions options;
  options.delay_max = {};
  SimTransport below(options);
  TlsMetrics as_server;
  TlsMetrics as_client;
  SecureTransport<SimTransport> transport(below, as_server, as_client);
  const auto server = test::tls_server(test::test_certificate("DNS:gw.test"));
  const auto client = test::tls_client();
  constexpr std::size_t count = 3 * handshake_steps_per_turn_max;
  std::deque<SimFar> fars(count);
  std::deque<TlsSimPeer> peers;
  for (SimFar& far : fars) {
    below.bring_client(0, peers.emplace_back(far, client, "gw.test"));
  }
  std::size_t secured = 0;
  std::size_t most = 0;
  for (int turns = 0; secured < count && turns < 1000; ++turns) {
    std::array<Completion, 256> done{};
    const Instant before = transport.now().monotonic;
    const std::size_t found = transport.poll(done, seconds(1));
    std::size_t now = 0;
    for (const Completion& news : std::span(done).first(found)) {
      if (news.kind == Kind::accepted) transport.secure(news.conn, server);
      if (news.kind == Kind::secured) ++now;
    }
    // What was put off does not wait for something else to happen.
    if (now == handshake_steps_per_turn_max) {
      CHECK(transport.now().monotonic < before + seconds(1));
    }
    most = std::max(most, now);
    secured += now;
  }
  CHECK(secured == count);
  CHECK(most <= handshake_steps_per_turn_max);
}

TEST_CASE("Nothing is spliced to or from a secured connection", "[tls]") {
  Fixture f;
  SimFar far;
  TlsSimPeer peer(far, test::tls_client(), "gw.test");
  f.accept(peer);
  REQUIRE(f.until(Kind::secured));
  const std::size_t free = f.transport.splices_free();
  f.transport.splice(f.id, f.id, 1 << 20);
  CHECK(f.transport.splices_free() == free);
  f.close();
}

}  // namespace
}  // namespace sluice::dataplane
