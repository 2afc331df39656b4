// A TLS stream as bytes: whatever the wire does to them, plaintext is what was sent, or nothing.
#include "dataplane/tls/tls_stream.h"

#include <openssl/ssl.h>

#include <catch2/catch.hpp>

#include "tls/stream_pair.h"

namespace sluice::dataplane {
namespace {

using test::test_certificate;
using test::tls_client;
using test::tls_server;

const std::shared_ptr<const TlsContext>& server_context() {
  static const auto context = tls_server(test_certificate("DNS:gw.test,IP:192.0.2.7"));
  return context;
}

/// Of the versions that a peer may speak.
std::shared_ptr<const TlsContext> client_of(int version) {
  auto context = tls_client();
  SSL_CTX_set_min_proto_version(context->get(), version);
  SSL_CTX_set_max_proto_version(context->get(), version);
  return context;
}

std::string text_of(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
  return text;
}

TEST_CASE("Two ends agree on version, cipher, protocol and name, and hear each other", "[tls]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  End client(client_of(version), "gw.test");
  End server(server_context());
  talk(client, server);
  REQUIRE(client.is_open());
  REQUIRE(server.is_open());
  CHECK(server.stream().is_tls13() == (version == TLS1_3_VERSION));
  CHECK(server.stream().server_name() == "gw.test");
  CHECK(server.stream().alpn() == "http/1.1");
  CHECK(client.stream().alpn() == "http/1.1");
  CHECK(server.stream().cipher() == client.stream().cipher());
  CHECK_FALSE(server.stream().is_resumed());

  const std::string question = text_of(100'000);
  const std::string answer = text_of(17);
  client.send(question);
  server.send(answer);
  talk(client, server);
  CHECK(server.received == question);
  CHECK(client.received == answer);

  client.finish();
  carry(client, server);
  CHECK(server.stream().has_peer_ended());
  server.send("still heard");
  carry(server, client);
  CHECK(client.received == answer + "still heard");
  CHECK_FALSE(client.stream().has_peer_ended());
}

TEST_CASE("Handshake and plaintext are the same wherever reads cut them", "[tls]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const std::string question = text_of(20'000);
  const auto check = [&](const Cut& cut) {
    End client(client_of(version), "gw.test");
    End server(server_context());
    talk(client, server, cut);
    REQUIRE(client.is_open());
    REQUIRE(server.is_open());
    client.send(question);
    client.finish();
    talk(client, server, cut);
    REQUIRE(server.received == question);
    REQUIRE(server.stream().has_peer_ended());
  };
  for (const std::size_t size : {1U, 2U, 3U, 5U, 7U, 64U, 1000U, 16'383U, 16'389U}) {
    check([size](std::size_t) { return size; });
  }
  // Each flight in two pieces, at every place of the longest.
  for (std::size_t at = 1; at < 1500; at += 7) {
    check([at, first = true](std::size_t left) mutable {
      first = !first;
      return !first ? at : left;
    });
  }
}

TEST_CASE("A record in two pieces gives its plaintext with the second", "[tls]") {
  End client(tls_client(), "gw.test");
  End server(server_context());
  talk(client, server);
  const std::string said = text_of(300);
  client.send(said);
  const std::size_t size = client.take_sent().size();
  server.received.clear();
  // The record above is lost to the server, so each further pair begins anew.
  for (std::size_t at = 1; at < size; ++at) {
    End one(tls_client(), "gw.test");
    End other(server_context());
    talk(one, other);
    one.send(said);
    const std::string record = one.take_sent();
    REQUIRE(record.size() == size);
    other.receive(record.substr(0, at));
    CHECK(other.received.empty());
    other.receive(record.substr(at));
    REQUIRE(other.received == said);
  }
}

TEST_CASE("Little room for plaintext or ciphertext only takes longer", "[tls]") {
  End client(tls_client(), "gw.test", 600);
  End server(server_context(), {}, 600);
  talk(client, server);
  REQUIRE(client.is_open());
  REQUIRE(server.is_open());
  const std::string said = text_of(50'000);
  client.send(said);
  server.receive(client.take_sent(), 11);
  CHECK(server.received == said);

  std::vector<std::uint8_t> room(tls_overhead_bytes_max);
  TlsOutput out{room};
  CHECK(client.stream().write(as_bytes(said), out) == 0);
  CHECK(client.is_open());
}

TEST_CASE("A byte that was changed on the way is never taken for plaintext", "[tls]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const std::string said = text_of(40);
  std::size_t refused = 0;
  std::size_t size = 1;
  for (std::size_t at = 0; at < size; ++at) {
    End client(client_of(version), "gw.test");
    End server(server_context());
    talk(client, server);
    client.send(said);
    std::string record = client.take_sent();
    size = record.size();
    record[at] = static_cast<char>(record[at] ^ 0x10);
    server.receive(record);
    INFO("byte " << at);
    CHECK(server.received.empty());
    if (server.stream().state() == TlsStream::State::failed) {
      CHECK(server.fault() == TlsFault::malformed);
      ++refused;
    }
  }
  CHECK(refused > size / 2);  // a changed length only makes it wait
}

TEST_CASE("A handshake that ends early is neither open nor failed", "[tls]") {
  for (std::size_t kept = 0; kept < 1200; kept += 13) {
    End client(tls_client(), "gw.test");
    End server(server_context());
    client.receive({});
    server.receive(client.take_sent().substr(0, kept));
    client.receive(server.take_sent().substr(0, kept));
    CHECK(server.stream().state() == TlsStream::State::handshake);
    CHECK(server.received.empty());
    if (client.is_open()) server.receive(client.take_sent());
    CHECK(client.received.empty());
  }
}

TEST_CASE("What is no TLS is refused by its name", "[tls]") {
  using namespace std::string_literals;
  struct Case {
    std::string bytes;
    TlsFault fault;
  };
  const Case cases[] = {
      {"GET / HTTP/1.1\r\nHost: gw\r\n\r\n", TlsFault::not_tls},
      {"POST /v1/payments HTTP/1.1\r\n", TlsFault::not_tls},
      {"CONNECT gw:443 HTTP/1.1\r\n\r\n", TlsFault::not_tls},
      {"SSH-2.0-OpenSSH_9.2\r\n", TlsFault::not_tls},
      {"\0\0\0\x08\x04\xD2\x16\x2F"s, TlsFault::not_tls},
      {std::string(64, '\xFF'), TlsFault::not_tls},
      // A handshake record that is longer than records may be.
      {"\x16\x03\x01\xFF\xFF\x01\x00"s + std::string(70'000, 'x'), TlsFault::malformed},
      // An alert where a ClientHello is due.
      {"\x15\x03\x01\x00\x02\x02\x28"s, TlsFault::malformed},
      // Application data likewise.
      {"\x17\x03\x03\x00\x05hello"s, TlsFault::malformed},
  };
  for (const Case& one : cases) {
    INFO(one.bytes.substr(0, 20));
    End server(server_context());
    server.receive(one.bytes);
    CHECK(server.stream().state() == TlsStream::State::failed);
    CHECK(text(server.fault()) == text(one.fault));
    CHECK(server.received.empty());
  }
}

TEST_CASE("A record that is longer than records may be ends an open stream", "[tls]") {
  End client(tls_client(), "gw.test");
  End server(server_context());
  talk(client, server);
  server.receive(std::string("\x17\x03\x03\x41\x01", 5) + std::string(0x4101, 'x'));
  CHECK(server.fault() == TlsFault::malformed);
  CHECK(server.received.empty());
  CHECK_FALSE(server.sent.empty());  // an alert
}

TEST_CASE("Versions before 1.2 are refused", "[tls]") {
  auto old = tls_client();
  SSL_CTX_set_security_level(old->get(), 0);
  SSL_CTX_set_cipher_list(old->get(), "ALL:@SECLEVEL=0");
  SSL_CTX_set_min_proto_version(old->get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(old->get(), TLS1_1_VERSION);
  End client(old, "gw.test");
  End server(server_context());
  talk(client, server);
  CHECK(text(server.fault()) == "version");
  CHECK(text(client.fault()) == "version");
}

TEST_CASE("A peer without a cipher of ours is refused", "[tls]") {
  auto weak = client_of(TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(weak->get(), "AES128-SHA");
  End client(weak, "gw.test");
  End server(server_context());
  talk(client, server);
  CHECK(text(server.fault()) == "algorithms");
  CHECK(text(client.fault()) == "algorithms");
}

TEST_CASE("A client that offers protocols and none of ours is refused", "[tls]") {
  auto other = tls_client();
  constexpr std::uint8_t h2[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(other->get(), h2, sizeof h2);
  End client(other, "gw.test");
  End server(server_context());
  talk(client, server);
  CHECK(text(server.fault()) == "protocol");
  CHECK(text(client.fault()) == "protocol");

  auto silent = tls_client();
  SSL_CTX_set_alpn_protos(silent->get(), nullptr, 0);
  End plain(silent, "gw.test");
  End again(server_context());
  talk(plain, again);
  CHECK(plain.is_open());
  CHECK(again.stream().alpn().empty());
}

TEST_CASE("A target must prove that it is who was meant", "[tls]") {
  const auto authority =
      test::make_certificate({.common_name = "somebody else's", .is_authority = true});
  const auto expired = test::make_certificate({.names = "DNS:gw.test", .from_s = -10, .to_s = 2},
                                              &test::test_authority());
  const auto foreign = test::make_certificate({.names = "DNS:gw.test"}, &authority);
  const auto own = test::make_certificate({.names = "DNS:gw.test"});
  const auto nameless = test::make_certificate({.common_name = "gw.test"}, &test::test_authority());
  struct Case {
    const char* what;
    test::Pem certificate;
    std::string name;
    const char* fault;
  };
  const Case cases[] = {
      {"the right one", test_certificate("DNS:gw.test"), "gw.test", "none"},
      {"in any case", test_certificate("DNS:GW.test"), "gw.TEST", "none"},
      {"a wildcard", test_certificate("DNS:*.gw.test"), "a.gw.test", "none"},
      {"a wildcard of one label", test_certificate("DNS:*.test"), "a.gw.test", "wrong-name"},
      {"a wildcard in a label", test_certificate("DNS:a*.gw.test"), "ab.gw.test", "wrong-name"},
      {"an address", test_certificate("IP:192.0.2.7"), "192.0.2.7", "none"},
      {"an address of six", test_certificate("IP:2001:db8::7"), "2001:db8::7", "none"},
      {"an address as a name", test_certificate("DNS:192.0.2.7"), "192.0.2.7", "wrong-name"},
      {"another address", test_certificate("IP:192.0.2.8"), "192.0.2.7", "wrong-name"},
      {"another name", test_certificate("DNS:other.test"), "gw.test", "wrong-name"},
      {"a longer name", test_certificate("DNS:gw.test.example"), "gw.test", "wrong-name"},
      {"its name only as CN", nameless, "gw.test", "wrong-name"},
      {"an unknown authority", foreign, "gw.test", "untrusted"},
      {"self-signed", own, "gw.test", "untrusted"},
  };
  for (const Case& one : cases) {
    INFO(one.what);
    End client(tls_client(), one.name);
    End server(tls_server(one.certificate));
    talk(client, server);
    CHECK(text(client.fault()) == one.fault);
    const bool is_good = std::string_view(one.fault) == "none";
    CHECK(client.is_open() == is_good);
    // In 1.3 the server is done before the client has looked; the alert comes then.
    if (!is_good) CHECK(text(server.fault()) == "alert");
    if (!is_good) CHECK_FALSE(client.stream().failure().detail.empty());
  }

  SECTION("not one that expired") {
    const auto context = tls_server(expired);
    while (true) {
      End client(tls_client(), "gw.test");
      End server(context);
      talk(client, server);
      if (!client.is_open()) {
        CHECK(text(client.fault()) == "expired");
        break;
      }
    }
  }
  SECTION("unless it is told to look away") {
    End client(tls_client(""), "gw.test");
    End server(tls_server(own));
    talk(client, server);
    CHECK(client.is_open());
  }
}

TEST_CASE("Clients get the certificate of the name that they ask for", "[tls]") {
  const auto context =
      tls_server(test_certificate("DNS:first.test"),
                 {test_certificate("DNS:second.test,DNS:*.third.test"),
                  test::make_certificate({.names = "DNS:second.test", .rsa_bits = 2048},
                                         &test::test_authority())});
  for (const char* name : {"first.test", "second.test", "a.third.test"}) {
    INFO(name);
    End client(tls_client(), name);
    End server(context);
    talk(client, server);
    CHECK(client.is_open());
  }
  End client(tls_client(), "fourth.test");
  End server(context);
  talk(client, server);
  CHECK(text(client.fault()) == "wrong-name");
}

TEST_CASE("A client may not begin a second handshake", "[tls]") {
  End client(client_of(TLS1_2_VERSION), "gw.test");
  End server(server_context());
  talk(client, server);
  REQUIRE(server.is_open());
  // A handshake record in clear, where only encrypted ones are due.
  server.receive(std::string("\x16\x03\x03\x00\x04\x01\x00\x00\x00", 9));
  CHECK(server.stream().state() == TlsStream::State::failed);
}

}  // namespace
}  // namespace sluice::dataplane
