#include "bodies.h"

#include <fmt/format.h>

#include <array>

#include "masking.h"

namespace sluice::testing {

using namespace matcher;

std::vector<MaskRule> mixed_rules() {
  using Kind = Finder::Kind;
  return {
      {"pan",
       {{Kind::builtin, "payment-card"}, {Kind::json_path, "$..pan"}, {Kind::form_field, "pan"}},
       partial(6, 4)},
      {"cvc",
       {{Kind::json_path, "$..cvc"}, {Kind::json_path, "$.card['c v']"}, {Kind::form_field, "cvc"}},
       redact},
      {"token",
       {{Kind::regex, "tok_[a-z0-9]{4,40}"},
        {Kind::builtin, "jwt"},
        {Kind::builtin, "bearer-token"}},
       hash},
      {"mail", {{Kind::builtin, "email"}, {Kind::json_path, "$.items[*].mail"}}, partial(1, 3)},
      {"numbers",
       {{Kind::builtin, "iban"}, {Kind::builtin, "us-ssn"}, {Kind::builtin, "phone"}},
       hash},
      {"secrets",
       {{Kind::builtin, "aws-key"},
        {Kind::json_path, "$..secret"},
        {Kind::regex, "(?i)password[:=] ?\\S{1,30}"}},
       redact},
      {"place",
       {{Kind::builtin, "ip"}, {Kind::json_path, "$.a[2]"}, {Kind::json_path, "$.a[0].b..c"}},
       partial(2, 0)},
      {"edges",
       {{Kind::regex, "^start.{0,20}"},
        {Kind::regex, ".{2,8}end$"},
        {Kind::regex, "\\bx[0-9]{2}\\b"}},
       partial(2, 2)},
      {"wide", {{Kind::regex, "<<[^>]{0,100}>>"}, {Kind::regex, "ab{1,5}"}}, partial(3, 3)},
  };
}

namespace {

const std::array fragments = {
    "4111111111111111",
    "4111 1111 1111 1111",
    "5500-0000-0000-0004",
    "378282246310005",
    "6011 0009 9013 9424",
    "4222222222222",
    "6304000000000000000",
    "3530111333300000",
    "1234 4111 1111 1111 1111 99",
    "4111111111111111 4111111111111111",
    "2.4111111111111111",
    "4.111111111111111E15",
    "4.11111111111E+15",
    "40.00000000000002e14",
    "GB82 WEST 1234 5698 7654 32",
    "DE89370400440532013000",
    "NO9386011117947",
    "fr1420041010050500013m02606",
    "123-45-6789",
    "123 45 6789",
    "666-45-6789",
    "078-05-1120",
    "joe.doe@example.com",
    "a@b.co",
    "x+y@sub.example.co.uk",
    "j\xc3\xbcrgen@m\xc3\xbcnchen.de",
    "@@",
    "a@b.c@d.ef",
    "'o'brien@example.org'",
    "+49 30 1234567",
    "+1 (415) 555-2671",
    "+442079460958",
    "(415) 555-2671",
    "415-555-2671",
    "020 7946 0958",
    "01 23 45 67 89",
    "1-415-555-2671",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "eyJ.eyJ.",
    "AKIAIOSFODNN7EXAMPLE",
    "ASIAIOSFODNN7EXAMPL1x",
    "Bearer abc123==",
    "bearer of news",
    "BEARER mF_9.B5f-4.1JqM",
    "10.0.0.1",
    "255.255.255.255",
    "1.2.3.4.5",
    "2001:db8::1",
    "::ffff:10.1.2.3",
    "::",
    "fe80::1:",
    "12:30:59",
    "tok_abcd1234",
    "tok_",
    "password: hunter2",
    "PASSWORD=geheim",
    "start of it",
    "the end",
    "x12",
    "<<",
    ">>",
    "<<x>>",
    "abbbbbbb",
    "name",
    "pan",
    "cvc",
    "c v",
    "secret",
    "mail",
    "items",
    "card",
    " ",
    " ",
    "-",
    ",",
    ".",
    ":",
    "\"",
    "\\",
    "/",
    "\n",
    "\t",
    "0",
    "7",
    "12345678901234567890",
    "\xe2\x82\xac",
    "\xf0\x9f\x98\x80",
    "true",
    "=",
    "&",
    "%",
    "+",
    "%4",
    "(",
    ")",
};

const std::array keys = {"pan",
                         "cvc",
                         "c v",
                         "card",
                         "items",
                         "mail",
                         "a",
                         "b",
                         "c",
                         "secret",
                         "x",
                         "joe@example.com",
                         "4111111111111111",
                         ""};

}  // namespace

const std::vector<std::string>& example_texts() {
  static const std::vector<std::string> texts = [] {
    std::vector<std::string> made;
    for (const std::string fragment : fragments) {
      made.push_back(fragment);
      made.push_back("x " + fragment + " y");
    }
    made.push_back(
        "start x12 joe@example.com,4111 1111 1111 1111 and AKIAIOSFODNN7EXAMPLE the end");
    made.push_back("password=4111111111111111 tok_joe@example.com");
    made.push_back("a%40b.co+4111%201111%201111%201111");
    return made;
  }();
  return texts;
}

const std::vector<std::string>& example_json() {
  static const std::vector<std::string> texts = {
      R"({"pan":"4111111111111111","cvc":123,"note":"joe@example.com paid"})",
      R"({"card":{"c v":"999","number":4111111111111111},"items":[{"mail":"x"},{"mail":null}]})",
      R"({"c\u0076c":"1","cvc":"2","Cvc":"3","cvc":{"deep":[1,{"x":"4111111111111111"}]}})",
      R"({"a":[1,2,"4111\u0031111111111111",{"b":{"x":{"c":true}}}]} )",
      R"({"a":[{"b":{"x":{"c":true,"d":[{"c":12.5}]}}},false,{"q":1}]})",
      R"(["\u0034111 1111\u00201111 1111","\ud83d\ude00 joe@\u0065xample.com","\ud800x","tab\there"])",
      R"("start of \"it\" end")",
      "1 2 {\"pan\":5} \"4111111111111111\"\n[4111111111111111,-0.5e+10]",
      R"({"secret":[[[{}]],"]"],"secret":"","secret":[],"x":"password: a\"b c"})",
      R"([4111111111111111.25,0.4111111111111111,12e4,true,false,null])",
      R"([4.000000000000002e15,4.000000000000002E+15,{"x":-4.242424242424242e15},4.000000000000002e16])",
      "{\"m\xc3\xbcll\":\"j\xc3\xbcrgen@example.com \xf0\x9f\x98\x80\"}",
      // Not JSON.
      R"({"a":1,})",
      R"([1 2])",
      R"({"a" 1})",
      "[01]",
      "[+1]",
      "[1.]",
      "tru",
      "nulll",
      "[\"\\x\"]",
      "[\"\t\"]",
      "\xef\xbb\xbf{}",
      "{\"a\":\"\xc3\"}",
      "\"abc",
      "[",
      "{\"a\":",
      "]",
      "{]",
      "1true",
      "[\"\\u12g4\"]",
      "{1:2}",
      ",",
      "[\"a\" \"b\"]",
  };
  return texts;
}

