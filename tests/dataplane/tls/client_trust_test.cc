// Clients' certificates in handshakes: which are taken, which are refused and by what name; and
// what is wrong with the files that say so.
#include "dataplane/tls/client_trust.h"

#include <openssl/ssl.h>

#include <catch2/catch.hpp>
#include <chrono>

#include "dataplane/tls/pem.h"
#include "tls/client_handshake.h"

namespace sluice::dataplane {
namespace {

using config::ClientCertificate;
using test::CertificateOptions;
using test::client_certificates;
using test::make_certificate;
using test::make_crl;
using test::Pem;
using test::test_authority;

Pem signed_by(const Pem& authority, const CertificateOptions& options = {.names = "DNS:a.test"}) {
  return make_certificate(options, &authority);
}

Pem behind(Pem one, const Pem& more) {
  one.certificate += more.certificate;
  return one;
}

}  // namespace

TEST_CASE("A good certificate of a client is known behind the handshake", "[tls]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto asked = GENERATE(ClientCertificate::optional, ClientCertificate::required);
  const std::string crl = GENERATE(std::string(), make_crl(test_authority(), {}));
  const Pem client = signed_by(
      test_authority(),
      {.common_name = "batch",
       .names = "URI:spiffe://corp/a,DNS:a.test,DNS:b.test,email:a@corp.test,IP:192.0.2.1"});
  const Met met =
      meet(client, client_certificates(test_authority().certificate, crl), asked, version);
  REQUIRE(met.fault == TlsFault::none);
  REQUIRE(met.shown != nullptr);
  const identity::CertificateFacts& facts = met.shown->facts();
  CHECK(facts.uris == std::vector<std::string>{"spiffe://corp/a"});
  CHECK(facts.dns == std::vector<std::string>{"a.test", "b.test"});
  CHECK(facts.emails == std::vector<std::string>{"a@corp.test"});
  CHECK(facts.subject == "CN=batch");
  CHECK_FALSE(facts.serial.empty());
  CHECK(facts.is_readable);
  const auto parsed =
      test::must(read_certificates(test::file_text("client.crt", client.certificate)));
  CHECK(facts.fingerprint == fingerprint_of(parsed.front().get()));
  CHECK(met.shown->forwarded().ends_with(
      ";Subject=\"CN=batch\";URI=spiffe://corp/a;DNS=a.test;DNS=b.test"));
  CHECK(met.shown->forwarded().starts_with("Hash="));
}

TEST_CASE("What a client shows that is not good is refused by its name", "[tls]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const Pem other = make_certificate({.common_name = "other", .is_authority = true});
  // The same name as the one that is trusted, and another key.
  const Pem impostor =
      make_certificate({.common_name = "sluice test authority", .is_authority = true});
  const Pem between = signed_by(test_authority(), {.common_name = "between", .is_authority = true});
  const Pem no_authority = signed_by(test_authority(), {.common_name = "a client"});
  const Pem good = signed_by(test_authority());
  const Pem weak = signed_by(test_authority(), {.names = "DNS:a.test", .rsa_bits = 1024});
  const std::string ca = test_authority().certificate;
  struct Case {
    const char* what;
    Pem shown;
    config::ClientCertificates trusted;
    TlsFault fault;
  };
  const Case cases[] = {
      {"good", good, client_certificates(ca), TlsFault::none},
      {"good, and behind one between", behind(signed_by(between), between), client_certificates(ca),
       TlsFault::none},
      {"good for clients",
       signed_by(test_authority(), {.names = "DNS:a.test", .use = "clientAuth"}),
       client_certificates(ca), TlsFault::none},
      {"none", {}, client_certificates(ca), TlsFault::missing},
      {"expired",
       signed_by(test_authority(), {.names = "DNS:a.test", .from_s = -7200, .to_s = -3600}),
       client_certificates(ca), TlsFault::expired},
      {"not valid yet",
       signed_by(test_authority(), {.names = "DNS:a.test", .from_s = 3600, .to_s = 7200}),
       client_certificates(ca), TlsFault::expired},
      {"of another authority", signed_by(other), client_certificates(ca), TlsFault::untrusted},
      {"of another authority, which it brings", behind(signed_by(other), other),
       client_certificates(ca), TlsFault::untrusted},
      {"of an authority's namesake", behind(signed_by(impostor), impostor), client_certificates(ca),
       TlsFault::untrusted},
      {"signed by itself", make_certificate({.names = "DNS:a.test"}), client_certificates(ca),
       TlsFault::untrusted},
      {"of an authority that is not there", signed_by(between), client_certificates(ca),
       TlsFault::untrusted},
      {"signed by a client", behind(signed_by(no_authority), no_authority), client_certificates(ca),
       TlsFault::untrusted},
      {"for servers", signed_by(test_authority(), {.names = "DNS:a.test", .use = "serverAuth"}),
       client_certificates(ca), TlsFault::wrong_use},
      {"for code", signed_by(test_authority(), {.names = "DNS:a.test", .use = "codeSigning"}),
       client_certificates(ca), TlsFault::wrong_use},
      {"weak", weak, client_certificates(ca), TlsFault::untrusted},
      {"revoked", good, client_certificates(ca, make_crl(test_authority(), {good})),
       TlsFault::revoked},
      {"not revoked", good, client_certificates(ca, make_crl(test_authority(), {weak})),
       TlsFault::none},
      {"of one between that is revoked", behind(signed_by(between), between),
       client_certificates(ca, make_crl(test_authority(), {between}) + make_crl(between, {})),
       TlsFault::revoked},
      {"of one between that has no list", behind(signed_by(between), between),
       client_certificates(ca, make_crl(test_authority(), {})), TlsFault::no_crl},
      {"of one between whose list another has signed", behind(signed_by(between), between),
       client_certificates(
           ca, make_crl(test_authority(), {}) + make_crl({between.certificate, other.key}, {})),
       TlsFault::no_crl},
  };
  for (const Case& one : cases) {
    INFO(one.what);
    const Met met = meet(one.shown, one.trusted, ClientCertificate::required, version);
    CHECK(text(met.fault) == text(one.fault));
    CHECK((met.shown != nullptr) == (one.fault == TlsFault::none));
    // The record names what was shown.
    const bool was_shown = !one.shown.certificate.empty();
    CHECK(met.has_refused == (one.fault != TlsFault::none && was_shown));
  }
}

TEST_CASE("Where certificates are optional, none is taken and a bad one is not", "[tls]") {
  const auto trusted = client_certificates(test_authority().certificate);
  const Met none = meet({}, trusted, ClientCertificate::optional);
  CHECK(none.fault == TlsFault::none);
  CHECK(none.shown == nullptr);
  const Pem other = make_certificate({.common_name = "other", .is_authority = true});
  CHECK(meet(signed_by(other), trusted, ClientCertificate::optional).fault == TlsFault::untrusted);
  CHECK(meet(signed_by(other), trusted, ClientCertificate::off).shown == nullptr);
}

TEST_CASE("A NUL and more names than are looked at come to the rules as they are", "[tls]") {
  std::string many;
  for (int i = 0; i < 65; ++i) many += (many.empty() ? "DNS:a" : ",DNS:a") + std::to_string(i);
  const auto trusted = client_certificates(test_authority().certificate);
  const Met met = meet(signed_by(test_authority(), {.names = many}), trusted);
  REQUIRE(met.shown != nullptr);
  CHECK_FALSE(met.shown->facts().is_readable);
  CHECK(met.shown->forwarded().size() <= 2048);
  // DER of an extension with the DNS name "a\0b".
  const Met nul = meet(signed_by(test_authority(), {.names = "DER:30:05:82:03:61:00:62"}), trusted);
  REQUIRE(nul.shown != nullptr);
  CHECK(nul.shown->facts().dns == std::vector<std::string>{std::string("a\0b", 3)});
  CHECK(nul.shown->forwarded().find("DNS=") == std::string::npos);
}

TEST_CASE("What a target is told cannot be read as more than was said", "[tls]") {
  const auto trusted = client_certificates(test_authority().certificate);
  const Met met = meet(signed_by(test_authority(), {.common_name = "a\";URI=spiffe://evil",
                                                    .names = "URI:spiffe://a;DNS=b"}),
                       trusted);
  REQUIRE(met.shown != nullptr);
  CHECK(met.shown->forwarded().find(';') == std::string::npos);
}

TEST_CASE("Whoever shows a certificate resumes nothing", "[tls]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto server_context = test::tls_server_for(
      client_certificates(test_authority().certificate), ClientCertificate::required);
  const auto context = client_with(signed_by(test_authority()), version);
  static SSL_SESSION* ticket = nullptr;
  ticket = nullptr;
  SSL_CTX_set_session_cache_mode(context->get(), SSL_SESS_CACHE_CLIENT);
  SSL_CTX_sess_set_new_cb(context->get(), [](SSL*, SSL_SESSION* session) {
    ticket = session;
    return 1;
  });
  End client(context, "gw.test");
  End server(server_context);
  talk(client, server);
  REQUIRE(server.is_open());
  // In TLS 1.2 a client keeps a session without a ticket, and none is known by its id here.
  const bool has_ticket = ticket != nullptr && SSL_SESSION_has_ticket(ticket) == 1;
  CHECK_FALSE(has_ticket);
  SSL_SESSION_free(ticket);
}

