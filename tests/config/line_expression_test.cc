// Header expressions, judged by the engine that will run them.
#include <catch2/catch.hpp>

#include "config/model/line_expression.h"
#include "scanner.h"

using namespace sluice::config;

namespace {

bool line_matches(const char* name, const char* pattern, const char* lines) {
  const auto expression = line_expression(name, pattern);
  INFO(pattern);
  REQUIRE(expression);
  return occurs(*expression, lines);
}

}  // namespace

TEST_CASE("a header expression finds its own field's value only") {
  constexpr const char* lines =
      "host: api.example\nx-env: production eu\nx-env-old: staging\nx-team: blue\n";
  CHECK(line_matches("X-Env", "production", lines));
  CHECK(line_matches("x-env", "^production", lines));
  CHECK(line_matches("x-env", "eu$", lines));
  CHECK(line_matches("x-env", "^production eu$", lines));
  CHECK(line_matches("x-env", "staging|eu", lines));
  CHECK(line_matches("x-env", "^eu|^prod", lines));
  CHECK(line_matches("x-env", "(?i)PROD", lines));
  CHECK(line_matches("x-env", "(?i:PROD)uction", lines));
  CHECK(line_matches("x-env", "p[a-z]+n\\seu", lines));
  CHECK(line_matches("x-env", "^.*$", lines));
  CHECK_FALSE(line_matches("x-env", "[^c]tion", lines));
  CHECK(line_matches("x-env", "[^]a]tion", lines));
  CHECK(line_matches("x-env", "[[:alpha:]]+\\x20\\w{2}$", lines));
  CHECK(line_matches("x-env", "uct[-i]on", lines));

  CHECK_FALSE(line_matches("x-env", "^eu", lines));
  CHECK_FALSE(line_matches("x-env", "prod$", lines));
  CHECK_FALSE(line_matches("x-env", "staging", lines));
  CHECK_FALSE(line_matches("x-env", "blue", lines));
  CHECK_FALSE(line_matches("env", "production", lines));
  CHECK_FALSE(line_matches("x-absent", ".*", lines));
  CHECK_FALSE(line_matches("x-env", "^old: staging", lines));
}

TEST_CASE("a header expression never runs into the next line") {
  constexpr const char* lines = "a: one\nb: two\n";
  for (const char* pattern :
       {"one.b", "one.*two", "one\\sb", "one[^x]b", "one\\Db", "one\\Wb", "one[^\\d]b",
        "one[^\\D]*b", "one[\\s]b", "one[^[:alpha:]]b", "(?i)ONE.+TWO", "one(?:.|x)b", "e[^-]*t"}) {
    CHECK_FALSE(line_matches("a", pattern, lines));
  }
}

TEST_CASE("a header expression that cannot be confined is refused") {
  for (const char* pattern : {"",
                              "(",
                              ")",
                              "(a",
                              "a)",
                              "[",
                              "[a",
                              "[]",
                              "[^]",
                              "a\\",
                              "(?=a)",
                              "(?!a)",
                              "(?<=a)b",
                              "(?<n>a)",
                              "(?s).",
                              "(?m)a",
                              "(?x)a",
                              "(*UTF8)a",
                              "a^b",
                              "(^a)",
                              "\\n",
                              "\\r",
                              "\\A",
                              "\\z",
                              "\\Z",
                              "\\R",
                              "\\N",
                              "\\Qa\\E",
                              "\\1",
                              "\\012",
                              "\\x0a",
                              "\\x0A",
                              "\\x{0a}",
                              "\\x1",
                              "\\cJ",
                              "\\p{L}",
                              "\\h",
                              "\\v",
                              "\\X",
                              "\\C",
                              "[\\n]",
                              "[\\x0a]",
                              "[\\D]",
                              "[\\W_]",
                              "[\\t-z]",
                              "[\\x00-\\x20]",
                              "[z-a]",
                              "[a-\\d]",
                              "[[:space:]]",
                              "[[:cntrl:]]",
                              "[[:^alpha:]]",
                              "[\\v]",
                              "a\nb",
                              "a\tb",
                              "\xC3\xA9",
                              "[\xC3]"}) {
    INFO(pattern);
    CHECK_FALSE(line_expression("a", pattern).has_value());
  }
}
