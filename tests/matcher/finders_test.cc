// What each built-in finds and what it leaves, in whatever surrounds it.
#include <catch2/catch.hpp>

#include "masking.h"
#include "naive_masker.h"

using namespace sluice;
using namespace sluice::matcher;
using namespace sluice::testing;

namespace {

struct Examples {
  std::string_view builtin;
  std::vector<std::string> found;      ///< The whole text is one match.
  std::vector<std::string> not_found;  ///< Nothing in it is.
};

const std::vector<Examples>& examples() {
  static const std::vector<Examples> table = {
      {"payment-card",
       {"4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "4222222222222",
        "378282246310005", "3782 822463 10005", "5555555555554444", "2223003122003222",
        "6011111111111117", "3530111333300000", "30569309025904", "6304000000000000",
        "2200000000000004", "4000000000000000006", "4.111111111111111E15", "4.000000000000002e+15",
        "4.242424242424242E015"},
       {"4111111111111112", "411111111111111", "41111111111111111111", "4111  1111 1111 1111",
        "4111.1111.1111.1111", "04111111111111111", "41111111111111110", "0.4111111111111111",
        "9111111111111111", "123456789012345", "1700000000000", "4.111111111111111E14",
        "4.111111111111111E16", "4.111111111111111E-15", "4.111111111111111",
        "4.111111111111112E15", "2.4.111111111111111E15", "4.111111111111111E1500",
        "14.11111111111111E14"}},
      {"iban",
       {"GB82WEST12345698765432", "GB82 WEST 1234 5698 7654 32", "DE89370400440532013000",
        "de89 3704 0044 0532 0130 00", "NO9386011117947", "FR1420041010050500013M02606",
        "MT84MALT011000012345MTLCAST001S"},
       {"GB82WEST12345698765433", "GB82WEST1234569876543", "XX82WEST12345698765432",
        "xGB82WEST12345698765432", "GB82WEST12345698765432x", "GB82 WEST1234 5698 7654 32"}},
      {"us-ssn",
       {"123-45-6789", "123 45 6789", "899-99-9999"},
       {"000-45-6789", "666-45-6789", "900-45-6789", "123-00-6789", "123-45-0000", "1234-45-6789",
        "123-45-67890", "123-45 6789", "123456789"}},
      {"email",
       {"joe@example.com", "j@x.io", "a.b+c_d%e@sub.example.co.uk",
        "j\xc3\xbcrgen@m\xc3\xbcnchen.de", "o'brien@example.org",
        std::string(64, 'a') + "@example.com"},
       {"joe@example", "joe@", "@example.com", "joe @example.com", "joe@.com", "joe@example.1x",
        "joe@example.c"}},
      {"phone",
       {"+49 30 1234567", "+442079460958", "+1 (415) 555-2671", "+1-415-555-2671", "(415) 555-2671",
        "415-555-2671", "415.555.2671", "1-415-555-2671", "020 7946 0958", "01 23 45 67 89",
        "030 12345678"},
       {"2024-01-31", "12:30:59", "4155552671", "115-555-2671", "+0123456789", "+1234567",
        "192.168.100.200", "00 12 34 56 78", "415-555-2671-9", "x415-555-2671"}},
      {"jwt",
       {"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
        "eyJ" + std::string(400, 'Q')},
       {"eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJIUzI1NiJ9.x", "xeyJhbGciOiJIUzI1NiJ9.a.b", "eyJa..b",
        "eyK.a.b"}},
      {"aws-key",
       {"AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"},
       {"AKIAIOSFODNN7EXAMPL", "AKIAIOSFODNN7EXAMPLES", "xAKIAIOSFODNN7EXAMPLE",
        "AKIAIOSFODNN7EXAMPLEx", "AKIAIOSFODNN7eXAMPLE", "ABIAIOSFODNN7EXAMPLE"}},
      {"ip",
       {"10.0.0.1", "255.255.255.255", "0.0.0.0", "2001:db8::1", "::1", "fe80::", "1:2:3:4:5:6:7:8",
        "::ffff:10.0.0.1", "2001:db8:0:0:0:0:2:1"},
       {"256.0.0.1", "1.2.3", "1.2.3.4.5", "v1.2.3.4", "1.2.3.4x", "::", "12:30:59",
        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::1", "std::vector"}},
  };
  return table;
}

/// Text before and after that no finder minds.
const std::vector<std::pair<std::string, std::string>>& surroundings() {
  static const std::vector<std::pair<std::string, std::string>> pairs = {
      {"", ""}, {"(", ")"}, {"x = ", ", y"}, {std::string(300, ' '), ";"}, {"\"", "\""}};
  return pairs;
}

}  // namespace

TEST_CASE("built-ins find what the documentation says, and no more") {
  for (const Examples& row : examples()) {
    Setup setup({builtin_rule(row.builtin)});
    for (const auto& [before, after] : surroundings()) {
      for (const std::string& text : row.found) {
        INFO(row.builtin << " in " << before << text << after);
        const Masked masked = mask_in_pieces(setup, BodyKind::text, before + text + after, whole());
        CHECK(masked.output == before + "[redacted]" + after);
        CHECK(masked.counts[0] == 1);
        CHECK_FALSE(naive_find(row.builtin, before + text + after).empty());
      }
      for (const std::string& text : row.not_found) {
        INFO(row.builtin << " not in " << before << text << after);
        const std::string body = before + text + after;
        CHECK(mask_in_pieces(setup, BodyKind::text, body, whole()).output == body);
        CHECK(naive_find(row.builtin, body).empty());
      }
    }
  }
}

TEST_CASE("a bearer token is masked and its scheme stays") {
  Setup setup({builtin_rule("bearer-token")});
  const auto masked = [&](const std::string& text) {
    return mask_in_pieces(setup, BodyKind::text, text, pieces_of(1)).output;
  };
  CHECK(masked("Bearer mF_9.B5f-4.1JqM") == "Bearer [redacted]");
  CHECK(masked("authorization: bEARER abc1==,") == "authorization: bEARER [redacted],");
  CHECK(masked("Bearer abcdefghijklmnop") == "Bearer [redacted]");
  CHECK(masked("the bearer of news") == "the bearer of news");
  CHECK(masked("forbearer a1") == "forbearer a1");
  CHECK(masked("Bearer " + std::string(9000, 'k') + " x") == "Bearer [redacted] x");
}

TEST_CASE("matches are found wherever a read or a window ends") {
  Setup setup(all_builtins());
  const std::string pan = "4111111111111111";
  for (std::size_t before = 4000; before < 4500; ++before) {
    const std::string body = std::string(before, '.') + pan + std::string(400, '.');
    const std::string wanted =
        std::string(before, '.') + "411111******1111" + std::string(400, '.');
    REQUIRE(mask_in_pieces(setup, BodyKind::text, body, whole()).output == wanted);
    REQUIRE(mask_in_pieces(setup, BodyKind::text, body, in_two(before + 7)).output == wanted);
  }
}

TEST_CASE("a value of ten mebibytes is masked at both ends and in the middle") {
  Setup setup(all_builtins());
  const std::string half(5 << 20, '.');
  const std::string body =
      "\"joe@example.com" + half + " 4111 1111 1111 1111 " + half + "10.0.0.1\"";
  const Masked masked = mask_in_pieces(setup, BodyKind::json, body, pieces_of(65536));
  const std::string wanted = "\"[redacted]" + half + " 4111 11** **** 1111 " + half + "**.*.*.*\"";
  CHECK((masked.output == wanted));  // not expanded: it would print ten mebibytes
  CHECK(masked.withheld_max <= withheld_bytes_max);
}
