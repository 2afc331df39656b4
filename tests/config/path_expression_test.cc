// Globs and header expressions, judged by the engine that will run them.
#include <catch2/catch.hpp>

#include "config/model/line_expression.h"
#include "config/model/path_glob.h"
#include "scanner.h"

using namespace sluice::config;

namespace {

struct GlobCase {
  const char* glob;
  std::vector<const char*> matching;
  std::vector<const char*> other;
};

void check(const GlobCase& example, GlobReading reading) {
  const auto expression = glob_expression(example.glob, reading);
  INFO(example.glob);
  REQUIRE(expression);
  for (const char* path : example.matching) {
    INFO(path);
    CHECK(occurs(*expression, path));
  }
  for (const char* path : example.other) {
    INFO(path);
    CHECK_FALSE(occurs(*expression, path));
  }
}

bool line_matches(const char* name, const char* pattern, const char* lines) {
  const auto expression = line_expression(name, pattern);
  INFO(pattern);
  REQUIRE(expression);
  return occurs(*expression, lines);
}

}  // namespace

TEST_CASE("a glob matches whole normalised paths and nothing else") {
  const GlobCase cases[] = {
      {"/v1/payments",
       {"/v1/payments"},
       {"/v1/payments/", "/v1/paymentsx", "/x/v1/payments", "/v1"}},
      {"/", {"/"}, {"/a", "//"}},
      {"/a/", {"/a/"}, {"/a", "/a/b"}},
      {"/v1/*", {"/v1/a", "/v1/a.b"}, {"/v1/", "/v1", "/v1/a/b"}},
      {"/v1/a*", {"/v1/a", "/v1/abc"}, {"/v1/b", "/v1/a/b"}},
      {"/v1/*.json", {"/v1/a.json", "/v1/.json"}, {"/v1/ajson", "/v1/a/b.json", "/v1/a.jsonx"}},
      {"/v1/a*b*c", {"/v1/abc", "/v1/a1b2c"}, {"/v1/ac", "/v1/a/b/c"}},
      {"/v1/*/refunds", {"/v1/7/refunds"}, {"/v1//refunds", "/v1/refunds", "/v1/7/8/refunds"}},
      {"/v1/**", {"/v1", "/v1/", "/v1/a", "/v1/a/b/c"}, {"/v1x", "/v2/v1/a", "/"}},
      {"/**", {"/", "/a", "/a/b"}, {"*", ""}},
      {"/a/**/z", {"/a/z", "/a/b/z", "/a/b/c/z"}, {"/az", "/a/z/y", "/a/bz"}},
      {"/a/**/m/**", {"/a/m", "/a/m/x", "/a/b/m/x/y"}, {"/a/mm", "/a/b"}},
      {"/a.b+c(d)[e]{f}|g^h$", {"/a.b+c(d)[e]{f}|g^h$"}, {"/aXb+c(d)[e]{f}|g^h$"}},
      {"/caf%C3%A9/%20", {"/caf%C3%A9/%20"}, {"/caf%c3%a9/%20"}},
      {"/a;v=1", {"/a;v=1"}, {"/a", "/a;v=2", "/A;v=1"}}};
  for (const GlobCase& example : cases) check(example, GlobReading::exact);
}

TEST_CASE("a refusing rule's glob is not evaded by case, parameters or a last slash") {
  const GlobCase cases[] = {
      {"/admin",
       {"/admin", "/admin/", "/admin;x", "/admin;x=1;y/"},
       {"/adminx", "/admin/a", "/admin;x/a"}},
      {"/admin/**", {"/admin", "/admin/a", "/admin;x/a/b", "/admin;x"}, {"/adminx/a"}},
      {"/Admin/x%C3%A9", {"/admin/X%C3%A9", "/ADMIN/x%C3%A9/"}, {"/admin/x%C3%A8"}},
      {"/ADMIN/**", {"/admin", "/Admin/a"}, {"/adminx"}},
      {"/a/*/z", {"/a/b/z", "/a/b;p/z;q/", "/a;p/b/z"}, {"/a/b/c/z"}},
      {"/a/**/z", {"/a/z", "/a;p/b;q/z;r"}, {"/a/b/zz"}}};
  for (const GlobCase& example : cases) check(example, GlobReading::wide);
}

TEST_CASE("a glob that no normalised path can match is refused") {
  for (const char* glob :
       {"",       "a",       "*",         "**",   "//",   "/a//b",  "/.",   "/..",
        "/a/./b", "/a/../b", "/a**",      "/**a", "/***", "/**/**", "/a?",  "/a#b",
        "/a b",   "/a\\b",   "/\xC3\xA9", "/a\n", "/%",   "/%4",    "/%zz", "/%41",
        "/%2d",   "/%2f",    "/%5C",      "/%00", "/%c3", "/%2541"}) {
    INFO(glob);
    CHECK_FALSE(glob_expression(glob, GlobReading::exact).has_value());
    CHECK_FALSE(glob_expression(glob, GlobReading::wide).has_value());
  }
}

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
