#include "parsers/http1/target.h"

#include <catch2/catch.hpp>
#include <random>

#include "guarded_bytes.h"

using namespace sluice;
using namespace sluice::http1;

namespace {

/// The whole normalised target, or the fault. Input and scratch both end at a guard page.
std::string normalised(std::string_view target, std::string_view host = "api",
                       Method method = Method::get) {
  static testing::GuardedBytes input(4096);
  static testing::GuardedBytes room(4096);
  const std::vector<std::uint8_t> blank(target.size() + 1);
  const auto result =
      normalise_target(as_text(input.hold(as_bytes(target))), host, method, room.hold(blank));
  if (result.fault != TargetFault::none) return '!' + std::string(text(result.fault));
  const Target& found = result.target;
  std::string joined(found.path);
  if (found.whole.size() > found.path.size()) joined.append("?").append(found.query);
  return joined == found.whole ? joined : "path and query do not make the whole";
}

}  // namespace

TEST_CASE("targets have one spelling") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"/", "/"},
      {"/v1/payments/1?expand=card", "/v1/payments/1?expand=card"},
      {"/a?", "/a?"},
      {"/a??b?c", "/a??b?c"},
      {"//", "/"},
      {"///a////b//", "/a/b/"},
      {"/a/./b/../c", "/a/c"},
      {"/a/b/..", "/a/"},
      {"/a/b/.", "/a/b/"},
      {"/a/b/../", "/a/"},
      {"/a/..", "/"},
      {"/.", "/"},
      {"/./", "/"},
      {"/a/.b/..c/d./e..", "/a/.b/..c/d./e.."},
      {"/...", "/..."},
      {"/%41%7a%30%2D%2e%5f%7E", "/Az0-._~"},
      {"/%3a%40%21%24%27%28%29%2a", "/:@!$'()*"},
      {"/%3b%3d%2c%26%2b%20%3f%23%25%5b", "/%3B%3D%2C%26%2B%20%3F%23%25%5B"},
      {"/a;p=%31/b", "/a;p=1/b"},
      {"/%e2%82%ac/%F0%9F%98%80", "/%E2%82%AC/%F0%9F%98%80"},
      {"/a?x=%2f%2F%41%00&[y]={z}", "/a?x=%2F%2F%41%00&[y]={z}"},
      {"/a?../..//", "/a?../..//"},
      {"http://api", "/"},
      {"http://api?q", "/?q"},
      {"HTTP://API/a/../b", "/b"},
      {"http://api//a", "/a"},
      {"/100%25", "/100%25"},
      {"/%25zz", "/%25zz"},
      {"/a-path-that-is-longer-than/one-vector-of-32-bytes/and-plain;v=1:@!$&'()*+,=",
       "/a-path-that-is-longer-than/one-vector-of-32-bytes/and-plain;v=1:@!$&'()*+,="},
  };
  for (const auto& [target, expected] : cases) {
    INFO(target);
    CHECK(normalised(target) == expected);
    CHECK(normalised(expected) == expected);
  }
}

