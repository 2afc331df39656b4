// Which globs a path matches, beside a reader of docs/policy.md that tries them one by one.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "config/model/path_table.h"

using namespace sluice;
using namespace sluice::config;

namespace {

struct GlobCase {
  const char* glob;
  std::vector<const char*> matching;
  std::vector<const char*> other;
};

std::vector<std::uint32_t> found(const PathTable& table, std::string_view path) {
  PathSearch search;
  table.prepare(search);
  const auto hits = table.find(path, search);
  return {hits.begin(), hits.end()};
}

void check(const GlobCase& example, GlobReading reading) {
  INFO(example.glob);
  PathTable table;
  REQUIRE(table.add(example.glob, reading) == 0U);
  for (const char* path : example.matching) {
    INFO(path);
    CHECK(found(table, path) == std::vector<std::uint32_t>{0});
  }
  for (const char* path : example.other) {
    INFO(path);
    CHECK(found(table, path).empty());
  }
}

// The naive reader.

bool stars_match(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() != '*') {
    return !text.empty() && pattern.front() == text.front() &&
           stars_match(pattern.substr(1), text.substr(1));
  }
  for (std::size_t taken = 0; taken <= text.size(); ++taken) {
    if (stars_match(pattern.substr(1), text.substr(taken))) return true;
  }
  return false;
}

bool segment_matches(std::string_view pattern, std::string_view text, GlobReading reading) {
  if (pattern == "*") return !text.empty();
  if (pattern.empty()) return text.empty();
  if (stars_match(pattern, text)) return true;
  if (reading == GlobReading::exact) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ';' && stars_match(pattern, text.substr(0, i))) return true;
  }
  return false;
}

using Texts = std::vector<std::string>;

Texts split(std::string_view path) {
  Texts parts;
  for (path.remove_prefix(1);;) {
    const std::size_t slash = path.find('/');
    parts.emplace_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    path.remove_prefix(slash + 1);
  }
}

bool parts_match(std::span<const std::string> glob, std::span<const std::string> path,
                 GlobReading reading, bool may_end_in_slash) {
  if (glob.empty()) {
    return path.empty() || (may_end_in_slash && path.size() == 1 && path[0].empty());
  }
  if (glob[0] == "**") {
    if (glob.size() == 1) return true;
    for (std::size_t taken = 0; taken <= path.size(); ++taken) {
      if (parts_match(glob.subspan(1), path.subspan(taken), reading, false)) return true;
    }
    return false;
  }
  return !path.empty() && segment_matches(glob[0], path[0], reading) &&
         parts_match(glob.subspan(1), path.subspan(1), reading,
                     reading == GlobReading::wide && !glob[0].empty());
}

bool naive_matches(const std::string& glob, const std::string& path, GlobReading reading) {
  const bool is_wide = reading == GlobReading::wide;
  return parts_match(split(is_wide ? in_lower_case(glob) : glob),
                     split(is_wide ? in_lower_case(path) : path), reading, false);
}

class RandomPaths {
 public:
  explicit RandomPaths(std::uint64_t seed) : engine_(seed) {}

  std::size_t below(std::size_t count) { return engine_() % count; }

  std::string path() {
    std::string path;
    for (std::size_t i = below(5) + 1; i > 0; --i) path += '/' + text("aAb;", 4);
    return path;
  }

  /// One that parse_glob takes.
  std::string glob() {
    for (;;) {
      std::string glob;
      for (std::size_t i = below(4) + 1; i > 0; --i) {
        glob += '/' + (below(4) == 0 ? "**" : text("aAb;*", 4));
      }
      if (parse_glob(glob)) return glob;
    }
  }

 private:
  std::string text(std::string_view alphabet, std::size_t size_max) {
    std::string text;
    for (std::size_t i = below(size_max); i > 0; --i) text += alphabet[below(alphabet.size())];
    return text;
  }

  std::mt19937_64 engine_;
};

