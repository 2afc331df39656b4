// What compiles and what is refused; short texts; pattern sets; the look at raw bytes.
#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "bodies.h"
#include "masking.h"
#include "matcher/block_look.h"
#include "matcher/builtin_finders.h"
#include "matcher/json_block.h"
#include "matcher/pattern_set.h"
#include "matcher/triggers.h"
#include "naive_masker.h"

using namespace sluice;
using namespace sluice::matcher;
using namespace sluice::testing;

namespace {

std::string error_of(const MaskRule& rule) {
  const std::vector<MaskRule> rules = {rule};
  const auto program = MaskProgram::compile(rules, {});
  return program ? "" : program.error().message;
}

std::string mask_short(Setup& setup, std::string_view header, std::string_view text,
                       std::size_t room = 4096) {
  std::vector<std::uint8_t> out(room);
  out.resize(mask_text(*setup.program, setup.active, BodyKind::text, header, as_bytes(text), out,
                       setup.scratches.back(), {}));
  return std::string(as_text(out));
}

std::vector<std::uint32_t> hits_of(const Hits& hits) {
  return {hits.begin(), hits.end()};
}

}  // namespace

TEST_CASE("what cannot be enforced does not compile, and the error says why") {
  using Kind = Finder::Kind;
  using Catch::Matchers::Contains;
  CHECK_THAT(error_of(builtin_rule("pan")),
             Contains("no builtin \"pan\"") && Contains("payment-card"));
  CHECK_THAT(error_of(rule("r", Kind::regex, "a*")),
             Contains("mask \"r\"") && Contains("empty text"));
  CHECK_THAT(error_of(rule("r", Kind::regex, "key=.*")), Contains("longer than 320"));
  CHECK_THAT(error_of(rule("r", Kind::regex, "(a")), Contains("expression \"(a\""));
  CHECK_THAT(error_of(rule("r", Kind::regex, "x[^>]{1,300}y")), Contains("too large"));
  CHECK_THAT(error_of(rule("r", Kind::json_path, "a.b")), Contains("begins with $"));
  CHECK_THAT(error_of(rule("r", Kind::json_path, "$.a[")), Contains("byte 4"));
  CHECK_THAT(error_of(rule("r", Kind::json_path, "$.a..")), Contains("byte 5"));
  CHECK_THAT(error_of(rule("r", Kind::json_path, "$['a")), Contains("missing"));
  CHECK_THAT(error_of(builtin_rule("email", testing::hash)), Contains("at least 32 bytes"));
  CHECK_THAT(error_of({"r", {}, {}}), Contains("finds nothing"));
  const std::vector<MaskRule> many(rules_max + 1, builtin_rule("email"));
  CHECK_FALSE(MaskProgram::compile(many, {}).has_value());
}

TEST_CASE("inactive rules mask nothing") {
  Setup setup(all_builtins());
  setup.active.reset();
  const std::string body = R"({"a":"4111111111111111"})";
  CHECK(mask_in_pieces(setup, BodyKind::json, body, whole()).output == body);
}

TEST_CASE("short texts and headers are masked in one call") {
  Setup setup(
      {rule("key", Finder::Kind::header, "X-Api-Key", partial(2, 0)), builtin_rule("email")});
  CHECK(mask_short(setup, "", "to joe@example.com") == "to [redacted]");
  CHECK(mask_short(setup, "x-api-KEY", "abcdef") == "ab****");
  CHECK(mask_short(setup, "x-other", "abcdef") == "abcdef");
  CHECK(mask_short(setup, "", "to joe@example.com", 6) == "[redac");
  CHECK(mask_short(setup, "", "") == "");
  const std::string head =
      "GET /joe@example.com HTTP/1.1\r\nHost: x\r\nX-Api-Key: abc\r\n\r\n" + std::string(64, ' ');
  const auto may_match = [&](std::string_view text) {
    return may_match_in_head(*setup.program, setup.active, as_bytes(text).first(text.size() - 64),
                             setup.scratches.back());
  };
  CHECK(may_match(head));
  CHECK(may_match("GET / HTTP/1.1\r\nFrom: a@b.org\r\n\r\n" + std::string(64, ' ')));
  CHECK_FALSE(may_match("GET / HTTP/1.1\r\nFrom: nobody\r\n\r\n" + std::string(64, ' ')));
}

TEST_CASE("only rules that are not told their values look for them") {
  Setup setup({rule("told", Finder::Kind::told, ""), rule("header", Finder::Kind::header, "x"),
               builtin_rule("email"), rule("path", Finder::Kind::json_path, "$.a"),
               rule("field", Finder::Kind::form_field, "a"),
               rule("regex", Finder::Kind::regex, "ab")});
  for (std::size_t i = 0; i < setup.rules.size(); ++i) {
    RuleSet one;
    one.set(i);
    CHECK(setup.program->searches(one) == (i >= 2));
  }
  CHECK(!setup.program->searches({}));
}

