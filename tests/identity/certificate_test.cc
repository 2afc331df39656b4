// Whose a verified certificate is, by the operator's rules; and every name that is nobody's.
#include "identity/certificate.h"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::identity;
using config::CertificateRule;

namespace {

CertificateRule by_spiffe(std::string pattern, std::string as = {},
                          std::vector<std::string> groups = {}) {
  CertificateRule rule;
  rule.spiffe = std::move(pattern);
  rule.as = std::move(as);
  rule.groups = std::move(groups);
  return rule;
}
CertificateRule by_dns(std::string pattern, std::string as = {}) {
  CertificateRule rule;
  rule.dns = std::move(pattern);
  rule.as = std::move(as);
  return rule;
}
CertificateRule by_email(std::string pattern) {
  CertificateRule rule;
  rule.email = std::move(pattern);
  return rule;
}
CertificateRule by_subject(std::string pattern, std::string as = {}) {
  CertificateRule rule;
  rule.subject_name = std::move(pattern);
  rule.as = std::move(as);
  return rule;
}

CertificateFacts facts(std::vector<std::string> uris, std::vector<std::string> dns = {},
                       std::vector<std::string> emails = {}, std::string subject = {}) {
  CertificateFacts made;
  made.uris = std::move(uris);
  made.dns = std::move(dns);
  made.emails = std::move(emails);
  made.subject = std::move(subject);
  made.serial = "0a1b";
  made.good_until = {5};
  return made;
}

std::string subject_of(const CertificateFacts& facts, const std::vector<CertificateRule>& rules) {
  const CertificateVerdict verdict = map_certificate(facts, rules);
  return verdict.fault == CertificateFault::none ? verdict.principal.subject
                                                 : std::string(name(verdict.fault));
}

}  // namespace

TEST_CASE("A certificate's holder is who the first rule that fits says") {
  const auto verdict = map_certificate(
      facts({"spiffe://corp/ns/pay/sa/batch"}),
      std::vector{by_dns("*.test"),
                  by_spiffe("spiffe://corp/ns/*/sa/*", "{1}/{2}", {"ns-{1}", "all"}),
                  by_spiffe("spiffe://corp/**")});
  REQUIRE(verdict.fault == CertificateFault::none);
  CHECK(verdict.principal.subject == "pay/batch");
  CHECK(verdict.principal.groups == std::vector<std::string>{"ns-pay", "all"});
  CHECK(verdict.principal.issuer == "mtls");
  CHECK(text(verdict.principal.proof) == "mtls");
  CHECK(verdict.principal.credential_id == "0a1b");
  CHECK(verdict.principal.expires == WallTime{5});
}

TEST_CASE("Without rules a SPIFFE ID is its holder's name, and nothing else is") {
  CHECK(subject_of(facts({"spiffe://corp/a/b"}), {}) == "spiffe://corp/a/b");
  CHECK(subject_of(facts({}, {"a.test"}, {"a@b.test"}, "CN=a"), {}) == "unmapped");
}

TEST_CASE("Each kind of name is found, whatever the case of what DNS has") {
  CHECK(subject_of(facts({}, {"One.Batch.TEST"}), {by_dns("*.batch.test")}) == "one.batch.test");
  CHECK(subject_of(facts({}, {"one.batch.test"}), {by_dns("*.batch.test", "b-{1}")}) == "b-one");
  CHECK(subject_of(facts({}, {}, {"Ann@Corp.Test"}), {by_email("*@corp.test")}) == "Ann@corp.test");
  CHECK(subject_of(facts({}, {}, {}, "CN=batch,O=Corp"), {by_subject("CN=*,O=Corp", "{1}")}) ==
        "batch");
}

TEST_CASE("Names that are nobody's") {
  using namespace std::string_literals;
  struct Case {
    const char* what;
    CertificateFacts facts;
    std::vector<CertificateRule> rules;
    const char* fault;
  };
  auto unreadable = facts({"spiffe://corp/a"});
  unreadable.is_readable = false;
  const Case cases[] = {
      {"no name at all", facts({}), {by_dns("*.test"), by_spiffe("spiffe://corp/**")}, "unmapped"},
      {"a name that no rule knows", facts({}, {"a.other"}), {by_dns("*.test")}, "unmapped"},
      {"a common name where a rule asks for DNS",
       facts({}, {}, {}, "CN=a.test"),
       {by_dns("*.test")},
       "unmapped"},
      {"two SPIFFE IDs",
       facts({"spiffe://corp/a", "spiffe://corp/b"}),
       {by_spiffe("spiffe://corp/a")},
       "ambiguous"},
      {"a SPIFFE ID beside another URI",
       facts({"https://a.test", "spiffe://corp/a"}),
       {by_spiffe("spiffe://corp/**")},
       "ambiguous"},
      {"two DNS names of one rule",
       facts({}, {"a.test", "b.test"}),
       {by_dns("*.test")},
       "ambiguous"},
      {"a wildcard", facts({}, {"*.test"}), {by_dns("*.test")}, "malformed"},
      {"a NUL in a DNS name", facts({}, {"a\0.test"s}), {by_dns("*.test")}, "malformed"},
      {"a NUL in a SPIFFE ID",
       facts({"spiffe://corp/a\0"s}),
       {by_spiffe("spiffe://corp/*")},
       "malformed"},
      {"a NUL behind the end that a rule names",
       facts({}, {"a.test\0.evil"s}),
       {by_dns("a.test")},
       "unmapped"},
      {"a line's end in an address",
       facts({}, {}, {"a\nb@corp.test"}),
       {by_email("*@corp.test")},
       "malformed"},
      {"bytes that are no ASCII", facts({}, {"\xc3\xa4.test"}), {by_dns("*.test")}, "malformed"},
      {"dots for a segment",
       facts({"spiffe://corp/../a"}),
       {by_spiffe("spiffe://corp/**")},
       "malformed"},
      {"an empty segment",
       facts({"spiffe://corp/a//b"}),
       {by_spiffe("spiffe://corp/**")},
       "malformed"},
      {"a trust domain in capitals",
       facts({"spiffe://Corp/a"}),
       {by_spiffe("spiffe://**")},
       "malformed"},
      {"a query", facts({"spiffe://corp/a?b"}), {by_spiffe("spiffe://corp/**")}, "malformed"},
      {"an escaped letter",
       facts({"spiffe://corp/%61"}),
       {by_spiffe("spiffe://corp/**")},
       "malformed"},
      {"a name that is too long",
       facts({}, {std::string(600, 'a').append(".test")}),
       {by_dns("*.test")},
       "malformed"},
      {"a name that makes a subject that is too long",
       facts({}, {std::string(300, 'a').append(".test")}),
       {by_dns("*.test", "{1}")},
       "malformed"},
      {"names that cannot be read", unreadable, {by_spiffe("spiffe://corp/**")}, "malformed"},
      {"a value that seems to be two",
       facts({}, {}, {}, R"(CN=a\,O=Corp)"),
       {by_subject("CN=*,O=Corp")},
       "unmapped"},
  };
  for (const Case& one : cases) {
    INFO(one.what);
    CHECK(subject_of(one.facts, one.rules) == one.fault);
  }
}

TEST_CASE("Each fault has a name of its own, and some end all trust") {
  CHECK(text(CertificateFault::unmapped) == "certificate_unmapped");
  CHECK(name(CertificateFault::revoked) == "revoked");
  CHECK_FALSE(ends_trust(CertificateFault::none));
  CHECK_FALSE(ends_trust(CertificateFault::malformed));
  CHECK(ends_trust(CertificateFault::missing));
  CHECK(ends_trust(CertificateFault::untrusted));
}
