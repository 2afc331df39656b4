// TLS 1.2 whose received records the kernel opens: when it takes over, and how it ends.
#include <openssl/ssl.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <utility>
#include <vector>

#include "tls/secure_fixture.h"

namespace sluice::dataplane {
namespace {

using Kind = Completion::Kind;
using test::TlsSimPeer;
using Fixture = FixtureOver<test::ProtectingTransport>;

std::shared_ptr<const TlsContext> tls12_client() {
  auto context = test::tls_client();
  SSL_CTX_set_max_proto_version(context->get(), TLS1_2_VERSION);
  return context;
}

SimOptions chunks_of(std::size_t bytes) {
  SimOptions options;
  options.chunk_bytes_max = bytes;
  return options;
}

std::string text_of(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
  return text;
}

/// A fixture with a client that speaks TLS 1.2, and a handshake that is over.
struct Met : Fixture {
  explicit Met(const SimOptions& options = {}, std::size_t turns_away = 0) : Fixture(options) {
    below.turns_away = turns_away;
    accept(peer);
    REQUIRE(until(Kind::secured));
    transport.receive(id);
  }
  /// Turns until so much was received; false when it never is.
  bool until_received(std::size_t size) {
    for (int i = 0; i < 200'000 && received.size() < size; ++i) turn();
    return received.size() == size;
  }
  bool has(Kind kind) const { return std::ranges::find(news, kind) != news.end(); }

  SimFar far;
  TlsSimPeer peer{far, tls12_client(), "gw.test"};
};

TEST_CASE("In TLS 1.2 the kernel opens what comes behind the handshake, wherever it is cut",
          "[tls]") {
  Met f(chunks_of(GENERATE(as<std::size_t>{}, 1, 2, 3, 5, 7, 64, 64 * 1024)));
  CHECK(f.stream().is_opened_by_kernel());
  CHECK(f.as_server.kernel.read() == 1);
  CHECK(f.as_server.kernel_received.read() == 1);
  const std::string question = text_of(20'000);
  f.far.send(question);
  REQUIRE(f.until_received(question.size()));
  CHECK(f.received == question);
  const std::string answer = text_of(9'000);
  f.send(answer);
  REQUIRE(f.until(Kind::sent));
  f.far.finish();
  REQUIRE(f.until(Kind::peer_closed));
  f.transport.shutdown(f.id);
  f.close();
  for (int i = 0; i < 100'000 && !f.far.ended; ++i) f.turn();
  CHECK(f.far.received == answer);
  CHECK(f.as_server.broken.read() == 0);
  CHECK(f.as_server.kernel_missed.read() == 0);
}

TEST_CASE("In TLS 1.3 it does not: a new key of the peer's would end it", "[tls]") {
  Fixture f;
  SimFar far;
  TlsSimPeer peer(far, test::tls_client(), "gw.test");
  f.accept(peer);
  REQUIRE(f.until(Kind::secured));
  CHECK(f.stream().is_kernels());
  CHECK_FALSE(f.stream().has_received_key());
  CHECK_FALSE(f.stream().is_opened_by_kernel());
  CHECK(f.as_server.kernel_received.read() == 0);
  CHECK(f.as_server.kernel_missed.read() == 0);
  f.close();
}

TEST_CASE("It goes on with the number of the record at which it takes over", "[tls]") {
  Met f(chunks_of(GENERATE(as<std::size_t>{}, 1, 7, 1000, 64 * 1024)),
        GENERATE(as<std::size_t>{}, 5, 6, 20));
  std::string said;
  while (!f.stream().is_opened_by_kernel() && said.size() < 100'000) {
    const std::string more = text_of(1 + said.size() / 2 % 5'000);
    said += more;
    f.far.send(more);
    REQUIRE(f.until_received(said.size()));
  }
  REQUIRE(f.stream().is_opened_by_kernel());
  CHECK(f.stream().received_records() > 1);  // Finished, and what it was too early for
  const std::string more = text_of(50'000);
  f.far.send(more);
  REQUIRE(f.until_received(said.size() + more.size()));
  CHECK(f.received == said + more);
  f.far.finish();
  REQUIRE(f.until(Kind::peer_closed));
  f.close();
}

TEST_CASE("A peer that never pauses is not waited for", "[tls]") {
  Met f(chunks_of(GENERATE(as<std::size_t>{}, 1000, 64 * 1024)), 1'000'000);
  CHECK(f.stream().has_received_key());
  const std::string said = text_of((records_before_kernel_max + 8) * tls_record_bytes_max);
  f.far.send(said);
  REQUIRE(f.until_received(said.size()));
  CHECK(f.received == said);
  CHECK_FALSE(f.stream().has_received_key());
  CHECK_FALSE(f.stream().is_opened_by_kernel());
  CHECK(f.as_server.kernel_missed.read() == 1);
  CHECK(f.as_server.kernel_received.read() == 0);
  f.far.finish();
  REQUIRE(f.until(Kind::peer_closed));
  f.close();
}

TEST_CASE("Where the kernel refuses after all, nothing is lost", "[tls]") {
  Fixture f;
  f.below.refuses_to_open = ENOMEM;
  SimFar far;
  TlsSimPeer peer(far, tls12_client(), "gw.test");
  f.accept(peer);
  REQUIRE(f.until(Kind::secured));
  CHECK_FALSE(f.stream().has_received_key());
  CHECK(f.as_server.kernel_missed.read() == 1);
  f.transport.receive(f.id);
  far.send("hello");
  REQUIRE(f.until(Kind::received));
  CHECK(f.received == "hello");
  f.close();
}

/// A client context whose second connection resumes the first.
std::shared_ptr<const TlsContext> resuming_client() {
  static SSL_SESSION* kept = nullptr;
  SSL_SESSION_free(std::exchange(kept, nullptr));
  auto context = tls12_client();
  SSL_CTX_set_info_callback(context->get(), [](const SSL* ssl, int where, int /*result*/) {
    auto* const it = const_cast<SSL*>(ssl);
    if (where == SSL_CB_HANDSHAKE_START && kept != nullptr) SSL_set_session(it, kept);
    if (where == SSL_CB_HANDSHAKE_DONE && kept == nullptr) kept = SSL_get1_session(it);
  });
  return context;
}

TEST_CASE("What comes together with the end of the handshake is read before the kernel takes over",
          "[tls]") {
  Fixture f(chunks_of(GENERATE(as<std::size_t>{}, 1, 2, 3, 5, 11, 100, 64 * 1024)));
  const auto client = resuming_client();
  SimFar first;
  TlsSimPeer first_peer(first, client, "gw.test");
  f.accept(first_peer);
  REQUIRE(f.until(Kind::secured));
  for (int i = 0; i < 10'000 && first_peer.stream().state() != TlsStream::State::open; ++i) {
    f.turn();
  }
  f.close();
  f.news.clear();

  SimFar far;
  const std::string question = text_of(GENERATE(as<std::size_t>{}, 1, 40'000));
  far.send(question);  // right behind its Finished
  TlsSimPeer peer(far, client, "gw.test");
  f.accept(peer);
  REQUIRE(f.until(Kind::secured));
  REQUIRE(f.stream().is_resumed());
  f.transport.receive(f.id);
  for (int i = 0; i < 100'000 && f.received.size() < question.size(); ++i) f.turn();
  CHECK(f.received == question);
  for (int i = 0; i < 100; ++i) f.turn();
  CHECK(f.stream().is_opened_by_kernel());
  far.send("and more");
  for (int i = 0; i < 1000 && f.received.size() < question.size() + 8; ++i) f.turn();
  CHECK(f.received == question + "and more");
  f.close();
}

TEST_CASE("An end that the kernel read is told from a cut", "[tls]") {
  Met f;
  f.far.send("all of it");
  if (GENERATE(false, true)) {
    REQUIRE(f.until(Kind::received));
    f.peer.cut_off();
    REQUIRE(f.until(Kind::failed));
    CHECK(f.error == ECONNRESET);
    CHECK_FALSE(f.has(Kind::peer_closed));
  } else {
    f.far.finish();
    REQUIRE(f.until(Kind::peer_closed));
    CHECK_FALSE(f.has(Kind::failed));
  }
  CHECK(f.received == "all of it");
  f.close();
}

TEST_CASE("A record with a wrong tag breaks the connection behind what came before it", "[tls]") {
  Met f;
  f.far.send("before");
  REQUIRE(f.until(Kind::received));
  f.peer.forge(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
  f.far.send("behind");
  REQUIRE(f.until(Kind::failed));
  CHECK(f.error == EPROTO);
  CHECK(f.stream().failure().fault == TlsFault::malformed);
  CHECK(f.as_server.broken.read() == 1);
  CHECK(f.received == "before");
  f.close();
}

TEST_CASE("Records of other types end the connection, each in its way", "[tls]") {
  struct Case {
    std::uint8_t type;
    std::string content;
    TlsFault fault;  ///< none: it is an end that was said.
  };
  const std::vector<Case> cases{
      {21, {1, 0}, TlsFault::none},             // close_notify
      {21, {2, 0}, TlsFault::none},             // likewise: the level says nothing
      {21, {2, 40}, TlsFault::alert},           // handshake_failure
      {21, {1, 90}, TlsFault::alert},           // user_canceled
      {21, {1}, TlsFault::malformed},           // half of one
      {21, {1, 0, 0}, TlsFault::malformed},     // more than one
      {22, {0, 0, 0, 0}, TlsFault::malformed},  // HelloRequest: a renegotiation
      {22, {1, 0, 0, 0}, TlsFault::malformed},  // ClientHello: likewise
      {20, {1}, TlsFault::malformed},           // ChangeCipherSpec
      {24, {1, 2, 3}, TlsFault::malformed},     // unknown
  };
  for (const Case& one : cases) {
    CAPTURE(one.type, one.content.size());
    Met f;
    f.far.send("before");
    REQUIRE(f.until(Kind::received));
    f.below.bring_record(f.id, one.type, one.content);
    const bool is_end = one.fault == TlsFault::none;
    REQUIRE(f.until(is_end ? Kind::peer_closed : Kind::failed));
    CHECK(f.stream().failure().fault == one.fault);
    CHECK(f.as_server.broken.read() == (is_end ? 0 : 1));
    f.far.send("behind");
    for (int i = 0; i < 50; ++i) f.turn();
    CHECK(f.received == "before");
    f.close();
  }
}

}  // namespace
}  // namespace sluice::dataplane
