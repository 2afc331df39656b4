// Patterns of the names in client certificates: what they fit, in which one way, and what is none.
#include "config/model/certificate_pattern.h"

#include <catch2/catch.hpp>

using namespace sluice::config;

namespace {

struct Case {
  CertificateName kind;
  std::string_view pattern;
  std::string_view name;
  /// What the template "{1}|{2}" of as many stars is filled with; nothing: it does not fit.
  std::optional<std::string> captures;
};

std::string joined(const Captures& captures) {
  std::string text;
  for (const std::string_view one : captures) {
    if (!text.empty()) text += '|';
    text += one;
  }
  return text;
}

}  // namespace

TEST_CASE("A star stands for what is between two separators, or a part of it") {
  using enum CertificateName;
  const Case cases[] = {
      {spiffe, "spiffe://corp/ns/*/sa/*", "spiffe://corp/ns/pay/sa/batch", "pay|batch"},
      {spiffe, "spiffe://corp/ns/*/sa/*", "spiffe://corp/ns/pay/sa/batch/x", std::nullopt},
      {spiffe, "spiffe://corp/ns/*/sa/*", "spiffe://corp/ns/pay/sa/", std::nullopt},
      {spiffe, "spiffe://corp/ns/*/sa/*", "spiffe://corp/ns/a/b/sa/c", std::nullopt},
      {spiffe, "spiffe://corp/*-batch", "spiffe://corp/pay-batch", "pay"},
      {spiffe, "spiffe://corp/*-batch", "spiffe://corp/a-batch-batch", "a-batch"},
      {spiffe, "spiffe://corp/*-batch", "spiffe://corp/-batch", std::nullopt},
      {spiffe, "spiffe://corp/**", "spiffe://corp/a/b/c", "a/b/c"},
      {spiffe, "spiffe://corp/**", "spiffe://corp/", std::nullopt},
      {spiffe, "spiffe://corp/**", "spiffe://corporate/a", std::nullopt},
      {spiffe, "spiffe://corp", "spiffe://corp", ""},
      {spiffe, "spiffe://**", "spiffe://corp/a", "corp/a"},
      {dns, "*.batch.test", "one.batch.test", "one"},
      {dns, "*.batch.test", "one.two.batch.test", std::nullopt},
      {dns, "*.batch.test", "batch.test", std::nullopt},
      {dns, "*", "one.test", std::nullopt},
      {email, "*@corp.test", "ann@corp.test", "ann"},
      {email, "*@corp.test", "ann@evil@corp.test", std::nullopt},
      {email, "*@corp.test", "ann@corp.test.evil", std::nullopt},
      {subject, "CN=*,O=Corp", "CN=batch,O=Corp", "batch"},
      {subject, "CN=*,O=Corp", "CN=a,OU=b,O=Corp", std::nullopt},
      {subject, "CN=*,O=Corp", R"(CN=a\,O=Corp,O=Evil)", std::nullopt},
      {subject, "CN=*,O=Corp", "CN=a+OU=b,O=Corp", std::nullopt},
  };
  for (const Case& one : cases) {
    INFO(one.pattern << " " << one.name);
    REQUIRE_FALSE(certificate_pattern_fault(one.kind, one.pattern).has_value());
    const auto captures = match_certificate_name(one.kind, one.pattern, one.name);
    REQUIRE(captures.has_value() == one.captures.has_value());
    if (captures) CHECK(joined(*captures) == *one.captures);
  }
}

TEST_CASE("A pattern that could fit in two ways, or never, is none") {
  using enum CertificateName;
  const std::pair<CertificateName, std::string> cases[] = {
      {spiffe, "spiffe://corp/**/a"},
      {spiffe, "spiffe://corp/a**"},
      {spiffe, "spiffe://corp/*a*"},
      {spiffe, "corp/a"},
      {spiffe, "https://corp/a"},
      {dns, "**.test"},
      {dns, "a*b*.test"},
      {dns, "Batch.test"},
      {email, "*@Corp.test"},
      {email, "*a*@corp.test"},
      {subject, "CN=*a*"},
      {dns, std::string(513, 'a')},
  };
  for (const auto& [kind, pattern] : cases) {
    INFO(pattern);
    CHECK(certificate_pattern_fault(kind, pattern).has_value());
  }
  CHECK_FALSE(certificate_pattern_fault(email, "Ann@corp.test").has_value());
}

TEST_CASE("A text is filled with what stars stood for") {
  const Captures captures{"pay", "batch"};
  CHECK(fill_template("{1}-{2}-{1}", captures) == "pay-batch-pay");
  CHECK(fill_template("plain", captures) == "plain");
  const std::string_view pattern = "spiffe://corp/*/*";
  CHECK_FALSE(template_fault("{2}/{1}", pattern).has_value());
  for (const char* const bad : {"{3}", "{0}", "{", "}", "{}", "{a}", "{12}", "{1", "a}b"}) {
    INFO(bad);
    CHECK(template_fault(bad, pattern).has_value());
  }
}
