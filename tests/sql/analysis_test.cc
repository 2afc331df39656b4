#include "sql/analysis.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "analysis_cases.h"
#include "describe.h"
#include "sql/shape.h"

using namespace sluice;
using namespace sluice::sql;
using namespace sluice::sql::testing;

TEST_CASE("An analysis says what a text does") {
  const std::vector<Case> cases = analysis_cases();
  REQUIRE(cases.size() >= 190);
  for (const Case& one : cases) {
    INFO(one.text);
    const Result<Analysis> analysis = analyse(one.text);
    const bool literals_matter = analysis && analysis->literals_matter;
    CHECK(fmt::format("{}{}", described(analysis), literals_matter ? " literals" : "") ==
          one.expected);
  }
}

TEST_CASE("What only the statement's own RETURNING reads is told apart") {
  const auto only_returned = [](std::string_view text) {
    const auto analysis = analyse(text);
    REQUIRE(analysis);
    std::string columns;
    for (const ColumnUse& use : analysis->statements[0].columns) {
      if (!use.is_only_returned) continue;
      CHECK(use.is_read);
      columns += fmt::format("{}{}", columns.empty() ? "" : " ", described(use.column));
    }
    return columns;
  };
  CHECK(only_returned("update t set a = 1 where b = 2 returning ssn, a, b") == "t/a t/ssn");
  CHECK(only_returned("insert into t (a) values (1) returning *") == "t/*");
  CHECK(only_returned("delete from t returning ssn || ''") == "t/ssn");
  // What flows elsewhere, or may, is not.
  CHECK(only_returned("update t set a = ssn returning ssn").empty());
  CHECK(only_returned("update t set a = 1 returning (select max(ssn) from t)").empty());
  CHECK(only_returned("with d as (update t set a = 1 returning ssn) insert into u select * from d")
            .empty());
  CHECK(only_returned("with d as (insert into u select ssn from t returning 1) update v set a = 1 "
                      "returning (select count(*) from d)")
            .empty());
  CHECK(only_returned("insert into u select ssn from t returning a") == "u/a");
  CHECK(only_returned("select ssn from t").empty());
  CHECK(only_returned("prepare p as update t set a = 1 returning ssn").empty());
}

namespace {

/// The tokens of a text, written again with other blanks; constants can be exchanged.
std::string rewritten(std::string_view text, bool other_blanks, bool other_constants) {
  std::string result;
  Lexer lexer(text);
  bool is_behind_uescape = false;
  std::size_t end = 0;
  for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
    const bool is_exchanged = other_constants && !is_behind_uescape;
    const bool is_string = token.kind == TokenKind::string;
    if (other_blanks) {
      result += token.offset % 2 == 0 ? "\n/* ' -- \" */ " : " -- it's\n\t/**/";
    } else {
      result.append(text.substr(end, token.offset - end));
    }
    end = token.offset + token.text.size();
    if (is_exchanged && token.kind == TokenKind::integer) {
      result += "77";
    } else if (is_exchanged && is_string) {
      result += "'another'";
    } else if (other_blanks && token.kind == TokenKind::word) {
      for (const char c : token.text) {
        const bool is_lower = c >= 'a' && c <= 'z';
        result.push_back(is_lower ? static_cast<char>(c - 0x20) : c);
      }
    } else {
      result += token.text;
    }
    is_behind_uescape = token.is_word("uescape");
  }
  return result;
}

void forget_limits(std::vector<Statement>& statements) {
  for (Statement& statement : statements) {
    statement.row_limit.reset();
    forget_limits(statement.inner);
  }
}

std::string repeated(std::string_view piece, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += piece;
  return text;
}

}  // namespace

TEST_CASE("Blanks, comments and the case of words change neither shape nor analysis") {
  const FingerprintKey key(5, 6);
  for (const Case& one : analysis_cases()) {
    const std::string other = rewritten(one.text, true, false);
    INFO(other);
    CHECK(shape_of(other, key).shape == shape_of(one.text, key).shape);
    const Result<Analysis> first = analyse(one.text);
    const Result<Analysis> second = analyse(other);
    REQUIRE(first.has_value() == second.has_value());
    if (first) CHECK(described(first) == described(second));
  }
}

