// How PostgreSQL connections get to TLS through the whole gateway: what is said in clear around
// the request never becomes part of what is said inside, whatever pieces it comes in.
#include <openssl/ssl.h>

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <functional>

#include "checks.h"
#include "parsers/postgres/writer.h"
#include "record_member.h"
#include "snapshot_of.h"
#include "test_tls.h"
#include "tls_upgrade_sim_peer.h"

using namespace sluice;
using namespace sluice::dataplane;
using namespace sluice::dataplane::postgres_sim;

namespace {

using config::Protocol;

constexpr std::uint32_t ssl_code = 80877103;
constexpr std::uint32_t gssenc_code = 80877104;

std::string request(std::uint32_t code) {
  return packet_of(Body().u32(code).take());
}
template <class Write>
std::string written(Write write) {
  std::array<std::uint8_t, 256> room;
  postgres::Writer writer(room);
  write(writer);
  return std::string(as_text(writer.written()));
}
std::string login() {
  const std::array parameters{postgres::Parameter{"user", "ann"},
                              postgres::Parameter{"database", "shop"}};
  return written([&](postgres::Writer& writer) { writer.startup_message({3, 0}, parameters); });
}

/// Says what it was given, piece by piece or at once, and listens. It goes on when the
/// gateway has said something.
class Raw final : public SimPeer {
 public:
  explicit Raw(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}

  void on_connected(SimRemote& remote) override { say_next(remote); }
  void on_bytes(SimRemote& remote, ByteView bytes) override {
    received += as_text(bytes);
    say_next(remote);
  }
  void on_finished(SimRemote& remote) override {
    is_over = true;
    remote.finish();
  }
  void on_reset(SimRemote& /*remote*/) override { is_over = true; }

  std::string received;
  bool is_over = false;

 private:
  void say_next(SimRemote& remote) {
    if (next_ < pieces_.size()) remote.send(as_bytes(pieces_[next_++]));
  }

  std::vector<std::string> pieces_;
  std::size_t next_ = 0;
};

/// A gateway with these further entries of its listener.
struct World {
  World(const SimOptions& network, const std::string& listener) : worker(network) {
    const test::Pem gateway = test::test_certificate("DNS:gw.test");
    std::string text = R"(version: 1
listeners:
  - {name: ledger, address: "127.0.0.1:5432", protocol: postgres, target: db)";
    text.append(listener).append(R"(}
targets:
  - {name: db, addresses: ["127.0.0.1:9001"], credential: {user: app, password: file:secret}}
identity: {api_keys: file:keys.yaml}
audit: {directory: audit, signing_key: file:audit.key}
policies: [{name: open, ruling: allow}]
)");
    LoopOptions options;
    options.post = [this](std::uint32_t number, WorkerMail mail) {
      if (number == 0) worker.post(std::move(mail));
      return number == 0;
    };
    options.prove = [](const ProofRequest&) { return false; };
    worker.start(test::snapshot_of(text, "[]", std::string(target_password), 1,
                                   {{"gw.crt", gateway.certificate},
                                    {"gw.key", gateway.key},
                                    {"ca.crt", test::test_authority().certificate}}),
                 std::move(options));
  }

  void run_until(const std::function<bool()>& is_done) {
    REQUIRE(worker.run_until(is_done, seconds(60)));
  }
  std::uint64_t failed(TlsFault fault) {
    return worker.metrics().tls_clients.failed[static_cast<std::size_t>(fault)].read();
  }
  /// What a record of this event says.
  std::string detail_of(const std::string& event) {
    worker.stop();
    for (const std::string& record : worker.records()) {
      if (member(record, "event") == event) return member(record, "detail");
    }
    return {};
  }

  SimWorker worker;
};

const std::string tls_listener = ", tls: {certificate: file:gw.crt, key: file:gw.key}";

std::shared_ptr<const TlsContext> client_context() {
  return test::tls_client(test::test_authority().certificate, Protocol::postgres);
}

/// A network that cuts at every byte, at the request's end, or not at all.
SimOptions network_of(std::uint64_t seed) {
  SimOptions options;
  options.seed = seed;
  options.chunk_bytes_max =
      std::array{std::size_t{1}, std::size_t{8}, std::size_t{1} << 16}[seed % 3];
  if (seed % 2 == 0) options.delay_max = {};
  return options;
}

}  // namespace

