#include "identity/json_value.h"

#include <catch2/catch.hpp>
#include <optional>

using namespace sluice;
using namespace sluice::identity;
using Kind = JsonValue::Kind;

namespace {

/// Nothing when it is taken.
std::optional<JsonFault> fault_of(std::string_view text, const JsonLimits& limits = {}) {
  const auto read = read_json_object(text, limits);
  if (read) return std::nullopt;
  return read.error();
}

}  // namespace

TEST_CASE("an object is read with all that is in it") {
  const auto read = read_json_object(
      R"( {"t":"x\u00e9\n","n":-1.5e2,"u":18446744073709551615,"b":true,"z":null,"a":[1,[]],"o":{"p":{}}} )",
      {});
  REQUIRE(read);
  CHECK(*read->find_text("t") == "x\xC3\xA9\n");
  CHECK(read->find("n")->number == -150);
  CHECK(read->find("u")->number == 18446744073709551615.0);
  CHECK(read->find("b")->boolean);
  CHECK(read->find("z")->kind == Kind::null);
  CHECK(read->find("a")->items.size() == 2);
  CHECK(read->find("o")->find("p")->kind == Kind::object);
  CHECK(read->find("q") == nullptr);
  CHECK(read->find_text("n") == nullptr);
  CHECK(read->find("a")->find("p") == nullptr);
}

TEST_CASE("what RFC 8259 does not have is no object") {
  for (const char* bad : {"",
                          " ",
                          "[]",
                          "1",
                          "\"a\"",
                          "null",
                          "{",
                          "}",
                          "{}{}",
                          "{} x",
                          "{a:1}",
                          "{'a':1}",
                          "{\"a\":}",
                          "{\"a\":1,}",
                          "{\"a\" 1}",
                          "{\"a\":01}",
                          "{\"a\":+1}",
                          "{\"a\":.5}",
                          "{\"a\":1.}",
                          "{\"a\":0x1}",
                          "{\"a\":NaN}",
                          "{\"a\":Infinity}",
                          "{\"a\":1e400}",
                          "{\"a\":\"\n\"}",
                          "{\"a\":\"\\x41\"}",
                          "{\"a\":\"\\ud800\"}",
                          "{\"a\":\"\xFF\"}",
                          "{\"a\":\"\xED\xA0\x80\"}",
                          "{\"a\":\"\xC0\xAF\"}",
                          "\xEF\xBB\xBF{}",
                          "{}//",
                          "/**/{}",
                          "{\"a\":True}",
                          "{\"a\":\"b}"}) {
    INFO(bad);
    CHECK(fault_of(bad) == JsonFault::malformed);
  }
  CHECK(fault_of(std::string_view("{}\0", 3)) == JsonFault::malformed);
}

TEST_CASE("a repeated member is refused at every level, however it is written") {
  CHECK(fault_of(R"({"a":1,"a":1})") == JsonFault::repeated_member);
  CHECK(fault_of(R"({"a":1,"\u0061":1})") == JsonFault::repeated_member);
  CHECK(fault_of(R"({"o":[{"a":1,"b":2,"a":3}]})") == JsonFault::repeated_member);
  CHECK_FALSE(fault_of(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}],"A":1})"));
}

TEST_CASE("depth, values and members have their limits") {
  const JsonLimits limits{.depth_max = 3, .values_max = 6, .members_max = 2};
  CHECK_FALSE(fault_of(R"({"a":[[]]})", limits));
  CHECK(fault_of(R"({"a":[[[]]]})", limits) == JsonFault::too_large);
  CHECK_FALSE(fault_of(R"({"a":[1,2,3,4]})", limits));
  CHECK(fault_of(R"({"a":[1,2,3,4,5]})", limits) == JsonFault::too_large);
  CHECK_FALSE(fault_of(R"({"a":1,"b":2})", limits));
  CHECK(fault_of(R"({"a":1,"b":2,"c":3})", limits) == JsonFault::too_large);
}
