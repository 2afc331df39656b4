#include "base/text_codec.h"

#include <catch2/catch.hpp>

using namespace sluice;

namespace {
std::string decoded(const std::optional<std::vector<std::uint8_t>>& bytes) {
  return bytes ? std::string(as_text(*bytes)) : "(refused)";
}
}  // namespace

TEST_CASE("base64 answers the vectors of RFC 4648 section 10") {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    CHECK(to_base64(as_bytes(plain)) == coded);
    CHECK(decoded(from_base64(coded)) == plain);
  }
}

TEST_CASE("base64 refuses what is not canonical") {
  for (const char* text : {"Zg=", "Zg", "Zh==", "Z===", "Zg==Zg==", "Zm9 ", "Zm-v"}) {
    CHECK_FALSE(from_base64(text).has_value());
  }
}

TEST_CASE("base64url is unpadded and uses its own alphabet") {
  const std::vector<std::uint8_t> bytes{0xFB, 0xFF, 0xFE};
  CHECK(to_base64url(bytes) == "-__-");
  CHECK(from_base64url("-__-") == bytes);
  CHECK_FALSE(from_base64url("-__-=").has_value());
}

TEST_CASE("hex goes both ways and refuses odd lengths and other digits") {
  CHECK(to_hex(as_bytes("\x01\xAB")) == "01ab");
  CHECK(decoded(from_hex("4142")) == "AB");
  CHECK_FALSE(from_hex("414").has_value());
  CHECK_FALSE(from_hex("4g").has_value());
}
