// The streaming masker against the naive one: same bytes, whatever the split.
#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "bodies.h"
#include "masking.h"
#include "naive_masker.h"

using namespace sluice;
using namespace sluice::matcher;
using namespace sluice::testing;

namespace {

/// Where two outputs part, with what surrounds it.
std::string difference(const std::string& got, const std::string& wanted) {
  const auto [a, b] = std::mismatch(got.begin(), got.end(), wanted.begin(), wanted.end());
  const auto at = static_cast<std::size_t>(a - got.begin());
  const std::size_t from = at < 60 ? 0 : at - 60;
  return fmt::format("at {}: got …{}… wanted …{}…", at, got.substr(from, 160),
                     wanted.substr(std::min(from, wanted.size()), 160));
}

void check(const Masked& got, const NaiveResult& wanted) {
  REQUIRE(got.is_malformed == wanted.is_malformed);
  if (got.output != wanted.output) FAIL(difference(got.output, wanted.output));
  if (!wanted.is_malformed) REQUIRE(got.counts == wanted.counts);
}

void compare(Setup& setup, BodyKind kind, const std::string& body, const Cut& cut) {
  const NaiveResult wanted = naive_mask(setup.rules, setup.active, kind, body, setup.key);
  check(mask_in_pieces(setup, kind, body, cut), wanted);
}

void compare_every_split(Setup& setup, BodyKind kind, const std::string& body) {
  INFO("body: " << body);
  const NaiveResult wanted = naive_mask(setup.rules, setup.active, kind, body, setup.key);
  check(mask_in_pieces(setup, kind, body, whole()), wanted);
  check(mask_in_pieces(setup, kind, body, pieces_of(1)), wanted);
  for (std::size_t first = 1; first < body.size(); ++first) {
    INFO("split at " << first);
    check(mask_in_pieces(setup, kind, body, in_two(first)), wanted);
  }
}

}  // namespace

TEST_CASE("every split of every example gives what the naive masker gives") {
  Setup setup(mixed_rules());
  for (const std::string& body : example_texts()) {
    compare_every_split(setup, BodyKind::text, body);
    compare_every_split(setup, BodyKind::form, body);
    compare_every_split(setup, BodyKind::form, "pan=" + body + "&x=1&" + body);
  }
  for (const std::string& body : example_json()) compare_every_split(setup, BodyKind::json, body);
}

TEST_CASE("random bodies in random pieces give what the naive masker gives") {
  Setup mixed(mixed_rules());
  Setup builtins(all_builtins());
  auto rules = mixed_rules();
  std::erase_if(rules, [](const MaskRule& rule) { return rule.name == "edges"; });
  Setup without_edges(rules);
  const auto seeds = GENERATE(range(0U, 60U));
  INFO("seed " << seeds);
  BodyMaker maker(seeds);
  for (Setup* setup : {&mixed, &builtins, &without_edges}) {
    for (const std::size_t most : {std::size_t{3}, std::size_t{40}, std::size_t{5000}}) {
      compare(*setup, BodyKind::json, maker.json(2000), random_pieces(seeds + most, most));
      compare(*setup, BodyKind::form, maker.form(1500), random_pieces(seeds + most, most));
      compare(*setup, BodyKind::text, maker.text(1500), random_pieces(seeds + most, most));
    }
  }
}

TEST_CASE("long JSON with many names in paths gives what the naive masker gives") {
  auto rules = all_builtins();
  for (const auto* path : {"$..cvc", "$.card.number", "$.items[*].pan", "$..b.secret"}) {
    rules.push_back(rule(path, Finder::Kind::json_path, path));
  }
  Setup setup(rules);
  const auto seed = GENERATE(range(0U, 60U));
  INFO("seed " << seed);
  BodyMaker maker(2000 + seed);
  const std::string body = maker.long_json(20'000);
  compare(setup, BodyKind::json, body, whole());
  compare(setup, BodyKind::json, body, random_pieces(seed, 5000));
}

TEST_CASE("values longer than any window give what the naive masker gives") {
  Setup setup(mixed_rules());
  const auto seed = GENERATE(range(0U, 12U));
  INFO("seed " << seed);
  BodyMaker maker(1000 + seed);
  for (const std::size_t size : {std::size_t{4000}, std::size_t{9000}, std::size_t{20000}}) {
    const std::string text = maker.text(size);
    compare(setup, BodyKind::text, text, random_pieces(seed, 6000));
    compare(setup, BodyKind::text, text, whole());
    compare(setup, BodyKind::json, "[" + maker.json_string(size, true) + "]",
            random_pieces(seed, 6000));
    compare(setup, BodyKind::json, "{\"pan\":" + maker.json_string(size, false) + "}",
            random_pieces(seed, 700));
    compare(setup, BodyKind::form, "a=" + maker.form_text(size) + "&pan=" + maker.form_text(size),
            random_pieces(seed, 900));
  }
}

TEST_CASE("what triggers is masked once, wherever in a block of JSON it lies") {
  Setup setup(all_builtins());
  const std::vector<std::string> values = {
      "4111111111111111 , \n 41111111111 ",
      R"("4111 1111 1111 1111" , "to joe@example.com, +49 30 1234567 and ::1:2:3 ")",
      R"({"GB82WEST12345698765432" : "10.0.0.1"} )",
      R"("Bearer abc123==" , "AKIAIOSFODNN7EXAMPLE" , "2026-11-21 10:15:30" )",
      R"("a@b.co\t4111111111111111" , -0.5e1 )",
  };
  for (const std::string& value : values) {
    for (std::size_t before = 0; before < 2 * 64 + 2; ++before) {
      const std::string body =
          R"({"a":[")" + std::string(before, 'x') + "\"," + value + "]}\n[" + value + "]";
      INFO(body);
      compare(setup, BodyKind::json, body, whole());
    }
  }
}