TEST_CASE("targets on which servers could disagree are refused") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "!bad_form"},
      {"a", "!bad_form"},
      {"*", "!bad_form"},
      {"?a", "!bad_form"},
      {"http://", "!bad_form"},
      {"http:/a", "!bad_form"},
      {"https://api/", "!bad_form"},
      {"api:80", "!bad_form"},
      {"http://other/", "!authority_mismatch"},
      {"http://api:80/", "!authority_mismatch"},
      {"http://u@api/", "!authority_mismatch"},
      {"/%", "!bad_escape"},
      {"/%4", "!bad_escape"},
      {"/%4g", "!bad_escape"},
      {"/a?%4", "!bad_escape"},
      {"/%u0041", "!bad_escape"},
      {"/%C0%AE", "!bad_escape"},
      {"/%E0%9F%BF", "!bad_escape"},
      {"/%ED%A0%80", "!bad_escape"},
      {"/%F0%8F%BF%BF", "!bad_escape"},
      {"/%F4%90%80%80", "!bad_escape"},
      {"/%F5%80%80%80", "!bad_escape"},
      {"/%80", "!bad_escape"},
      {"/%C3", "!bad_escape"},
      {"/%C3a", "!bad_escape"},
      {"/%C3%41", "!bad_escape"},
      {"/%C3/%A9", "!bad_escape"},
      {"/a b", "!forbidden_byte"},
      {"/a\\b", "!forbidden_byte"},
      {"/a#b", "!forbidden_byte"},
      {"/a?b#c", "!forbidden_byte"},
      {"/a?b\\c", "!forbidden_byte"},
      {"/a?b\x7F", "!forbidden_byte"},
      {"/caf\xC3\xA9", "!forbidden_byte"},
      {"/a|b", "!forbidden_byte"},
      {"/%0A", "!forbidden_byte"},
      {"/%7f", "!forbidden_byte"},
      {"http://api#a", "!forbidden_byte"},
      {"/%2f", "!encoded_separator"},
      {"/%5C", "!encoded_separator"},
      {"/%00", "!encoded_separator"},
      {"/%252e", "!double_encoding"},
      {"/%25%32%65", "!double_encoding"},
      {"/%%32%35", "!bad_escape"},
      {"/..", "!above_root"},
      {"/a/../..", "!above_root"},
      {"/%2E%2e/", "!above_root"},
      {"/./../a", "!above_root"},
      {"/..;/a", "!ambiguous_segment"},
      {"/a/.;b", "!ambiguous_segment"},
      {"/a/%2e.%3Bx/b", "!ambiguous_segment"},
  };
  for (const auto& [target, expected] : cases) {
    INFO(target);
    CHECK(normalised(target) == expected);
  }
}

TEST_CASE("the form of a target follows the method") {
  CHECK(normalised("*", "api", Method::options) == "*");
  CHECK(normalised("http://api", "api", Method::options) == "*");
  CHECK(normalised("http://api/", "api", Method::options) == "/");
  CHECK(normalised("/a", "api", Method::options) == "/a");
  CHECK(normalised("api:443", "api:443", Method::connect) == "!bad_form");
  CHECK(normalised("/", "api", Method::connect) == "!bad_form");
  CHECK(normalised("http://api:8080/a", "API:8080") == "/a");
  CHECK(normalised("http://[::1]:80/a", "[::1]:80") == "/a");
}

TEST_CASE("a scratch without room for the target is refused") {
  std::array<std::uint8_t, 4> scratch{};
  CHECK(normalise_target("/abc", "api", Method::get, scratch).fault == TargetFault::too_long);
  CHECK(normalise_target("/ab", "api", Method::get, scratch).fault == TargetFault::none);
  CHECK(status_of(TargetFault::too_long) == 414);
  CHECK(status_of(TargetFault::above_root) == 400);
}

TEST_CASE("normalising a normalised target changes nothing") {
  std::minstd_rand random(3);
  const std::string_view parts[] = {"/",   ".",   "..",  "a",   "%2e", "%2E%2e", ";",   "%3b",
                                    "%25", "%41", "32",  "%c3", "%a9", "%C3%A9", "?",   "//",
                                    "b",   "%",   "%35", ":",   "%3A", "/./",    "/../"};
  unsigned accepted = 0;
  for (unsigned round = 0; round < 200'000; ++round) {
    std::string target = "/";
    for (unsigned i = random() % 8; i > 0; --i) target += parts[random() % std::size(parts)];
    const std::string once = normalised(target);
    if (once.front() == '!') continue;
    ++accepted;
    if (normalised(once) != once) FAIL(target << " -> " << once << " -> " << normalised(once));
    const std::string path = once.substr(0, once.find('?'));
    if (path.find("//") != std::string::npos || path.find("/../") != std::string::npos ||
        path.find("/./") != std::string::npos) {
      FAIL(target << " -> " << once);
    }
  }
  CHECK(accepted > 10'000);
}
