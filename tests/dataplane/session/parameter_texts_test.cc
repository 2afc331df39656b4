#include "dataplane/session/parameter_texts.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/text_codec.h"

using namespace sluice;
using dataplane::ParameterTexts;
using postgres::Format;
using postgres::Oid;

namespace {

std::vector<std::string> texts_of(Oid type, Format format, std::string value) {
  const std::size_t size = value.size();
  value.resize(size + readable_tail_bytes);
  std::vector<std::string> seen;
  ParameterTexts().visit(type, format, as_bytes(value).first(size),
                         [&seen](ByteView text) { seen.emplace_back(as_text(text)); });
  return seen;
}

std::string bytes(std::string_view hex) {
  const auto decoded = from_hex(hex);
  REQUIRE(decoded);
  return std::string(as_text(*decoded));
}

bool shows(Oid type, std::string_view hex, const std::string& text) {
  const auto seen = texts_of(type, Format::binary, bytes(hex));
  return std::ranges::find(seen, text) != seen.end();
}

}  // namespace

TEST_CASE("A parameter in text is seen as it is, and bytes as what they hold too") {
  using Texts = std::vector<std::string>;
  CHECK(texts_of(25, Format::text, "it's me") == Texts{"it's me"});
  CHECK(texts_of(25, Format::text, "\\x7077") == Texts{"\\x7077"});
  CHECK(texts_of(17, Format::text, "\\x7077") == Texts{"\\x7077", "pw"});
  CHECK(texts_of(0, Format::text, "\\x7077") == Texts{"\\x7077", "pw"});
  CHECK(texts_of(0, Format::text, "\\xyz") == Texts{"\\xyz"});
}

TEST_CASE("A binary parameter is seen as its text") {
  struct Case {
    Oid type;
    const char* hex;
    const char* text;
  };
  constexpr Case cases[] = {
      {25, "6162", "ab"},
      {1043, "6162", "ab"},
      {114, "7b7d", "{}"},
      {3802, "017b7d", "{}"},
      {17, "7077", "pw"},
      {17, "7077", "\\x7077"},
      {16, "01", "true"},
      {21, "fffe", "-2"},
      {23, "00000539", "1337"},
      {20, "000e9b08a568c800", "4111111111100416"},
      {700, "3fc00000", "1.5"},
      {701, "432d36114ad1e380", "4111111111111104"},
      {1700, "0002000040000002000c0dac", "-12.35"},
      {1700, "0004000300000000100f045704571057", "4111111111114183"},
      {1700, "0001ffff000000021388", "0.50"},
      {1700, "0001000000000002000c", "12.00"},
      {1700, "0001fffe000000080d7d", "0.00003453"},
      {2950, "00112233445566778899aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff"},
      {869, "022000047f000001", "127.0.0.1"},
      {1082, "00000000", "2000-01-01"},
      {1082, "ffffffff", "1999-12-31"},
      {1082, "0000003c", "2000-03-01"},
      {1114, "00000000000f4240", "2000-01-01 00:00:01"},
      {1184, "ffffffffffffffff", "1999-12-31 23:59:59.999999"}};
  for (const Case& one : cases) {
    INFO(one.type << " " << one.hex);
    CHECK(shows(one.type, one.hex, one.text));
    // Also where nobody named the type.
    CHECK(shows(0, one.hex, one.text));
  }
}

TEST_CASE("What arrays and rows hold is seen") {
  const std::string array =
      "00000001"
      "00000000"
      "00000019"
      "00000002"
      "00000001"
      "000000026162"
      "ffffffff";
  CHECK(shows(1009, array, "ab"));
  const std::string row =
      "00000002"
      "00000019000000026162"
      "000000170000000400000539";
  CHECK(shows(2249, row, "ab"));
  CHECK(shows(2249, row, "1337"));
  const std::string rows =
      "00000001"
      "00000000"
      "000008c9"
      "00000001"
      "00000001"
      "0000001a" +
      row;
  CHECK(shows(2287, rows, "1337"));
}

TEST_CASE("No bytes are too odd to be looked at") {
  for (const char* hex :
       {"", "00", "0000000100000000000000190000ffff", "ffffffffffffffffffffffff",
        "00000006000000010000000000000000", "7fffffff00000000", "ffff7fff0000ffff"}) {
    for (const Oid type : {0U, 20U, 1700U, 869U, 1009U, 2249U, 3802U, 2950U, 99999U}) {
      texts_of(type, Format::binary, bytes(hex));
    }
  }
  // A row within a row within a row …
  std::string nested = "00000000";
  for (int i = 0; i < 40; ++i) {
    const std::array<std::uint8_t, 4> size{0, 0, static_cast<std::uint8_t>(nested.size() / 512),
                                           static_cast<std::uint8_t>(nested.size() / 2)};
    nested = "00000001000008c9" + to_hex(size) + nested;
  }
  CHECK_FALSE(texts_of(0, Format::binary, bytes(nested)).empty());
}