std::string BodyMaker::near_miss(std::string piece) {
  if (piece.empty()) return piece;
  switch (below(4)) {
    case 0:
      piece.erase(below(piece.size()), 1);
      break;
    case 1:
      piece.insert(below(piece.size()), 1, "0a -.@:"[below(7)]);
      break;
    case 2:
      piece[below(piece.size())] = "9zZ.-"[below(5)];
      break;
    default:
      piece.resize(below(piece.size()) + 1);
      break;
  }
  // Bytes were cut, so that a character may have been.
  for (char& c : piece) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '~';
  }
  return piece;
}

std::string BodyMaker::fragment() {
  std::string piece = fragments[below(fragments.size())];
  if (below(4) == 0) piece = near_miss(piece);
  if (below(40) == 0) piece = std::string(below(400), "0aA@.eJ"[below(7)]);
  if (below(60) == 0) piece = "eyJ" + std::string(below(3000), 'Q') + (below(2) == 0 ? ".x." : "");
  if (below(60) == 0) piece = "Bearer " + std::string(below(3000), 'k');
  return piece;
}

std::string BodyMaker::text(std::size_t size) {
  std::string made;
  while (made.size() < size) {
    made += fragment();
    if (below(2) == 0) made += ' ';
    if (below(50) == 0) made += static_cast<char>(below(256));
  }
  return made;
}

