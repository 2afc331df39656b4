#include "sql/shape.h"

#include <array>
#include <catch2/catch.hpp>
#include <string>

using namespace sluice;
using namespace sluice::sql;

namespace {

constexpr FingerprintKey key(1, 2);

Shape shape(std::string_view text, LexerOptions options = {}) {
  return shape_of(text, key, options);
}

std::string normal(std::string_view text, std::size_t room = 4096) {
  std::string out(room, '#');
  out.resize(normalise(text, out).size);
  return out;
}

}  // namespace

TEST_CASE("Texts that differ in what does not count have one shape") {
  const std::array<std::string_view, 2> pairs[] = {
      {"select 1", "SELECT 1"},
      {"select 1", "select/*x*/1--y"},
      {"select a from T", "select a\n\tfrom t"},
      {"select 1", "select 22"},
      {"select 'a'", "select 'b''c'"},
      {"select 'a'", "select E'b'"},
      {"select 'a'", "select $$b$$"},
      {"select 'a'", "select U&'b'"},
      {"select b'1'", "select B'0'"},
      {"select 1.5", "select 1e9"},
      {"select * from t where a in (1,2)", "select * from t where a in (1,2,'x',4)"},
      {"insert into t values (1,'a'),(2,'b')",
       "insert into t values (1,'a'),(3,null),(-4,default)"},
      {"insert into t values (f(1)),(2)", "insert into t values (f(1)),(2),(3)"},
      {"select a;", "select A ; "},
      {"select u&\"x\"", "select U&\"x\""},
  };
  for (const auto& [one, other] : pairs) {
    INFO(one << "  |  " << other);
    CHECK(shape(one).shape == shape(other).shape);
    CHECK(normal(one) == normal(other));
  }
}

TEST_CASE("Texts that may do different things have different shapes") {
  const std::array<std::string_view, 2> pairs[] = {
      {"select a", "select b"},
      {"select a", "select \"a\""},
      {"select \"a\"", "select \"A\""},
      {"select ab", "select a b"},
      {"select a", "select a, a"},
      {"select 1", "select '1'"},
      {"select 1", "select 1.0"},
      {"select 1", "select $1"},
      {"select $1", "select $2"},
      {"select 'a'", "select N'a'"},
      {"select b'1'", "select x'1'"},
      {"select 1", "select null"},
      {"select true", "select false"},
      {"select 1", "select -1"},
      {"select 1", "select 1;"},
      {"select 1,2", "select 1,2,3"},
      {"select f(1)", "select f(1,2)"},
      {"select a in (1)", "select a in (1,b)"},
      {"values (1)", "values (1,2)"},
      {"insert into t values (1),(2)", "insert into t values (1),(f())"},
      // Behind a dot IN and VALUES are names, and no list follows them.
      {"select t.values, (1)", "select t.values, (1), (2)"},
      {"select t.values(1)", "select t.values(1), (2)"},
      {"select 1 as values, (1)", "select 1 as values, (1), (2)"},
      {"select * from (values (1)) v(a), (select 1)",
       "select * from (values (1)) v(a), (select 1), (select 2)"},
      {"select U&\"d!0061\" uescape '!'", "select U&\"d!0061\" uescape '?'"},
      {"select U&\"d\\0061\"", "select U&\"d\\0062\""},
      {"select a->b", "select a->>b"},
      {"select a - b", "select a -b.c"},
  };
  for (const auto& [one, other] : pairs) {
    INFO(one << "  |  " << other);
    CHECK(shape(one).shape != shape(other).shape);
  }
}

TEST_CASE("A shape depends on its key and on the session's strings") {
  CHECK(shape_of("select 1", FingerprintKey(1, 3)).shape != shape("select 1").shape);
  CHECK(shape("select 'a'", {.standard_conforming_strings = false}).shape !=
        shape("select 'a'").shape);
}

TEST_CASE("A shape counts statements and names the first word") {
  CHECK(shape("").statements == 0);
  CHECK(shape(" ; ;; ").statements == 0);
  CHECK(shape("select 1").statements == 1);
  CHECK(shape(";select 1;;").statements == 1);
  CHECK(shape("select 1; update t set a=1").statements == 2);
  CHECK(shape("select ';'; 1").statements == 2);
  CHECK(shape("/* x */ ; ((SELECT 1))").first_word == "SELECT");
  CHECK(shape("1 select").first_word.empty());
  CHECK_FALSE(shape("select 1").is_malformed);
  CHECK(shape("select 'a").is_malformed);
}

TEST_CASE("A normalised text has no constant, no comment and one spelling") {
  const std::array<std::string_view, 2> rows[] = {
      {"", ""},
      {"SELECT  *\nFROM \"T\" -- secret\nWHERE a='secret'", "select * from \"T\" where a = ?"},
      {"select count(*),f( a ) , t . b", "select count(*), f(a), t.b"},
      {"select a[1], (b)::int, x::numeric(1,2)", "select a[?], (b)::int, x::numeric(?, ?)"},
      {"insert into t(a,b)values(1,'x'),(2,'y')", "insert into t(a, b) values (?, ?), ..."},
      {"select 1 where a in (1,2,3)and b in($1,2)",
       "select ? where a in (?, ...) and b in ($1, ?)"},
      {"alter role bob password 'secret'", "alter role bob password ?"},
      {"do $$ secret $$", "do ?"},
      {"select -1, 1-1, a@-1", "select - ?, ? - ?, a @- ?"},
      {"select 1;select 2", "select ?; select ?"},
      {"select U&\"A\", U&'secret' uescape '!'", "select u&\"A\", ? uescape ?"},
      {"select 'secret", "select <malformed>"},
      {"'secret", "<malformed>"},
  };
  for (const auto& [text, expected] : rows) {
    INFO(text);
    CHECK(normal(text) == expected);
  }
}

TEST_CASE("A normalised text is cut between tokens and says so") {
  const std::string text = "select aaaaaaaaaa, bbbbbbbbbb, cccccccccc, dddddddddd, eeeeeeeeee";
  for (std::size_t room = normalised_bytes_min; room < 100; ++room) {
    std::string out(room, '#');
    const Normalised result = normalise(text, out);
    REQUIRE(result.size <= room);
    out.resize(result.size);
    if (result.is_cut) {
      CHECK(out.ends_with(cut_mark));
      CHECK(text.starts_with(out.substr(0, out.size() - cut_mark.size())));
    } else {
      CHECK(out == text);
    }
  }
  CHECK(normal(text, 70).ends_with("…"));
  CHECK(normal(text, 100) == text);
}
