// Sign-in by SAML: a whole section, and what is said of faulty ones.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "test_world.h"

using namespace sluice;
using namespace sluice::config;

namespace {

constexpr const char* good_section = R"(
    name: people
    issuer: "urn:id.example"
    sso_url: "https://id.example.com/sso?idp=1"
    provider_certificates: file:/provider.pem
    url: "https://gw.example:8444"
    key: env:SECRET
    certificate: file:/gw.crt
)";
constexpr const char* listen = R"(
  listen: {address: "127.0.0.1:8444", certificate: file:/gw.crt, key: file:/gw.key})";
constexpr const char* tokens = "gateway_tokens: {key: env:SECRET}";

Loaded load_with(const std::string& section, const std::string& identity = tokens,
                 const std::string& admin = listen) {
  TestWorld world;
  world.variables["SECRET"] = "secret";
  for (const char* const file : {"/gw.crt", "/gw.key", "/provider.pem"}) world.files[file] = file;
  const std::string text = fmt::format(R"(version: 1
listeners: [{{name: in, address: '127.0.0.1:80', target: api}}]
targets: [{{name: api, addresses: ['10.0.0.1:80']}}]
identity:
  anonymous: true
  {}
  saml: {}
audit: {{signing_key: 'file:/key'}}
admin:
  socket: /run/admin.sock{}
)",
                                       identity, section, admin);
  return load_text(text, "a.yaml", world.world());
}

std::string problems_with(const std::string& section, const std::string& identity = tokens,
                          const std::string& admin = listen) {
  return texts(load_with(section, identity, admin).problems);
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("A provider of SAML is named with its page, its keys and what it is asked") {
  const auto loaded = load_with(std::string(good_section) + R"(    entity_id: "urn:gw.example"
    subject_attribute: mail
    groups_attribute: "http://schemas.xmlsoap.org/claims/Group"
    prefix: "people:"
    clock_skew: 2m
    sign_in_timeout: 5m
)");
  CHECK(texts(loaded.problems).empty());
  REQUIRE(loaded.settings.identity.saml);
  const SamlProvider& saml = *loaded.settings.identity.saml;
  CHECK(saml.name == "people");
  CHECK(saml.issuer == "urn:id.example");
  CHECK(saml.sso_url == "https://id.example.com/sso?idp=1");
  CHECK(saml.provider_certificates.text == "/provider.pem");
  CHECK(saml.consumer_url() == "https://gw.example:8444/saml/acs");
  CHECK(saml.own_entity_id() == "urn:gw.example");
  CHECK(saml.key.value == "secret");
  CHECK(saml.certificate.text == "/gw.crt");
  CHECK(saml.subject_attribute == "mail");
  CHECK(saml.groups_attribute == "http://schemas.xmlsoap.org/claims/Group");
  CHECK(saml.prefix == "people:");
  CHECK(saml.clock_skew == seconds(120));
  CHECK(saml.sign_in_timeout == seconds(300));
}

TEST_CASE("Without an entity ID the gateway's is where its metadata are") {
  const auto loaded = load_with(good_section);
  CHECK(texts(loaded.problems).empty());
  REQUIRE(loaded.settings.identity.saml);
  CHECK(loaded.settings.identity.saml->own_entity_id() == "https://gw.example:8444/saml/metadata");
}

TEST_CASE("A sign-in needs a port, tokens, URLs and a name of its own") {
  CHECK(problems_with(good_section, "# none") ==
        "a.yaml:8:5: a sign-in ends in a token of the gateway's: set identity.gateway_tokens");
  CHECK(problems_with(good_section, tokens, "") ==
        "a.yaml:8:5: browsers sign in on the control API's TLS port: set admin.listen");
  CHECK(problems_with(with(good_section, ":8444", ":8444/saml")) ==
        "a.yaml:12:10: 'url' must end with the host or the port");
  CHECK(problems_with(with(good_section, "?idp=1", "#1")) ==
        "a.yaml:10:14: 'sso_url': 'https://id.example.com/sso#1' is not a URL like "
        "https://id.example.com/sso");
  CHECK(problems_with(with(good_section, "https://gw", "http://gw")) ==
        "a.yaml:12:10: 'url': 'http://gw.example:8444' is not a URL like https://id.example.com; "
        "http:// "
        "is for this host alone");
  CHECK(problems_with(good_section,
                      "gateway_tokens: {key: env:SECRET}\n  oidc: [{name: people, issuer: "
                      "'https://id', audience: a}]") ==
        "a.yaml:9:11: an OpenID Connect issuer has the name 'people' already");
}