TEST_CASE("A certificate that held is looked at again by another trust", "[tls]") {
  const Pem good = signed_by(test_authority());
  const std::string ca = test_authority().certificate;
  const Met met = meet(good, client_certificates(ca));
  REQUIRE(met.shown != nullptr);
  const WallTime now = {std::chrono::duration_cast<std::chrono::nanoseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count()};
  const auto verdict = [&](const config::ClientCertificates& trusted, WallTime at) {
    return test::must(ClientTrust::read(trusted))->verify(*met.shown, at);
  };
  CHECK(verdict(client_certificates(ca), now) == TlsFault::none);
  CHECK(verdict(client_certificates(ca, make_crl(test_authority(), {})), now) == TlsFault::none);
  CHECK(verdict(client_certificates(ca, make_crl(test_authority(), {good})), now) ==
        TlsFault::revoked);
  const Pem other = make_certificate({.common_name = "other", .is_authority = true});
  CHECK(verdict(client_certificates(other.certificate), now) == TlsFault::untrusted);
  CHECK(verdict(client_certificates(ca), now + seconds(7200)) == TlsFault::expired);
  CHECK(verdict(client_certificates(ca, make_crl(test_authority(), {}, -60, 600)),
                now + seconds(1200)) == TlsFault::no_crl);
}