TEST_CASE("plain JSON is read or refused, and its names are found, wherever in a block it lies") {
  auto rules = all_builtins();
  rules.push_back({"cvc", {{Finder::Kind::json_path, "$..cvc"}}, {}});
  rules.push_back({"pan", {{Finder::Kind::json_path, "$.a.b.pan"}}, {}});
  Setup setup(rules);
  const std::vector<std::string> values = {"0",
                                           "-12.50",
                                           "1299",
                                           "0.5",
                                           "1e9",
                                           "true",
                                           "null",
                                           "false",
                                           "01",
                                           "-01",
                                           "12/50",
                                           "1.",
                                           ".5",
                                           "-",
                                           "1..2",
                                           "--1",
                                           "nul",
                                           "nulls",
                                           "truE",
                                           "falsy",
                                           "[]",
                                           "{}",
                                           "[[],{}]",
                                           "{]",
                                           "[}",
                                           "[1 2]",
                                           "[,1]",
                                           R"({"x" 1})",
                                           R"({1:2})",
                                           R"({"x":1,})",
                                           R"(["x":1])",
                                           "1,",
                                           "\"x\"y",
                                           "[{}}",
                                           "{]",
                                           R"({"x":[{}]})",
                                           R"({"cvc":{"x":1},"y":{"cvc":[1]}})",
                                           R"({"cvc":"1","x":"cvc"})",
                                           R"({ "cvc" : "1" , "x" : "cvc" })",
                                           "{\"cvc\"\n:\"1\"}",
                                           "{\r\n\t\"cvc\"\t:\n\"1\"\r\n}",
                                           "{\"x\":{\"cvc\" \r\n\t : \t\r\n \"1\"}}",
                                           "{\"cvc\"\v:\"1\"}",
                                           "{\"cvc\"\n\"1\"}"};
  for (const std::string& value : values) {
    for (std::size_t before = 0; before < 2 * 64 + 2; before += 3) {
      const std::string body = R"({"a":{"k":[")" + std::string(before, 'x') + "\"," + value +
                               R"(,{"pan":"12"}],"b":{"pan":"34","c":{"pan":5}}},"cvc":6}[7])";
      INFO(body);
      compare(setup, BodyKind::json, body, whole());
    }
  }
}

TEST_CASE("JSON with one byte changed is read or refused as the naive masker does") {
  auto rules = all_builtins();
  rules.push_back(rule("name", Finder::Kind::json_path, "$..name"));
  rules.push_back(rule("list", Finder::Kind::json_path, "$..list[1]"));
  Setup setup(rules);
  const auto seed = GENERATE(range(0U, 20U));
  INFO("seed " << seed);
  constexpr std::string_view telling = "{}[],:\"\\ \n-0e.t\x01\x80";
  std::mt19937_64 random(seed);
  BodyMaker maker(seed);
  std::string plain;
  for (int i = 0; i < 12; ++i) {
    plain += R"({"id":)" + std::to_string(random() % 100000) +
             R"(, "ok":true,"list":[1,2.5e3,[],{},"x"],"name":"some plain words"})" + "\n";
  }
  for (const std::string& body : {plain, maker.json(600)}) {
    for (int i = 0; i < 100; ++i) {
      std::string changed = body;
      changed[random() % changed.size()] = telling[random() % telling.size()];
      INFO(changed);
      compare(setup, BodyKind::json, changed, whole());
      compare(setup, BodyKind::json, changed, random_pieces(seed, 300));
    }
  }
}