TEST_CASE("a whole value is shown alike, whether or not its rule also looks for some") {
  std::vector<MaskRule> rules;
  for (const Show show : {redact, hash, partial(6, 4), partial(0, 0)}) {
    rules.push_back(rule("told", Finder::Kind::told, "", show));
    rules.push_back(rule("and looks", Finder::Kind::told, "", show));
    rules.back().finders.push_back({Finder::Kind::form_field, "a"});
  }
  Setup setup(rules);
  std::vector<std::string> values = {"",
                                     "1",
                                     "4111 1111 1111 1111",
                                     "ann@example.com",
                                     "\"\\\n",
                                     "Gr\xC3\xBC\xC3\x9F"
                                     "e",
                                     "\xFF\xC3",
                                     "'a':\t\x01"};
  for (const std::size_t size : {2047U, 2048U, 2049U, 5000U}) values.emplace_back(size, 'x');
  for (const std::string& value : values) {
    for (std::uint8_t told = 0; told < rules.size(); told += 2) {
      const auto shown = [&](std::uint8_t of, std::size_t room) {
        std::vector<std::uint8_t> out(room);
        std::vector<std::uint32_t> counts(rules.size());
        out.resize(
            mask_whole(*setup.program, of, as_bytes(value), out, setup.scratches.back(), counts));
        return std::pair(std::string(as_text(out)), counts[of]);
      };
      for (const std::size_t room : {value.size() + 64, std::size_t{12}}) {
        CHECK(shown(told, room) == shown(static_cast<std::uint8_t>(told + 1), room));
      }
    }
  }
}

TEST_CASE("thousands of short matches fill the edit table and nothing is lost") {
  Setup setup({rule("x", Finder::Kind::regex, "x")});
  std::string body;
  std::string wanted;
  for (int i = 0; i < 20000; ++i) {
    body += "x.";
    wanted += "[redacted].";
  }
  CHECK(mask_in_pieces(setup, BodyKind::text, body, whole()).output == wanted);
  CHECK(mask_in_pieces(setup, BodyKind::json, "[\"" + body + "\"]", whole()).output ==
        "[\"" + wanted + "\"]");
  std::string members = "{\"a\":[0";
  for (int i = 0; i < 20000; ++i) members += ",{\"x\":1}";
  setup.active.reset();
  CHECK(mask_in_pieces(setup, BodyKind::json, members + "]}", whole()).output == members + "]}");
}