TEST_CASE("What is wrong with authorities and their lists is told with its place", "[tls]") {
  const Pem root = make_certificate({.common_name = "root", .is_authority = true});
  const Pem other = make_certificate({.common_name = "other", .is_authority = true});
  const Pem between = signed_by(root, {.common_name = "between", .is_authority = true});
  const Pem late = make_certificate(
      {.common_name = "late", .is_authority = true, .from_s = -7200, .to_s = -3600});
  std::string many;
  for (int i = 0; i < 65; ++i) many += root.certificate;
  const std::pair<config::ClientCertificates, std::string> cases[] = {
      {client_certificates(""), "'clients.crt' holds no certificate (PEM)"},
      {client_certificates(signed_by(root).certificate),
       "'clients.crt' holds 'CN=sluice test', which is no authority's certificate"},
      {client_certificates(late.certificate), "'clients.crt' holds 'CN=late', which has expired"},
      {client_certificates(between.certificate),
       "'clients.crt' holds 'CN=between' but not its issuer 'CN=root', up to the root"},
      {client_certificates(many), "'clients.crt' holds more than 64 authorities"},
      {client_certificates(root.certificate, root.certificate),
       "'clients.crl' holds no revocation list (PEM)"},
      {client_certificates(root.certificate, make_crl(root, {}, -7200, -3600)),
       "'clients.crl' holds a list of 'CN=root' that has expired"},
      {client_certificates(root.certificate, make_crl({root.certificate, other.key}, {})),
       "'clients.crl' holds a list that 'CN=root' has not signed"},
      {client_certificates(root.certificate + other.certificate, make_crl(root, {})),
       "'clients.crl' holds no list of 'CN=other', whose certificates would all be refused"},
  };
  for (const auto& [settings, problem] : cases) {
    const auto trust = ClientTrust::read(settings);
    INFO(problem);
    REQUIRE_FALSE(trust.has_value());
    CHECK(trust.error().message == "test.yaml:1:1: " + problem);
  }
  const auto good = test::must(ClientTrust::read(client_certificates(
      root.certificate + between.certificate, make_crl(root, {}) + make_crl(between, {}))));
  CHECK(good->good_until() < WallTime{INT64_MAX});
  const auto without =
      test::must(ClientTrust::read(client_certificates(root.certificate + between.certificate)));
  CHECK(without->good_until() == WallTime{INT64_MAX});
  CHECK(good->digest() != without->digest());
}

}  // namespace sluice::dataplane
