// What an open stream shows of its channel: the same to both ends, as PostgreSQL computes it.
#include "dataplane/tls/secure_channel.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <catch2/catch.hpp>

#include "tls/stream_pair.h"

namespace sluice::dataplane {
namespace {

using config::Protocol;
using test::test_authority;

/// `hash` of the certificate's DER, written without the code under test.
std::vector<std::uint8_t> digest_of(const test::Pem& pem, const char* hash) {
  const Openssl<BIO> in(
      BIO_new_mem_buf(pem.certificate.data(), static_cast<int>(pem.certificate.size())));
  const Openssl<X509> certificate(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  std::vector<std::uint8_t> der(static_cast<std::size_t>(i2d_X509(certificate.get(), nullptr)));
  std::uint8_t* at = der.data();
  i2d_X509(certificate.get(), &at);
  std::vector<std::uint8_t> digest(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  EVP_Digest(der.data(), der.size(), digest.data(), &size, EVP_get_digestbyname(hash), nullptr);
  digest.resize(size);
  return digest;
}

/// Both ends' channels, after a handshake with this certificate.
std::pair<SecureChannel, SecureChannel> channels(const test::Pem& certificate, int version,
                                                 const std::string& ca) {
  auto context = test::tls_client(ca, Protocol::postgres);
  SSL_CTX_set_max_proto_version(context->get(), version);
  End client(context, "gw.test");
  End server(test::tls_server(certificate, {}, Protocol::postgres));
  talk(client, server);
  REQUIRE(client.is_open());
  REQUIRE(server.is_open());
  return {client.stream().channel(), server.stream().channel()};
}

TEST_CASE("Both ends know the server's certificate by the hash that it was signed with", "[tls]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const char* const hash = GENERATE("SHA256", "SHA384", "SHA512");
  const auto certificate =
      test::make_certificate({.names = "DNS:gw.test", .digest = hash}, &test_authority());
  const auto [client, server] = channels(certificate, version, test_authority().certificate);
  CHECK(client.server_end_point == digest_of(certificate, hash));
  CHECK(server.server_end_point == client.server_end_point);
  CHECK(client.is_verified);
  CHECK_FALSE(server.is_verified);  // nobody asked the client for a certificate
}

TEST_CASE("A certificate of another key is another channel, and one by name the one shown",
          "[tls]") {
  const auto first = test::test_certificate("DNS:first.test");
  const auto second = test::test_certificate("DNS:gw.test");
  End client(test::tls_client(test_authority().certificate, Protocol::postgres), "gw.test");
  End server(test::tls_server(first, {second}, Protocol::postgres));
  talk(client, server);
  REQUIRE(client.is_open());
  CHECK(server.stream().channel().server_end_point == digest_of(second, "SHA256"));
  CHECK(client.stream().channel().server_end_point == digest_of(second, "SHA256"));
  CHECK(digest_of(first, "SHA256") != digest_of(second, "SHA256"));
}

TEST_CASE("A signature that names no hash gives no end point to bind to", "[tls]") {
  const auto certificate = test::make_certificate({.names = "DNS:gw.test", .is_ed25519 = true});
  const auto [client, server] = channels(certificate, TLS1_3_VERSION, "");
  CHECK(client.server_end_point.empty());
  CHECK(server.server_end_point.empty());
  CHECK_FALSE(client.is_verified);
}

TEST_CASE("PostgreSQL's connections name their protocol, and are not resumed", "[tls]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto server_context =
      test::tls_server(test::test_certificate("DNS:gw.test"), {}, Protocol::postgres);
  auto client_context = test::tls_client(test_authority().certificate, Protocol::postgres);
  SSL_CTX_set_max_proto_version(client_context->get(), version);
  SSL_CTX_set_session_cache_mode(client_context->get(), SSL_SESS_CACHE_CLIENT);
  static int tickets;
  tickets = 0;
  SSL_CTX_sess_set_new_cb(client_context->get(), [](SSL*, SSL_SESSION* session) {
    if (SSL_SESSION_has_ticket(session) == 1) ++tickets;
    return 0;
  });
  End client(client_context, "gw.test");
  End server(server_context);
  talk(client, server);
  REQUIRE(client.is_open());
  client.send("hello");
  server.send("hello");
  talk(client, server);
  CHECK(tickets == 0);
  CHECK(server.stream().alpn() == "postgresql");
  CHECK(client.stream().alpn() == "postgresql");

  // Who offers another protocol alone is led astray here; who offers none is older.
  constexpr std::uint8_t http[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(client_context->get(), http, sizeof http);
  End stray(client_context, "gw.test");
  End again(server_context);
  talk(stray, again);
  CHECK(text(again.fault()) == "protocol");
  SSL_CTX_set_alpn_protos(client_context->get(), nullptr, 0);
  End older(client_context, "gw.test");
  End anew(server_context);
  talk(older, anew);
  CHECK(anew.is_open());
}

}  // namespace
}  // namespace sluice::dataplane