TEST_CASE("a pattern set reports each pattern that occurs, once and ascending") {
  const std::vector<Pattern> patterns = {{"a", "needle", false},
                                         {"b", "^GET$", false},
                                         {"c", "union\\s+select", true},
                                         {"d", ".*", false}};
  const auto set = PatternSet::compile(patterns).value();
  Scratch scratch;
  REQUIRE(scratch.prepare(*set).has_value());
  const auto scan = [&](std::string text) {
    const std::size_t size = text.size();
    text.resize(size + 64);
    return hits_of(set->scan(as_bytes(text).first(size), scratch));
  };
  CHECK(scan("needle needle UNION\nSelect") == std::vector<std::uint32_t>{0, 2, 3});
  CHECK(scan("GET") == std::vector<std::uint32_t>{1, 3});
  CHECK(hits_of(set->scan({}, scratch)) == std::vector<std::uint32_t>{3});

  const auto scan_body = [&](std::vector<std::string> pieces, BodyKind kind) {
    std::vector<ByteView> views;
    for (std::string& piece : pieces) {
      const std::size_t size = piece.size();
      piece.resize(size + 64);
      views.push_back(as_bytes(piece).first(size));
    }
    return hits_of(set->scan_body(views, kind, scratch));
  };
  CHECK(scan_body({"nee", "dle"}, BodyKind::text) == std::vector<std::uint32_t>{0, 3});
  CHECK(scan_body({R"({"a":"n\u0065edle"})"}, BodyKind::json) == std::vector<std::uint32_t>{0, 3});
  CHECK(scan_body({"q=UNION+", "SEL%45CT"}, BodyKind::form) == std::vector<std::uint32_t>{2, 3});
  CHECK(scan_body({"q=UNION+SEL%45CT"}, BodyKind::text) == std::vector<std::uint32_t>{3});
  // Encodings within encodings, and escapes that only older servers know.
  const std::vector<std::uint32_t> needle{0, 3};
  CHECK(scan_body({R"({"a":"{\"b\":\"n\\u0065edle\"}"})"}, BodyKind::json) == needle);
  CHECK(scan_body({R"({"a":"{\"b\":\"{\\\"c\\\":\\\"n\\\\u0065edle\\\"}\"}"})"}, BodyKind::json) ==
        needle);
  CHECK(scan_body({"a=%7B%22b%22%3A%22n%5Cu0065edle%22%7D"}, BodyKind::form) == needle);
  CHECK(scan_body({"a=1%2B1&b=%7B%22c%22%3A%22n%5Cu0065edle%22%7D"}, BodyKind::form) == needle);
  CHECK(scan_body({"a=n%u0065edle"}, BodyKind::form) == needle);
  CHECK(PatternSet::compile(std::vector<Pattern>{{"bad", "(", false}})
            .error()
            .message.find("\"bad\"") != std::string::npos);
}

TEST_CASE("the vector and the byte-wise look at raw bytes agree") {
  std::mt19937_64 random(7);
  const std::string_view telling = "{}[],:\"\\ \t\n0189azAZ@+(-./yJIArReE\x1f\x7f\x80";
  for (int round = 0; round < 20000; ++round) {
    std::array<std::uint8_t, block_bytes + trigger_ahead_bytes> bytes;
    for (auto& byte : bytes) {
      byte = static_cast<std::uint8_t>(
          round % 2 == 0 ? random() % 256
                         : static_cast<std::uint8_t>(telling[random() % telling.size()]));
    }
    REQUIRE(json_bytes(bytes.data()) == json_bytes_scalar(bytes.data()));
    REQUIRE(odd_json_bytes(bytes.data()) == odd_json_bytes_scalar(bytes.data()));
    REQUIRE(trigger_bytes(bytes.data()) == trigger_bytes_scalar(bytes.data()));
    REQUIRE(rare_bytes(bytes.data()) == rare_bytes_scalar(bytes.data()));
  }
}

TEST_CASE("each look at blocks, AVX2 and AVX-512, says of every byte what the byte-wise one does") {
  if (usable_isas().back() != Isa::avx512) WARN("SKIPPED for AVX-512: this machine lacks it");
  std::mt19937_64 random(11);
  constexpr std::size_t count = 4;
  const std::string_view telling = "{}[],:\"\\ \t\n\r0189azAZ-./_\x1f\x7f\x80\xa0\xff";
  const std::string_view rare = "@+(eJArR";
  ByteClasses ahead = ahead_classes;
  ahead.widen(trigger_class::quote, {nibble(7) | nibble(0xC), nibble(6) | nibble(3)});
  for (int round = 0; round < 20000; ++round) {
    std::array<std::uint8_t, count * block_bytes + trigger_ahead_bytes> bytes;
    for (auto& byte : bytes) {
      const bool is_rare = round % 4 == 1 && random() % 64 == 0;
      const std::string_view from = is_rare ? rare : telling;
      const auto one = static_cast<std::uint8_t>(from[random() % from.size()]);
      byte = round % 4 == 0 ? static_cast<std::uint8_t>(random()) : one;
    }
    std::array<BlockBits, count> wanted{};
    const std::size_t looked_at = look_at_blocks_scalar(bytes.data(), count, ahead, wanted.data());
    for (const Isa isa : usable_isas()) {
      INFO("instructions " << static_cast<int>(isa));
      std::array<BlockBits, count> found{};
      const std::size_t got = look_at_blocks(isa)(bytes.data(), count, ahead, found.data());
      // One that takes a byte beyond ASCII for another may stop earlier, never later.
      REQUIRE(got <= looked_at);
      const bool is_ascii =
          std::all_of(bytes.begin(), bytes.end(), [](auto b) { return b < 0x80; });
      if (is_ascii) REQUIRE(got == looked_at);
      for (std::size_t i = 0; i < got; ++i) {
        REQUIRE(found[i].odd == wanted[i].odd);
        if (wanted[i].odd == 0) REQUIRE(found[i] == wanted[i]);
      }
    }
  }
}

TEST_CASE("what any finder finds, wherever it stands, triggers that finder") {
  for (const std::string& example : example_texts()) {
    for (std::size_t before = 0; before < 2 * 140; ++before) {
      std::string text = std::string(before / 2, before % 2 == 0 ? '_' : ' ') + example;
      const std::size_t size = text.size();
      text.resize(size + readable_tail_bytes, '4');
      Window window;
      window.bytes = as_bytes(text).data();
      window.size = size;
      window.set_horizon();
      const BuiltinSet triggered = may_match(as_bytes(text).first(size));
      for (unsigned b = 0; b < builtin_names_table.size(); ++b) {
        MatchTable matches;
        find_builtin(static_cast<Builtin>(b), window, matches);
        INFO(builtin_names_table[b] << " in " << text);
        if (!matches.is_empty()) CHECK((triggered >> b & 1U) == 1);
      }
    }
  }
}

TEST_CASE("a plain string is reported with its end, an odd one is not") {
  const auto look = [](std::string text) {
    const std::size_t size = text.size();
    text.resize(size + readable_tail_bytes, '"');
    return plain_string_size(as_bytes(text).first(size));
  };
  CHECK(look(R"(abc":1})") == 3U);
  CHECK(look(std::string(200, 'x') + "\"") == 200U);
  CHECK(look("\"") == 0U);
  CHECK_FALSE(look("abc"));
  CHECK_FALSE(look(R"(a\"b")"));
  CHECK_FALSE(look("\xc3\xa9\""));
  CHECK_FALSE(look("\t\""));
}
