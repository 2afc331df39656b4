// What an authority says of a listener's certificate: read once, shown to clients that ask.
#include "dataplane/tls/ocsp_staple.h"

#include <openssl/ssl.h>

#include <catch2/catch.hpp>

#include <cstddef>
#include <string>

#include "tls/stream_pair.h"

namespace sluice::dataplane {
namespace {

using test::OcspOptions;
using Status = OcspOptions::Status;

struct Shown {
  test::Pem pair = test::test_certificate("DNS:gw.test");
  std::string chain = pair.certificate + test::test_authority().certificate;

  [[nodiscard]] config::ListenerTls with(std::string ocsp) const {
    config::ListenerTls settings;
    settings.certificate = test::file_text("gw.crt", chain);
    settings.key = test::file_text("gw.key", pair.key);
    settings.ocsp = test::file_text("gw.ocsp", std::move(ocsp));
    return settings;
  }
  [[nodiscard]] std::string said(const OcspOptions& options = {}) const {
    return test::make_ocsp_response(test::test_authority(), pair, test::test_authority(), options);
  }
};

std::string fault_of(const config::ListenerTls& settings) {
  const auto plan = plan_tls(settings, config::Protocol::http);
  return plan ? "" : plan.error().message;
}

TEST_CASE("A response that cannot be shown is refused with its place", "[tls]") {
  const Shown shown;
  CHECK(fault_of(shown.with(shown.said())) == "");
  CHECK(fault_of(shown.with(shown.said({.digest = "SHA256"}))) == "");
  const auto refused = [&](const std::string& ocsp, const std::string& why) {
    CHECK(fault_of(shown.with(ocsp)) == "test.yaml:1:1: 'gw.ocsp' " + why);
  };
  const std::string none = "holds no OCSP response (DER) that answers";
  refused("", none);
  refused("nothing", none);
  refused(shown.said() + "x", none);
  // "Try later", as responders say it.
  refused(std::string("\x30\x03\x0A\x01\x03"), none);
  refused(shown.said({.status = Status::revoked}), "says that the certificate was revoked");
  refused(shown.said({.status = Status::unknown}),
          "says that the responder does not know the certificate");
  refused(shown.said({.from_s = -7200, .to_s = -3600}),
          "holds an OCSP response whose time is over");
  refused(shown.said({.from_s = 3600, .to_s = 7200}), "holds an OCSP response of the future");
  refused(shown.said({.to_s = 0}), "holds an OCSP response that does not say until when");
  refused(Shown().said(), "holds an OCSP response about another certificate");

  const auto& authority = test::test_authority();
  const auto stranger = test::make_certificate({.is_authority = true});
  refused(test::make_ocsp_response(authority, shown.pair, stranger),
          "holds an OCSP response that its authority has not signed");
  // Of the same authority, but nobody who may answer for it.
  refused(test::make_ocsp_response(authority, shown.pair, test::test_certificate("DNS:a.test")),
          "holds an OCSP response that its authority has not signed");
  const auto responder = test::make_certificate({.use = "OCSPSigning"}, &authority);
  CHECK(fault_of(shown.with(test::make_ocsp_response(authority, shown.pair, responder))) == "");

  config::ListenerTls alone = shown.with(shown.said());
  alone.certificate.text = shown.pair.certificate;
  CHECK(fault_of(alone) ==
        "test.yaml:1:1: 'gw.ocsp' needs the authority's certificate behind the listener's own");
}

TEST_CASE("No cut of a response is taken", "[tls]") {
  const Shown shown;
  const std::string whole = shown.said();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO(size);
    CHECK_FALSE(fault_of(shown.with(whole.substr(0, size))).empty());
  }
}

/// What a client that asks for `name` is shown beside the certificate.
std::string staple_for(const std::shared_ptr<const TlsServerPlan>& plan, const char* name,
                       bool asks = true) {
  End server(test::must(TlsContext::make(plan)));
  const Openssl<SSL_CTX> context(SSL_CTX_new(TLS_client_method()));
  const Openssl<SSL> ssl(SSL_new(context.get()));
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), in, out);
  SSL_set_connect_state(ssl.get());
  SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
           const_cast<char*>(name));
  if (asks) SSL_set_tlsext_status_type(ssl.get(), TLSEXT_STATUSTYPE_ocsp);
  for (bool moves = true; moves;) {
    SSL_do_handshake(ssl.get());
    std::string sent(BIO_ctrl_pending(out), '\0');
    BIO_read(out, sent.data(), static_cast<int>(sent.size()));
    server.receive(sent);
    const std::string answer = server.take_sent();
    BIO_write(in, answer.data(), static_cast<int>(answer.size()));
    moves = !sent.empty() || !answer.empty();
  }
  REQUIRE(server.is_open());
  const unsigned char* response = nullptr;
  const long size = SSL_get_tlsext_status_ocsp_resp(ssl.get(), &response);
  return size <= 0 ? std::string() : std::string(response, response + size);
}

TEST_CASE("A client that asks is shown the response about the certificate that it gets", "[tls]") {
  const Shown first;
  Shown second;
  second.pair = test::test_certificate("DNS:other.test");
  second.chain = second.pair.certificate + test::test_authority().certificate;
  const std::string about_first = first.said();
  const std::string about_second = second.said();
  config::ListenerTls settings = first.with(about_first);
  settings.by_name.push_back({test::file_text("other.crt", second.chain),
                              test::file_text("other.key", second.pair.key),
                              test::file_text("other.ocsp", about_second)});
  const auto silent = test::test_certificate("DNS:silent.test");
  settings.by_name.push_back({test::file_text("silent.crt", silent.certificate),
                              test::file_text("silent.key", silent.key),
                              {}});
  const auto plan = test::must(plan_tls(settings, config::Protocol::http));
  CHECK(staple_for(plan, "gw.test") == about_first);
  CHECK(staple_for(plan, "other.test") == about_second);
  CHECK(staple_for(plan, "silent.test") == "");
  CHECK(staple_for(plan, "gw.test", false) == "");
}

TEST_CASE("A response whose time is over is not shown any more", "[tls]") {
  const Shown shown;
  config::ListenerTls settings = shown.with(shown.said());
  const auto plan = test::must(plan_tls(settings, config::Protocol::http));
  // As if an hour had passed.
  const_cast<TlsServerPlan&>(*plan).certificates[0].staple.good_until = WallTime{1};
  CHECK(staple_for(plan, "gw.test") == "");
}

}  // namespace
}  // namespace sluice::dataplane