TEST_CASE("A client that asks gets TLS, wherever its request is cut") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 13));
  CAPTURE(seed);
  World world(network_of(seed), tls_listener);
  Raw script({login()});
  test::TlsUpgradeSimPeer peer(script, client_context(), "gw.test");
  world.worker.transport().bring_client(0, peer);
  world.run_until([&] { return !script.received.empty(); });
  CHECK(script.received[0] == 'R');
  CHECK(peer.stream().alpn() == "postgresql");
  CHECK(script.received.find("SCRAM-SHA-256") == std::string::npos);  // nobody has a verifier
}

TEST_CASE("GSSAPI's encryption is declined, and TLS may be asked for then") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 7));
  World world(network_of(seed), tls_listener);
  Raw client({request(gssenc_code), request(gssenc_code), request(ssl_code), "no TLS at all"});
  world.worker.transport().bring_client(0, client);
  world.run_until([&] { return client.is_over; });
  CHECK(client.received.starts_with("NNS"));
  CHECK(world.failed(TlsFault::not_tls) == 1);
}

TEST_CASE("Bytes that come with the request are never heard") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 13));
  const std::string behind = GENERATE(as<std::string>(), "Q", login(), request(ssl_code),
                                      request(gssenc_code), "\x16\x03\x01 almost TLS");
  const std::uint32_t code = GENERATE(ssl_code, gssenc_code);
  CAPTURE(seed, behind, code);
  World world(network_of(seed), tls_listener);
  Raw client({request(code).append(behind)});
  world.worker.transport().bring_client(0, client);
  world.run_until([&] { return client.is_over; });
  // Those that came later are TLS, or a packet in clear; as neither do they get anywhere.
  CHECK(client.received.find('R') == std::string::npos);
  CHECK(world.worker.metrics().tls_clients.done_tls13.read() == 0);
  if (seed % 3 == 2) {
    CHECK(client.received.empty());
    CHECK(world.failed(TlsFault::early_bytes) == 1);
    CHECK(world.detail_of("tls-client-refused").find("early-bytes") != std::string::npos);
  }
}

TEST_CASE("A login in clear is refused in words, and recorded") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 7));
  World world(network_of(seed), tls_listener);
  Raw client({login()});
  world.worker.transport().bring_client(0, client);
  world.run_until([&] { return client.is_over; });
  REQUIRE(client.received.size() > 5);
  CHECK(client.received[0] == 'E');
  CHECK(report_field(client.received.substr(5), 'C') == "28000");
  CHECK(report_field(client.received.substr(5), 'M').find("sslmode=verify-full") !=
        std::string::npos);
  CHECK(world.detail_of("refused") == "in-clear");
}

TEST_CASE("Cancel requests in clear are taken where the listener says so") {
  const std::string cancel =
      written([](postgres::Writer& writer) { writer.cancel_request(7, as_bytes("abcd")); });
  const bool is_taken = GENERATE(false, true);
  std::string listener = tls_listener;
  if (is_taken) listener.append(", postgres: {cancels_in_clear: true}");
  World world(network_of(2), listener);
  Raw client({cancel});
  world.worker.transport().bring_client(0, client);
  world.run_until([&] { return client.is_over; });
  CHECK(client.received.empty());
  CHECK(world.detail_of("refused") == (is_taken ? "" : "cancel-in-clear"));
}

TEST_CASE("TLS at once is taken from who names the protocol") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 7));
  const bool is_named = GENERATE(true, false);
  CAPTURE(seed, is_named);
  World world(network_of(seed), tls_listener);
  const auto context = client_context();
  if (!is_named) SSL_CTX_set_alpn_protos(context->get(), nullptr, 0);
  Raw script({login()});
  test::TlsSimPeer peer(script, context, "gw.test");
  world.worker.transport().bring_client(0, peer);
  world.run_until([&] { return script.is_over || !script.received.empty(); });
  CHECK(script.received.starts_with("R") == is_named);
  CHECK(world.failed(TlsFault::protocol) == (is_named ? 0 : 1));
}

TEST_CASE("Inside of TLS nobody asks for it again") {
  World world(network_of(2), tls_listener);
  Raw script({request(GENERATE(ssl_code, gssenc_code))});
  test::TlsUpgradeSimPeer peer(script, client_context(), "gw.test");
  world.worker.transport().bring_client(0, peer);
  world.run_until([&] { return script.is_over; });
  CHECK(script.received.starts_with("E"));
  CHECK(world.detail_of("refused") == "repeated-request");
}

