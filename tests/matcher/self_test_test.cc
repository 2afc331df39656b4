#include "matcher/self_test.h"

#include <array>
#include <catch2/catch.hpp>

#include "matcher/self_test_cases.h"

using namespace sluice;
using namespace sluice::matcher;

TEST_CASE("the library installed here passes the self-test") {
  const auto passed = self_test();
  INFO((passed ? std::string() : passed.error().message));
  CHECK(passed.has_value());
}

TEST_CASE("a scanner that answers otherwise than known is refused") {
  // The same machinery with wrong expectations: a lost match and a false one.
  const std::array lost = {SelfTestCase{{Finder::Kind::regex, "abc[0-9]"}, "abc1", "abc1"}};
  const auto first = run_self_test(lost);
  REQUIRE_FALSE(first.has_value());
  CHECK(first.error().message.find("abc[0-9] at offset 0") != std::string::npos);

  const std::array invented = {
      SelfTestCase{{Finder::Kind::builtin, "email"}, "joe at example.com", "[redacted]"}};
  const auto second = run_self_test(invented);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().message.find("email at offset 0") != std::string::npos);
}
