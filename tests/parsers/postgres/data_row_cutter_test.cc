#include "parsers/postgres/data_row_cutter.h"

#include <catch2/catch.hpp>

#include "cases.h"

using namespace sluice;
using namespace sluice::postgres;
using namespace sluice::testing;

namespace {

/// The steps of one row, its header included, under every split.
std::string cut(std::string_view body, std::string_view behind = {}) {
  PostgresAdapter::Options options;
  options.side = Side::backend;
  options.cuts_rows = true;
  return steps_of(message('D', body).append(behind), options);
}

}  // namespace

TEST_CASE("a row is cut into its values wherever reads split it") {
  CHECK(cut(u16(3) + value("abc") + null_value() + value("")) ==
        "\nrow\ndata <0:3:abc><1:null:><2:0:>\nend 3\nclose: between messages");
  CHECK(cut(u16(0)) == "\nrow\nend 0\nclose: between messages");
  CHECK(cut(u16(1) + value(std::string(70, 'x')), message('Z', "I")) ==
        "\nrow\ndata <0:70:" + std::string(70, 'x') +
            ">\nend 1\nReadyForQuery I\nclose: between messages");
}

TEST_CASE("a stream may end inside a row") {
  PostgresAdapter::Options options;
  options.side = Side::backend;
  options.cuts_rows = true;
  const std::string row = message('D', u16(1) + value("abc"));
  CHECK(steps_of(row.substr(0, row.size() - 1), options) ==
        "\nrow\ndata <0:3:ab\nclose: inside a row");
  CHECK(steps_of(row, options) == "\nrow\ndata <0:3:abc>\nend 1\nclose: between messages");
}

TEST_CASE("a cut row is refused for what a whole one is refused for") {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {u16(1), "\nmalformed bad_count"},
      {u16(65535) + value("abc"), "\nmalformed bad_count"},
      {u16(2) + value("abcd"), "\ndata <0:4:abcd>\nmalformed truncated"},
      {u16(2) + value("abc") + "\x01", "\ndata <0:3:abc>\nmalformed truncated"},
      {u16(1) + u32(4) + "abc", "\nmalformed truncated"},
      {u16(1) + u32(0x7FFFFFFF) + "abc", "\nmalformed truncated"},
      {u16(1) + u32(0xFFFFFFFE), "\nmalformed bad_value_length"},
      {u16(1) + u32(0x80000000), "\nmalformed bad_value_length"},
      {u16(1) + value("a") + "x", "\ndata <0:1:a>\nmalformed trailing_bytes"},
      {u16(0) + "x", "\nmalformed trailing_bytes"},
  };
  for (const auto& [body, steps] : bad) {
    CAPTURE(body);
    CHECK(cut(body) == "\nrow" + steps);
    CHECK(cut(body, message('Z', "I")) == "\nrow" + steps);
    const std::string whole = read(BackendType::data_row, body);
    CHECK(steps.ends_with("\n" + whole));
  }
}

TEST_CASE("a row that a header could never announce is refused too") {
  for (std::uint32_t size = 0; size < 2; ++size) {
    DataRowCutter cutter;
    cutter.start(size);
    const RowStep step = cutter.decode(as_bytes("abcdef"));
    CHECK(step.kind == RowStep::Kind::malformed);
    CHECK(step.fault == Fault::truncated);
  }
}

TEST_CASE("a value larger than any buffer passes in pieces, none of them kept") {
  constexpr std::uint32_t value_bytes = 1U << 29;
  const std::string head = u16(2) + u32(value_bytes);
  const std::string tail = value("z");
  DataRowCutter cutter;
  cutter.start(static_cast<std::uint32_t>(head.size() + value_bytes + tail.size()));
  CHECK(cutter.decode(as_bytes(head)).kind == RowStep::Kind::needs_more);
  const std::string block(1U << 16, 'v');
  std::uint64_t seen = 0;
  while (seen < value_bytes) {
    const RowStep step = cutter.decode(as_bytes(block));
    REQUIRE(step.kind == RowStep::Kind::value);
    REQUIRE(step.size_bytes == block.size());
    REQUIRE(step.piece.size() == block.size());
    REQUIRE(step.value_bytes == value_bytes);
    REQUIRE(step.is_first == (seen == 0));
    seen += step.piece.size();
    REQUIRE(step.is_last == (seen == value_bytes));
  }
  const RowStep last = cutter.decode(as_bytes(tail));
  CHECK(last.column == 1);
  CHECK(as_text(last.piece) == "z");
  CHECK(cutter.decode({}).kind == RowStep::Kind::end);
  CHECK(cutter.decode(as_bytes("Z")).size_bytes == 0);
  CHECK(cutter.columns() == 2);
}

TEST_CASE("a cutter takes one row after the other, also after a refusal") {
  DataRowCutter cutter;
  CHECK(cutter.decode(as_bytes("x")).kind == RowStep::Kind::end);
  cutter.start(1);
  CHECK(cutter.decode(as_bytes("x")).fault == Fault::truncated);
  CHECK(cutter.decode(as_bytes("x")).fault == Fault::truncated);
  const std::string row = u16(1) + value("ab");
  for (int i = 0; i < 2; ++i) {
    cutter.start(static_cast<std::uint32_t>(row.size()));
    const RowStep step = cutter.decode(as_bytes(row));
    CHECK(as_text(step.piece) == "ab");
    CHECK(step.size_bytes == row.size());
    CHECK(cutter.decode({}).kind == RowStep::Kind::end);
  }
}