TEST_CASE("Where no literal matters, one shape has one analysis") {
  const FingerprintKey key(5, 6);
  std::size_t compared = 0;
  for (const Case& one : analysis_cases()) {
    const std::string other = rewritten(one.text, false, true);
    INFO(other);
    REQUIRE(shape_of(other, key).shape == shape_of(one.text, key).shape);
    Result<Analysis> first = analyse(one.text);
    Result<Analysis> second = analyse(other);
    if (!first || !second || first->literals_matter) continue;
    CHECK_FALSE(second->literals_matter);
    forget_limits(first->statements);
    forget_limits(second->statements);
    CHECK(described(first) == described(second));
    ++compared;
  }
  CHECK(compared >= 100);
}

TEST_CASE("Without standard_conforming_strings the analysis reads strings as the session does") {
  const LexerOptions off{.standard_conforming_strings = false};
  CHECK(analyse("select a from t where b = 'x\\' or c = 'y'"));
  CHECK_FALSE(analyse("select a from t where b = 'x\\' or c = 'y'", off));
  CHECK(described(analyse("select 'a\\', b from t")) == "select: t(r) | t/b | | ?column?~ b=t/b |");
  CHECK(described(analyse("select'a\\', b from t'", off)) == "select: | | | ?column?~ |");
  CHECK_FALSE(analyse("select N'a\\''", off));
  const std::string text = "select '\\';'; select b";
  const Result<Analysis> two = analyse(text, off);
  REQUIRE(two);
  REQUIRE(two->statements.size() == 2);
  const Statement& second = two->statements[1];
  CHECK(text.substr(second.offset, second.size).ends_with("select b"));
  CHECK(second.offset >= text.find("; s") + 1);
}

TEST_CASE("A hostile text is refused before it costs stack or memory") {
  std::vector<std::string> texts;
  for (const std::size_t times : {100U, 450U, 1900U, 5000U, 100000U}) {
    const auto nest = [&](std::string_view open, std::string_view close) {
      texts.push_back("select " + repeated(open, times) + "1" + repeated(close, times));
    };
    nest("(", ")");
    nest("f(", ")");
    nest("array[", "]");
    nest("(select ", ")");
    nest("1+", "");
    nest("- ", "");
    nest("not ", "");
    nest("", "::int");
    nest("", " is null");
    nest("", " collate \"C\"");
    nest("", " union select 1");
    nest("case when true then ", " end");
    texts.push_back("select 1 from a" + repeated(" join b on true", times));
    texts.push_back("select 1 from " + repeated("(select * from ", times) + "a" +
                    repeated(") x", times));
  }
  // Assignments that the parse tree would repeat 20 to the power of 20 times.
  std::string columns = "a";
  for (int i = 0; i < 20; ++i) columns += ", a";
  texts.push_back("update t " + repeated("set (" + columns + ") = (select 1 from (update t ", 20));
  texts.push_back("update t set (" + columns + ") = (" +
                  repeated("select (" + columns + ") = (", 20) + "1" + repeated(")", 20) + ")");
  // Columns that double with each level.
  std::string doubled = "select 1 as c";
  for (int i = 0; i < 30; ++i) doubled = "select x.*, x.* from (" + doubled + ") x";
  texts.push_back(doubled);

  std::size_t analysed = 0;
  std::thread([&] {
    for (const std::string& text : texts) {
      if (analyse(text)) ++analysed;
    }
  }).join();
  CHECK(analysed >= 20);
  CHECK(analysed < texts.size());
  CHECK_FALSE(analyse(doubled));
  CHECK_FALSE(analyse("select 1", {}, {.text_bytes_max = 7}));
  CHECK(analyse("select 1", {}, {.text_bytes_max = 8}));
}
