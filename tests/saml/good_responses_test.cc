// What is taken, and what it says.
#include <catch2/catch.hpp>

#include "saml_bench.h"

using namespace sluice;
using namespace sluice::test;
using saml::Fault;

namespace {

std::string form_name(const SignatureForm& form) {
  return form.method + " " + form.digest;
}

}  // namespace

TEST_CASE("A signed assertion names who signs in, and where that was proved") {
  SamlBench bench;
  const auto verdict = bench.finish(bench.good());
  CHECK(name(verdict.fault) == "none");
  CHECK(verdict.principal.subject == "ann");
  CHECK(verdict.principal.groups == std::vector<std::string>{"staff", "payments"});
  CHECK(verdict.principal.issuer == "corp");
  CHECK(text(verdict.principal.proof) == "saml");
  CHECK(verdict.principal.credential_id == "_a1");
  CHECK(verdict.principal.expires == *parse_timestamp("2027-01-15T18:00:00Z"));
}

TEST_CASE("A signed response is as good, and so is one of which both are signed") {
  SamlBench bench;
  const std::string plain = response_xml(bench.names, assertion_xml(bench.names));
  CHECK(name(bench.finish(signed_xml(plain, "_r1", saml_keys().rsa.key)).fault) == "none");
  bench.begin();
  const std::string inner = signed_xml(response_xml(bench.names, assertion_xml(bench.names, "_a2")),
                                       "_a2", saml_keys().rsa.key);
  const auto both = bench.finish(signed_xml(inner, "_r1", saml_keys().p256.key,
                                            {.method = "http://www.w3.org/2001/04/"
                                                       "xmldsig-more#ecdsa-sha256"}));
  CHECK(name(both.fault) == "none");
  CHECK(both.principal.credential_id == "_a2");
}

TEST_CASE("Every algorithm on the list is taken") {
  const std::string more = "http://www.w3.org/2001/04/xmldsig-more#";
  const std::string enc = "http://www.w3.org/2001/04/xmlenc#";
  struct Case {
    std::string method;
    std::string digest;
    const Pem* key;
  };
  const SamlKeys& keys = saml_keys();
  for (const Case& one : {Case{more + "rsa-sha256", enc + "sha256", &keys.rsa},
                          Case{more + "rsa-sha384", more + "sha384", &keys.rsa},
                          Case{more + "rsa-sha512", enc + "sha512", &keys.rsa},
                          Case{more + "ecdsa-sha256", enc + "sha512", &keys.p256}}) {
    const SignatureForm form{.method = one.method, .digest = one.digest};
    INFO(form_name(form));
    SamlBench bench;
    const std::string response = signed_xml(response_xml(bench.names, assertion_xml(bench.names)),
                                            "_a1", one.key->key, form);
    CHECK(name(bench.finish(response).fault) == "none");
  }
}

TEST_CASE("Spaces, lines, prefixes and references of characters do not matter") {
  SamlBench bench;
  std::string assertion = assertion_xml(bench.names, "_a1", "\n  ann&#x40;example.com  ");
  assertion = with(assertion, "<saml:Conditions", "\n  <saml:Conditions");
  const auto verdict = bench.finish(
      signed_xml(response_xml(bench.names, assertion), "_a1", saml_keys().rsa.key,
                 {.transforms = R"(<ds:Transform Algorithm="http://www.w3.org/2000/09/)"
                                R"(xmldsig#enveloped-signature"/>)"
                                R"(<ds:Transform Algorithm="http://www.w3.org/2001/10/)"
                                R"(xml-exc-c14n#"><ec:InclusiveNamespaces )"
                                R"(xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" )"
                                R"(PrefixList="xs"/></ds:Transform>)"}));
  CHECK(name(verdict.fault) == "none");
  CHECK(verdict.principal.subject == "ann@example.com");
}

TEST_CASE("The subject may be an attribute, and all names may have a prefix") {
  config::SamlProvider settings = saml_settings();
  settings.subject_attribute = "mail";
  settings.prefix = "corp:";
  SamlBench bench(settings);
  const auto verdict = bench.finish(bench.good());
  CHECK(name(verdict.fault) == "none");
  CHECK(verdict.principal.subject == "corp:ann@example.com");
  CHECK(verdict.principal.groups == std::vector<std::string>{"corp:staff", "corp:payments"});
}

TEST_CASE("Without a key for groups nobody is in one, and clocks may differ a little") {
  config::SamlProvider settings = saml_settings();
  settings.groups_attribute.clear();
  SamlBench bench(settings);
  bench.now = *parse_timestamp("2027-01-15T08:05:59Z");
  bench.begin();
  const auto late = bench.finish(bench.good());
  CHECK(name(late.fault) == "none");
  CHECK(late.principal.groups.empty());
  bench.now = *parse_timestamp("2027-01-15T07:58:00Z");
  bench.begin();
  const std::string early = signed_xml(response_xml(bench.names, assertion_xml(bench.names, "_a9")),
                                       "_a9", saml_keys().rsa.key);
  CHECK(name(bench.finish(early).fault) == "none");
}
