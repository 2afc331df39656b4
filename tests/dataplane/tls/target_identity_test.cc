// What a target's certificate must be besides trusted, and what the gateway shows of itself.
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <catch2/catch.hpp>

#include "audit/sha256.h"
#include "base/text_codec.h"
#include "dataplane/tls/pem.h"
#include "tls/stream_pair.h"

namespace sluice::dataplane {
namespace {

/// As `openssl x509 -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256` has it.
std::string pin_of(const test::Pem& pem) {
  const auto certificates = test::must(read_certificates(test::file_text("", pem.certificate)));
  unsigned char* key = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificates.front().get()), &key);
  const audit::Hash digest = audit::sha256(ByteView(key, static_cast<std::size_t>(size)));
  OPENSSL_free(key);
  return "sha256//" + to_base64(digest);
}

config::TargetTls trusting(config::TlsVerify verify, std::vector<std::string> pins) {
  config::TargetTls settings;
  settings.verify = verify;
  settings.ca = test::file_text("ca.crt", test::test_authority().certificate);
  settings.pins = std::move(pins);
  return settings;
}

/// What the gateway makes of a target that shows this; its failure.
TlsFault fault_with(const config::TargetTls& settings, const test::Pem& target,
                    const std::string& name = "api.test") {
  End gateway(
      test::must(TlsContext::make(test::must(plan_tls(settings, {}, config::Protocol::http)))),
      name);
  End server(test::tls_server(target));
  talk(gateway, server);
  CHECK(gateway.is_open() == (gateway.fault() == TlsFault::none));
  if (gateway.is_open()) CHECK(gateway.stream().channel().is_verified);
  return gateway.fault();
}

TEST_CASE("A pinned key is needed beside a trusted certificate, or is enough without", "[tls]") {
  using config::TlsVerify;
  const auto target = test::test_certificate("DNS:api.test");
  const auto other = test::test_certificate("DNS:api.test");
  const auto own = test::make_certificate({.names = "DNS:api.test"});
  CHECK(fault_with(trusting(TlsVerify::full, {pin_of(target)}), target) == TlsFault::none);
  CHECK(fault_with(trusting(TlsVerify::full, {pin_of(other), pin_of(target)}), target) ==
        TlsFault::none);
  CHECK(fault_with(trusting(TlsVerify::full, {pin_of(other)}), target) == TlsFault::wrong_key);
  // The authority's key is not the target's.
  CHECK(fault_with(trusting(TlsVerify::full, {pin_of(test::test_authority())}), target) ==
        TlsFault::wrong_key);
  // A pin mends nothing.
  CHECK(fault_with(trusting(TlsVerify::full, {pin_of(own)}), own) == TlsFault::untrusted);
  CHECK(fault_with(trusting(TlsVerify::full, {pin_of(target)}), target, "elsewhere.test") ==
        TlsFault::wrong_name);
  CHECK(fault_with(trusting(TlsVerify::none, {pin_of(own)}), own) == TlsFault::none);
  CHECK(fault_with(trusting(TlsVerify::none, {pin_of(other)}), own) == TlsFault::wrong_key);
}

TEST_CASE("A target that asks for a certificate is shown the gateway's", "[tls]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto gateway_pair = test::test_certificate("DNS:gw.test");
  config::TargetTls settings = trusting(config::TlsVerify::full, {});
  const auto shown_to_target = [&] {
    const auto context =
        test::must(TlsContext::make(test::must(plan_tls(settings, {}, config::Protocol::http))));
    SSL_CTX_set_max_proto_version(context->get(), version);
    End gateway(context, "gw.test");
    End server(test::tls_server_for(test::client_certificates(test::test_authority().certificate),
                                    config::ClientCertificate::required));
    talk(gateway, server);
    return server.is_open() && server.stream().channel().client != nullptr;
  };
  CHECK_FALSE(shown_to_target());
  settings.certificate = test::file_text("client.crt", gateway_pair.certificate);
  settings.key = test::file_text("client.key", gateway_pair.key);
  CHECK(shown_to_target());
}

TEST_CASE("What a target is shown or must have makes another plan, and is read with its place",
          "[tls]") {
  const auto pair = test::test_certificate("DNS:gw.test");
  config::TargetTls settings = trusting(config::TlsVerify::full, {});
  const auto plan = [&] { return plan_tls(settings, {}, config::Protocol::http); };
  const auto plain = test::must(plan())->digest;
  settings.pins = {pin_of(pair)};
  const auto pinned = test::must(plan())->digest;
  CHECK(pinned != plain);
  settings.certificate = test::file_text("client.crt", pair.certificate);
  settings.key = test::file_text("client.key", pair.key);
  CHECK(test::must(plan())->digest != pinned);
  settings.key = test::file_text("client.key", test::test_certificate("DNS:gw.test").key);
  REQUIRE_FALSE(plan().has_value());
  CHECK(plan().error().message ==
        "test.yaml:1:1: 'client.key' is not the key of the certificate in 'client.crt'");
}

}  // namespace
}  // namespace sluice::dataplane