TEST_CASE("A client that says nothing, or too little, is not waited for") {
  const std::string said = GENERATE(as<std::string>(), "", std::string(3, '\0'), request(ssl_code));
  World world(network_of(2), ", tls: {certificate: file:gw.crt, key: file:gw.key, handshake: 2s}");
  Raw client({said});
  world.worker.transport().bring_client(0, client);
  world.run_until([&] { return client.is_over; });
  CHECK(world.failed(TlsFault::timeout) == 1);
  CHECK(world.worker.metrics().clients_open.read() == 0);
}

TEST_CASE("One source may begin so many handshakes, and others theirs") {
  World world(network_of(2),
              ", tls: {certificate: file:gw.crt, key: file:gw.key, handshakes_per_source: 3/s}");
  // On the simulated network these have one address, and a port each.
  constexpr std::size_t count = 6;
  std::deque<Raw> scripts;
  std::deque<test::TlsUpgradeSimPeer> peers;
  for (std::size_t i = 0; i < count; ++i) {
    Raw& script = scripts.emplace_back(std::vector{login()});
    world.worker.transport().bring_client(0,
                                          peers.emplace_back(script, client_context(), "gw.test"));
  }
  world.run_until([&] {
    return std::ranges::all_of(scripts,
                               [](const Raw& one) { return one.is_over || !one.received.empty(); });
  });
  const auto served =
      std::ranges::count_if(scripts, [](const Raw& one) { return one.received.starts_with("R"); });
  CHECK(served == 3);
  CHECK(world.failed(TlsFault::too_many) == 3);
  CHECK(world.detail_of("tls-client-refused").find("too-many") != std::string::npos);
}

namespace {

/// Answers an SSLRequest with these bytes.
class Answering final : public SimPeer {
 public:
  explicit Answering(std::string answer) : answer_(std::move(answer)) {}
  void on_bytes(SimRemote& remote, ByteView bytes) override {
    received += as_text(bytes);
    if (received.size() == 8) remote.send(as_bytes(answer_));
  }
  void on_finished(SimRemote& remote) override { remote.finish(); }

  std::string received;

 private:
  std::string answer_;
};

}  // namespace

TEST_CASE("A target that speaks no TLS, or says more than that it does, gets no login") {
  struct Case {
    std::string answer;
    TlsFault fault;
  };
  const Case one = GENERATE(values<Case>(
      {{"N", TlsFault::refused},
       {bytes_of('E', report_of("FATAL", "0A000", "what?")), TlsFault::refused},
       {"G", TlsFault::not_tls},
       {"R", TlsFault::not_tls},
       {std::string("S").append(bytes_of('R', Body().u32(0).take())), TlsFault::early_bytes},
       {"SS", TlsFault::early_bytes}}));
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 13));
  CAPTURE(one.answer, seed);
  GatewayOptions options;
  options.network = network_of(seed);
  options.setup.tls_target = true;
  Answering target(one.answer);
  Gateway gateway(options);
  gateway.worker().transport().serve(test::must(parse_endpoint("127.0.0.1", 9001)),
                                     [&] { return &target; });
  gateway.worker().transport().serve(test::must(parse_endpoint("127.0.0.1", 9002)),
                                     [] { return nullptr; });
  gateway.add_client({.groups = 0});
  REQUIRE(gateway.run());
  // Some have a wrong password: then the target hears nothing at all.
  const bool is_asked = gateway.clients()[0]->identity().may_log_in;
  CHECK(target.received.substr(0, 8) == (is_asked ? request(ssl_code) : ""));
  CHECK(target.received.find("app") == std::string::npos);
  CHECK_FALSE(gateway.clients()[0]->is_logged_in());
  const TlsMetrics& metrics = gateway.worker().metrics().tls_targets;
  CHECK(metrics.done_tls13.read() == 0);
  // Cut into pieces, what is behind the consent is TLS that makes no sense.
  if (seed % 3 == 2 && is_asked) {
    CHECK(metrics.failed[static_cast<std::size_t>(one.fault)].read() >= 1);
  }
  check_log(gateway);
}