void check_seed(std::uint64_t seed) {
  INFO("seed " << seed);
  RandomPaths random(seed);
  PathTable table;
  struct Added {
    std::string glob;
    GlobReading reading;
    std::uint32_t number;
  };
  std::vector<Added> added;
  for (std::size_t i = random.below(40) + 1; i > 0; --i) {
    const auto reading = random.below(2) == 0 ? GlobReading::exact : GlobReading::wide;
    const std::string glob = random.glob();
    const auto number = table.add(glob, reading);
    REQUIRE(number);
    REQUIRE(*number < table.size());
    added.push_back({glob, reading, *number});
  }
  for (int i = 0; i < 50; ++i) {
    const std::string path = random.path();
    INFO(path);
    std::vector<bool> expected(table.size());
    for (const auto& [glob, reading, number] : added) {
      const bool is_match = naive_matches(glob, path, reading);
      INFO(glob << (reading == GlobReading::wide ? " wide" : " exact"));
      if (is_match) expected[number] = true;
      // Globs that share a number mean the same.
      REQUIRE(expected[number] == is_match);
    }
    std::vector<std::uint32_t> numbers;
    for (std::uint32_t number = 0; number < table.size(); ++number) {
      if (expected[number]) numbers.push_back(number);
    }
    REQUIRE(found(table, path) == numbers);
  }
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
      {"/**/", {"/", "/a/", "/a/b/"}, {"/a", "/a/b"}},
      {"/**/x/**", {"/x", "/x/x", "/a/x", "/x/b", "/a/x/x/b"}, {"/", "/a/xx"}},
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
      {"/a/**/z", {"/a/z", "/a;p/b;q/z;r"}, {"/a/b/zz"}},
      {"/a/", {"/a/", "/A;p/"}, {"/a", "/a/;p"}},
      {"/a;b", {"/a;b", "/A;B;c/"}, {"/a", "/a;c", "/a;bc"}},
      {"/*.bak", {"/x.BAK", "/x.bak;p", "/x;p.bak/"}, {"/x.bakp", "/x.bak/y"}},
      {"/**", {"/", "/a;b"}, {"*"}}};
  for (const GlobCase& example : cases) check(example, GlobReading::wide);
}

TEST_CASE("a glob that no normalised path can match is refused") {
  for (const char* glob :
       {"",       "a",       "*",         "**",   "//",   "/a//b",  "/.",   "/..",
        "/a/./b", "/a/../b", "/a**",      "/**a", "/***", "/**/**", "/a?",  "/a#b",
        "/a b",   "/a\\b",   "/\xC3\xA9", "/a\n", "/%",   "/%4",    "/%zz", "/%41",
        "/%2d",   "/%2f",    "/%5C",      "/%00", "/%c3", "/%2541"}) {
    INFO(glob);
    CHECK_FALSE(parse_glob(glob).has_value());
    CHECK_FALSE(PathTable().add(glob, GlobReading::wide).has_value());
  }
}

TEST_CASE("all globs that match are found, ascending, whatever else is in the table") {
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) check_seed(seed);
}

TEST_CASE("globs that mean the same share a number") {
  PathTable table;
  CHECK(table.add("/a/**", GlobReading::exact) == 0U);
  CHECK(table.add("/A/**", GlobReading::exact) == 1U);
  CHECK(table.add("/a/**", GlobReading::wide) == 2U);
  CHECK(table.add("/A/**", GlobReading::wide) == 2U);
  CHECK(table.add("/a/**", GlobReading::exact) == 0U);
  CHECK(table.size() == 3);
}

TEST_CASE("one search serves tables of different sizes") {
  PathTable small;
  REQUIRE(small.add("/a", GlobReading::exact));
  PathTable large;
  for (int i = 0; i < 10'000; ++i) REQUIRE(large.add(fmt::format("/{}/**", i), GlobReading::wide));
  PathSearch search;
  small.prepare(search);
  large.prepare(search);
  for (const char* path : {"/9999/x", "/a", "/77;p/"}) {
    CHECK(small.find(path, search).size() == (std::string_view(path) == "/a" ? 1 : 0));
    CHECK(large.find(path, search).size() == (std::string_view(path) == "/a" ? 0 : 1));
  }
}
