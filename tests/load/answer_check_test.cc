#include "load/answer_check.h"

#include <catch2/catch.hpp>

#include "base/text_codec.h"

using namespace sluice;
using load::AnswerCheck;
using load::Check;
using load::Expectation;
using load::ExpectedStatus;

namespace {

bool finds_card(std::string_view body, std::size_t split) {
  load::CardFinder finder;
  finder.start();
  finder.on_bytes(as_bytes(body.substr(0, split)));
  finder.on_bytes(as_bytes(body.substr(split)));
  return finder.finish();
}

}  // namespace

TEST_CASE("a card number is found wherever the body is cut, and only a card number") {
  struct Row {
    const char* body;
    bool is_found;
  };
  for (const Row& row : {
           Row{"4111111111111111", true},
           Row{"{\"pan\":\"4111111111111111\"}", true},
           Row{"378282246310005", true},
           Row{"4222222222222", true},
           Row{"6304000000000000000", true},  // 19 digits
           Row{"4111 1111 1111 1111", true},
           Row{"4111-1111-1111-1111", true},
           Row{"3782 822463 10005 and more", true},
           Row{"7 4111 1111 1111 1111", true},
           Row{"1 2 3 4 5 6 7 8 9 4111 1111 1111 1111 0 1", true},
           Row{"20261121-4111111111111111", true},
           Row{"4111111111111112", false},
           Row{"411111******1111", false},
           Row{"4111  1111 1111 1111", false},  // two spaces
           Row{"4111.1111.1111.1111", false},
           Row{"41111111111111110000", false},  // 20 digits
           Row{"000000000000", false},          // 12 digits
           Row{"", false},
           Row{"no digits at all", false},
       }) {
    for (std::size_t split = 0; split <= std::string_view(row.body).size(); ++split) {
      CAPTURE(row.body, split);
      CHECK(finds_card(row.body, split) == row.is_found);
    }
  }
}

TEST_CASE("a status is one or a class of them") {
  CHECK(ExpectedStatus::parse("201")->holds(201));
  CHECK_FALSE(ExpectedStatus::parse("201")->holds(200));
  CHECK(ExpectedStatus::parse("4xx")->holds(499));
  CHECK_FALSE(ExpectedStatus::parse("4xx")->holds(500));
  for (const char* text : {"", "2", "2x", "2x1", "600", "0xx", "2xxx", "abc", "20 "}) {
    CAPTURE(text);
    CHECK_FALSE(ExpectedStatus::parse(text));
  }
}

TEST_CASE("each check holds or fails by itself, answer after answer") {
  Expectation expect;
  expect.status = ExpectedStatus::parse("200");
  expect.no_unmasked_card = true;
  // SHA-256 of "abc" (FIPS 180-4, appendix B.1).
  const auto digest =
      from_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad").value();
  std::copy(digest.begin(), digest.end(), expect.digest.emplace().begin());

  AnswerCheck check;
  const auto outcome = [&](std::uint16_t status, std::string_view first, std::string_view second) {
    check.start(expect);
    check.on_body(as_bytes(first));
    check.on_body(as_bytes(second));
    return check.finish(status);
  };
  for (int round = 0; round < 2; ++round) {
    CHECK(outcome(200, "a", "bc") == std::nullopt);
    CHECK(outcome(200, "ab", "d") == Check::digest);
    CHECK(outcome(500, "a", "bc") == Check::status);
    CHECK(outcome(500, "41111111", "11111111") == Check::unmasked_card);
  }
  const Expectation nothing;
  check.start(nothing);
  CHECK(check.finish(599) == std::nullopt);
}
