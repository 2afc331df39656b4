// Certificates, keys and authorities as files hold them: good ones are taken, each fault is
// told with its place.
#include "dataplane/tls/tls_plan.h"

#include <catch2/catch.hpp>

#include "test_tls.h"

namespace sluice::dataplane {
namespace {

using config::Protocol;
using test::file_text;
using test::make_certificate;
using test::test_certificate;

config::ListenerTls listener(const std::string& certificate, const std::string& key) {
  config::ListenerTls settings;
  settings.certificate = file_text("gw.crt", certificate);
  settings.key = file_text("gw.key", key);
  settings.key.place.line = 2;
  return settings;
}

constexpr const char* encrypted_key =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";

TEST_CASE("What is wrong with a certificate or its key is told with its place", "[tls]") {
  const auto good = test_certificate("DNS:gw.test");
  const auto other = test_certificate("DNS:gw.test");
  const auto late = make_certificate({.from_s = -7200, .to_s = -3600});
  const auto early = make_certificate({.from_s = 3600, .to_s = 7200});
  const auto weak = make_certificate({.rsa_bits = 1024});
  struct Case {
    std::string certificate;
    std::string key;
    std::string problem;
  };
  const Case cases[] = {
      {"", good.key, "test.yaml:1:1: 'gw.crt' holds no certificate (PEM)"},
      {good.key, good.key, "test.yaml:1:1: 'gw.crt' holds no certificate (PEM)"},
      {"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", good.key,
       "test.yaml:1:1: 'gw.crt' holds a broken certificate: "},
      {good.certificate, "", "test.yaml:2:1: 'gw.key' holds no private key (PEM)"},
      {good.certificate, good.certificate, "test.yaml:2:1: 'gw.key' holds no private key (PEM)"},
      {good.certificate, encrypted_key,
       "test.yaml:2:1: 'gw.key' holds a key with a passphrase, which nobody could type here"},
      {good.certificate, other.key,
       "test.yaml:2:1: 'gw.key' is not the key of the certificate in 'gw.crt'"},
      {late.certificate, late.key, "test.yaml:1:1: 'gw.crt' holds a certificate that has expired"},
      {early.certificate, early.key,
       "test.yaml:1:1: 'gw.crt' holds a certificate that is not valid yet"},
      {weak.certificate, weak.key, "test.yaml:1:1: 'gw.crt' cannot be used: ee key too small"},
  };
  for (const Case& one : cases) {
    const auto plan = plan_tls(listener(one.certificate, one.key), Protocol::http);
    INFO(one.problem);
    REQUIRE_FALSE(plan.has_value());
    CHECK_THAT(plan.error().message, Catch::StartsWith(one.problem));
  }
  CHECK(plan_tls(listener(good.certificate, good.key), Protocol::http).has_value());
}

TEST_CASE("A listener's plan is known again by what was read", "[tls]") {
  const auto one = test_certificate("DNS:gw.test");
  const auto two = test_certificate("DNS:gw.test");
  const auto first = test::must(plan_tls(listener(one.certificate, one.key), Protocol::http));
  CHECK(first->digest ==
        test::must(plan_tls(listener(one.certificate, one.key), Protocol::http))->digest);
  CHECK(first->digest !=
        test::must(plan_tls(listener(two.certificate, two.key), Protocol::http))->digest);
  // What is spoken inside is part of it.
  const auto other = test::must(plan_tls(listener(one.certificate, one.key), Protocol::postgres));
  CHECK(first->digest != other->digest);
  // With those that lead to its authority behind it.
  const auto chain = test::must(plan_tls(
      listener(one.certificate + test::test_authority().certificate, one.key), Protocol::http));
  CHECK(chain->digest != first->digest);
}

TEST_CASE("A target's certificate is for its name, or for what its addresses are written as",
          "[tls]") {
  const std::vector<config::SocketAddress> addresses{{"192.0.2.7", 443, "api.test"},
                                                     {"192.0.2.8", 443}};
  config::TargetTls settings;
  settings.ca = file_text("ca.crt", test::test_authority().certificate);
  const auto own = test::must(plan_tls(settings, addresses, Protocol::http));
  CHECK(own->names == std::vector<std::string>{"api.test", "192.0.2.8"});
  CHECK(own->trusted != nullptr);

  settings.name = "other.test";
  const auto named = test::must(plan_tls(settings, addresses, Protocol::http));
  CHECK(named->names == std::vector<std::string>{"other.test", "other.test"});
  CHECK(named->digest != own->digest);

  settings.ca = file_text("ca.crt", "nothing");
  const auto bad = plan_tls(settings, addresses, Protocol::http);
  REQUIRE_FALSE(bad.has_value());
  CHECK(bad.error().message == "test.yaml:1:1: 'ca.crt' holds no certificate (PEM)");

  config::TargetTls system;
  CHECK(test::must(plan_tls(system, addresses, Protocol::http))->trusted != nullptr);
  system.verify = config::TlsVerify::none;
  CHECK(test::must(plan_tls(system, addresses, Protocol::http))->trusted == nullptr);
}

}  // namespace
}  // namespace sluice::dataplane