std::string BodyMaker::form_text(std::size_t size) {
  std::string made;
  while (made.size() < size) {
    for (const char c : fragment()) {
      const bool plain = c != '&' && c != '%' && c != '+' && c != '=' && below(8) != 0;
      if (c == ' ' && below(2) == 0) {
        made += '+';
      } else {
        made += plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
      }
    }
    if (below(20) == 0) made += below(2) == 0 ? "%" : "%zz";
  }
  return made;
}

std::string BodyMaker::form(std::size_t size) {
  std::string made;
  while (made.size() < size) {
    made += below(3) == 0 ? form_text(8) : std::string(keys[below(keys.size())]);
    if (below(8) != 0) made += '=';
    made += form_text(below(80));
    if (below(8) != 0) made += '&';
  }
  return made;
}

std::string BodyMaker::escaped(const std::string& utf8, std::size_t one_in) {
  std::string made;
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    const bool must = c == '"' || c == '\\' || byte < 0x20;
    if (byte >= 0x80) {
      made += c;
    } else if (c == '\n' && below(2) == 0) {
      made += "\\n";
    } else if (must || below(one_in) == 0) {
      made += c == '/' && below(2) == 0 ? std::string("\\/") : fmt::format("\\u{:04x}", byte);
    } else {
      made += c;
    }
  }
  return made;
}

std::string BodyMaker::json_string(std::size_t size, bool heavily_escaped) {
  std::string made;
  while (made.size() < size) {
    made += escaped(fragment(), heavily_escaped ? 1 : 1 + below(200));
    if (below(30) == 0) made += "\\ud83d\\ude00";
    if (below(60) == 0) made += "\\ud83d";
  }
  return "\"" + made + "\"";
}

std::string BodyMaker::json_value(std::size_t size, int depth) {
  const auto space = [this] {
    constexpr std::array spaces = {" ", "\n", "\t", "\r\n", " \n  ", "\t \t"};
    return below(6) == 0 ? spaces[below(spaces.size())] : "";
  };
  const std::size_t kind = size < 8 || depth > 20 ? 2 + below(4) : below(6);
  std::string made;
  switch (kind) {
    case 0: {
      made = "{";
      const std::size_t members = 1 + below(5);
      for (std::size_t i = 0; i < members; ++i) {
        const std::string key = below(4) == 0 ? fragment() : keys[below(keys.size())];
        made +=
            fmt::format("{}{}\"{}\"{}:{}{}", i > 0 ? "," : "", space(), escaped(key, 1 + below(30)),
                        space(), space(), json_value(size / members, depth + 1));
      }
      return made + "}";
    }
    case 1: {
      made = "[";
      const std::size_t elements = 1 + below(5);
      for (std::size_t i = 0; i < elements; ++i) {
        made += fmt::format("{}{}{}", i > 0 ? "," : "", space(),
                            json_value(size / elements, depth + 1));
      }
      return made + "]";
    }
    case 2: {
      const std::array numbers = {
          "0", "-1", "4111111111111111", "5500000000000004.5", "12e10", "378282246310005"};
      return numbers[below(numbers.size())];
    }
    case 3:
      return std::array{"true", "false", "null"}[below(3)];
    default:
      return json_string(below(30), below(10) == 0);
  }
}

std::string BodyMaker::json(std::size_t size) {
  std::string made = json_value(size, 0);
  if (below(10) == 0) made += "\n" + json_value(50, 0);
  if (below(8) == 0 && !made.empty()) made[below(made.size())] = ",:]}\"\\x"[below(7)];
  return made;
}

std::string BodyMaker::long_json(std::size_t size) {
  std::string made = R"({"items":[)";
  while (made.size() < size) made += json_value(4000, 2) + ",\n";
  return made + "null]}";
}

}  // namespace sluice::testing
