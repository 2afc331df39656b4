#include "base/ascii.h"

#include <catch2/catch.hpp>
#include <locale>

using namespace sluice;

TEST_CASE("classes and case are those of the classic locale, for any type of character") {
  const std::locale& classic = std::locale::classic();
  for (int value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    const auto byte = static_cast<unsigned char>(value);
    INFO(value);
    const bool is_ascii = value < 0x80;
    CHECK(is_digit(c) == (is_ascii && std::isdigit(c, classic)));
    CHECK(is_letter(c) == (is_ascii && std::isalpha(c, classic)));
    CHECK(is_letter_or_digit(c) == (is_digit(c) || is_letter(c)));
    CHECK((hex_value(c) >= 0) == (is_ascii && std::isxdigit(c, classic)));
    CHECK(lower_of(c) == (is_ascii ? std::tolower(c, classic) : c));
    CHECK(is_letter_or_digit(byte) == is_letter_or_digit(c));
    CHECK(hex_value(byte) == hex_value(c));
    CHECK(lower_of(byte) == static_cast<unsigned char>(lower_of(c)));
  }
  for (int value = 0; value < 16; ++value) {
    CHECK(hex_value("0123456789abcdef"[value]) == value);
    CHECK(hex_value("0123456789ABCDEF"[value]) == value);
  }
  CHECK(in_lower_case("X-Forwarded-\xC3\x84 09") == "x-forwarded-\xC3\x84 09");
}
