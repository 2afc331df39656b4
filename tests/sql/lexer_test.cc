#include "sql/lexer.h"

#include <fmt/format.h>

#include <array>
#include <catch2/catch.hpp>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "guarded_bytes.h"
#include "server_scan.h"

using namespace sluice;
using namespace sluice::sql;
using sluice::sql::testing::difference;

namespace {

constexpr std::array<std::string_view, 17> kinds{
    "end",    "error", "word", "quoted",  "uword",   "string", "estring", "ustring", "nstring",
    "dollar", "bits",  "hex",  "integer", "decimal", "param",  "op",      "punct"};

std::string tokens_of(std::string_view text, LexerOptions options = {}) {
  std::string line;
  Lexer lexer(text, options);
  for (;;) {
    const Token token = lexer.next();
    if (token.kind == TokenKind::end) return line;
    if (!line.empty()) line.push_back(' ');
    line.append(fmt::format("{}:{}", kinds[static_cast<std::size_t>(token.kind)], token.text));
  }
}

struct Row {
  std::string_view text;
  std::string_view tokens;
};

}  // namespace

TEST_CASE("A text is cut as the manual says") {
  const Row rows[] = {
      {"", ""},
      {" \t\r\n\f", ""},
      {"select 1", "word:select integer:1"},
      {"a--b\nc", "word:a word:c"},
      {"a--b\rc", "word:a word:c"},
      {"a/*b/*c*/d*/e", "word:a word:e"},
      {"a/*b/*c*/d", "word:a error:/*b/*c*/d"},
      {"/*/*/ */*/", ""},
      {"/*/", "error:/*/"},
      {"'it''s'", "string:'it''s'"},
      {"'a\\'", "string:'a\\'"},
      {"'a' 'b'", "string:'a' string:'b'"},
      {"'a'\n'b'", "string:'a'\n'b'"},
      {"'a' -- x\n  -- y\n 'b'", "string:'a' -- x\n  -- y\n 'b'"},
      {"'a' /* x\n */ 'b'", "string:'a' string:'b'"},
      {"'a'\n--x", "string:'a'"},
      {"'a'\n--x\n;", "string:'a' punct:;"},
      {"'a", "error:'a"},
      {"E'a\\'b'", "estring:E'a\\'b'"},
      {"e'a''b\\\\'", "estring:e'a''b\\\\'"},
      {"E'a\\", "error:E'a\\"},
      {"E'a'\n'b\\'c'", "estring:E'a'\n'b\\'c'"},
      {"U&'d\\0061' UESCAPE '!'", "ustring:U&'d\\0061' word:UESCAPE string:'!'"},
      {"u&\"a\"\"b\"", "uword:u&\"a\"\"b\""},
      {"U & 'a'", "word:U op:& string:'a'"},
      {"U&a", "word:U op:& word:a"},
      {"B'01''1'", "bits:B'01' string:'1'"},
      {"x'1F'", "hex:x'1F'"},
      {"N'a'", "nstring:N'a'"},
      {"n 'a'", "word:n string:'a'"},
      {"$$a'$b$$", "dollar:$$a'$b$$"},
      {"$a$ $$ $b$ $a$", "dollar:$a$ $$ $b$ $a$"},
      {"$a$x$a", "error:$a$x$a"},
      {"$1$2", "param:$1 param:$2"},
      {"$1a", "error:$1a"},
      {"a$1", "word:a$1"},
      {"a$b$c$b$", "word:a$b$c$b$"},
      {"$", "error:$"},
      {"$é$x$é$", "dollar:$é$x$é$"},
      {"\"A\"\"b\"", "quoted:\"A\"\"b\""},
      {"\"\"", "error:\"\""},
      {"\"a", "error:\"a"},
      {"été_1", "word:été_1"},
      {"1 1.5 .5 1. 1e5 1.e-5 1E+5",
       "integer:1 decimal:1.5 decimal:.5 decimal:1. decimal:1e5 "
       "decimal:1.e-5 decimal:1E+5"},
      {"1..10", "integer:1 punct:.. integer:10"},
      {"1...5", "integer:1 punct:.. decimal:.5"},
      {"1.5.5", "decimal:1.5 decimal:.5"},
      {"1e", "error:1e"},
      {"1e+", "error:1e+"},
      {"1a", "error:1a"},
      {"0x1F", "error:0x1F"},
      {"1.5a", "error:1.5a"},
      {"1e5a", "error:1e5a"},
      {"1_000", "error:1_000"},
      {"a+-1", "word:a op:+ op:- integer:1"},
      {"a*-1", "word:a op:* op:- integer:1"},
      {"a@-1", "word:a op:@- integer:1"},
      {"a<--1", "word:a op:<"},
      {"a+/*x*/b", "word:a op:+ word:b"},
      {"a@/*x*/-b", "word:a op:@ op:- word:b"},
      {"a=>b", "word:a punct:=> word:b"},
      {"a>=b<=c<>d!=e", "word:a op:>= word:b op:<= word:c op:<> word:d op:!= word:e"},
      {"a=>>b", "word:a op:=>> word:b"},
      {"a->>'b'", "word:a op:->> string:'b'"},
      {"a::b:=c:d", "word:a punct::: word:b punct::= word:c punct:: word:d"},
      {"a.b.*;", "word:a punct:. word:b punct:. op:* punct:;"},
      {"a[1]", "word:a punct:[ integer:1 punct:]"},
      {"{", "error:{"},
      {"\\", "error:\\"},
      {"a \x01", "word:a error:\x01"},
      {"a \xC3", "word:a error:\xC3"},
      {"'\xC0\x80'", "error:'\xC0\x80'"},
      {"'\xED\xA0\x80'", "error:'\xED\xA0\x80'"},
      {"'\xF4\x90\x80\x80'", "error:'\xF4\x90\x80\x80'"},
      {std::string_view("a\0b", 3), std::string_view("word:a error:\0b", 15)},
      {std::string_view("'\0'", 3), std::string_view("error:'\0'", 9)},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    CHECK(tokens_of(row.text) == row.tokens);
    CHECK(difference(std::string(row.text)) == "");
  }
}

