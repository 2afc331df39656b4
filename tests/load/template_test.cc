#include "load/template.h"

#include <catch2/catch.hpp>
#include <regex>

#include "load/luhn.h"

using namespace sluice;
using load::Random;
using load::Template;

namespace {

std::string rendered(std::string_view text, std::uint64_t seed = 1) {
  Random random(seed);
  std::string out;
  Template::parse(text).value().render(random, "sk_me", out);
  return out;
}

}  // namespace

TEST_CASE("text around placeholders stays as it is") {
  CHECK(rendered("") == "");
  CHECK(rendered("plain {x} }} text") == "plain {x} }} text");
  CHECK(rendered("a{{identity}}b{{ identity }}c") == "ask_mebsk_mec");
  CHECK(rendered("{\"a\":{\"n\":{{number 5..5}}}}") == "{\"a\":{\"n\":5}}");
}

TEST_CASE("placeholders become what their names say, anew each time") {
  struct Row {
    const char* text;
    const char* pattern;
  };
  for (const Row& row :
       {Row{"{{card}}", "4[0-9]{15}"}, Row{"{{email}}", "[a-z]{10}@example\\.com"},
        Row{"{{uuid}}", "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"},
        Row{"{{number 1000..9999}}", "[1-9][0-9]{3}"}}) {
    CAPTURE(row.text);
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      CHECK(std::regex_match(rendered(row.text, seed), std::regex(row.pattern)));
    }
    CHECK(rendered(row.text, 1) == rendered(row.text, 1));
    CHECK(rendered(row.text, 1) != rendered(row.text, 2));
  }
}

TEST_CASE("cards have a valid check digit") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::vector<std::uint8_t> digits;
    for (const char c : rendered("{{card}}", seed))
      digits.push_back(static_cast<std::uint8_t>(c - '0'));
    CHECK(load::is_luhn_valid(digits));
    digits.back() = static_cast<std::uint8_t>((digits.back() + 1) % 10);
    CHECK_FALSE(load::is_luhn_valid(digits));
  }
}

TEST_CASE("numbers reach both ends of their range and no further") {
  bool low = false;
  bool high = false;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const int number = std::stoi(rendered("{{number 3..7}}", seed));
    CHECK(number >= 3);
    CHECK(number <= 7);
    low = low || number == 3;
    high = high || number == 7;
  }
  CHECK(low);
  CHECK(high);
}

TEST_CASE("what is no placeholder is refused with what was meant") {
  struct Row {
    const char* text;
    const char* says;
  };
  for (const Row& row :
       {Row{"{{crad}}", "did you mean 'card'?"}, Row{"{{xyzzyx}}", "there are: card"},
        Row{"{{card", "not closed"}, Row{"{{card 5}}", "no placeholder"},
        Row{"{{number}}", "{{number 1..100}}"}, Row{"{{number 5..1}}", "range"},
        Row{"{{number 1..}}", "range"}, Row{"{{}}", "no placeholder"}}) {
    CAPTURE(row.text);
    const auto parsed = Template::parse(row.text);
    REQUIRE_FALSE(parsed);
    CAPTURE(parsed.error().message);
    CHECK(parsed.error().message.find(row.says) != std::string::npos);
  }
}

TEST_CASE("a template knows whether it changes and whether it says who calls") {
  CHECK(Template::parse("abc").value().is_constant());
  CHECK(Template::literal("{{card}}").is_constant());
  CHECK_FALSE(Template::parse("{{card}}").value().is_constant());
  CHECK(Template::parse("a{{identity}}").value().uses_identity());
  CHECK_FALSE(Template::parse("a{{email}}").value().uses_identity());
}