TEST_CASE("Without standard_conforming_strings a backslash escapes in every string") {
  const LexerOptions off{.standard_conforming_strings = false};
  CHECK(tokens_of("'a\\'b' c", off) == "string:'a\\'b' word:c");
  CHECK(tokens_of("N'a\\'b'", off) == "nstring:N'a\\'b'");
  CHECK(tokens_of("$$a\\$$", off) == "dollar:$$a\\$$");
  CHECK(tokens_of("B'0' \"a\\\"", off) == "bits:B'0' quoted:\"a\\\"");
  CHECK(tokens_of("U&'a'", off) == "error:U&'a'");
  CHECK(tokens_of("U&\"a\"", off) == "uword:U&\"a\"");
}

TEST_CASE("An operator may be as long as a name") {
  const std::string longest(63, '<');
  CHECK(tokens_of(longest) == "op:" + longest);
  CHECK(tokens_of(longest + "<") == "error:" + longest + "<");
}

TEST_CASE("Tokens name their place") {
  Lexer lexer("  a /* b */ 'c'");
  CHECK(lexer.next().offset == 2);
  CHECK(lexer.next().offset == 12);
  CHECK(lexer.next().kind == TokenKind::end);
  CHECK(lexer.next().kind == TokenKind::end);
}

TEST_CASE("A word stands for the name that the server makes of it") {
  const auto name = [](std::string_view text, char escape = '\\') -> std::string {
    Lexer lexer(text);
    const std::optional<Name> found = name_of(lexer.next(), escape);
    return found ? std::string(found->view()) : "none";
  };
  CHECK(name("SeLeCt") == "select");
  CHECK(name("ÉTÉ") == "ÉtÉ");
  CHECK(name("\"A\"\"b\"") == "A\"b");
  CHECK(name("U&\"d\\0061t\\+000061\"") == "data");
  CHECK(name("U&\"d!0061t\\\"", '!') == "dat\\");
  CHECK(name("U&\"a\\\\b\"\"c\"") == "a\\b\"c");
  CHECK(name("U&\"\\D83D\\DE00\"") == "😀");
  CHECK(name("U&\"\\D83D\"") == "none");
  CHECK(name("U&\"\\DE00\"") == "none");
  CHECK(name("U&\"\\D83Dx\"") == "none");
  CHECK(name("U&\"\\0000\"") == "none");
  CHECK(name("U&\"\\00G1\"") == "none");
  CHECK(name("U&\"\\006\"") == "none");
  CHECK(name("'a'") == "none");
  CHECK(name(std::string(70, 'A')) == std::string(63, 'a'));
  CHECK(name(std::string(63, 'A')) == std::string(63, 'a'));
  // Never half a character.
  CHECK(name("a" + std::string("éééééééééééééééééééééééééééééééé")) ==
        "a" + std::string("ééééééééééééééééééééééééééééééé"));
}

TEST_CASE("Our tokens are the server's, on texts put together at random") {
  const std::vector<std::string> pieces{
      "select", "'a'",   "'b''c'", "E'\\'x'", "$$y$$", "$t$z$t$", "\"Q\"",       "U&\"u\"", "U&'v'",
      "B'01'",  "x'ff'", "N'n'",   "1",       "2.5",   ".5",      "1e3",         "..",      ".",
      "$1",     "+",     "-",      "*",       "/",     "<",       ">",           "=",       "@",
      "!",      "~",     "?",      "|",       "&",     "#",       "^",           "%",       "`",
      "::",     ":",     ":=",     "=>",      "(",     ")",       "[",           "]",       ",",
      ";",      " ",     "\n",     "\t",      "--c\n", "/*d*/",   "/*e/*f*/g*/", "é",       "_",
      "$",      "\\",    "'",      "\"",      "--",    "/*",      "*/",          "a",       "E",
      "U&",     "e",     "0x1"};
  std::mt19937 random(20261121);
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    const std::size_t size = 1 + random() % 8;
    for (std::size_t i = 0; i < size; ++i) text += pieces[random() % pieces.size()];
    const std::string found = difference(text);
    if (!found.empty()) FAIL(fmt::format("{}: {}", text, found));
  }
}

TEST_CASE("The lexer never reads past its text") {
  const std::string text =
      "select 'a' -- b\n 'c', E'\\'', $t$x$t$, U&\"d\", 1.5e3 /* e */ <= .5 $1 N'f'";
  sluice::testing::GuardedBytes guarded(text.size());
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const std::string_view part = as_text(guarded.hold(as_bytes(text).first(size)));
    Lexer lexer(part);
    std::size_t end = 0;
    for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
      CHECK(token.offset >= end);
      end = token.offset + token.text.size();
      CHECK(end <= size);
    }
  }
}
