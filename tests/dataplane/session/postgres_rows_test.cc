// Each shape that a card number can have in a row; none may come through.
#include "dataplane/session/postgres_rows.h"

#include <catch2/catch.hpp>
#include <cstring>

#include "must.h"
#include "parsers/postgres/header.h"

namespace sluice::dataplane {
namespace {

using postgres::Format;
using postgres::Oid;
using test::must;

constexpr std::string_view card = "4111111111111111";
constexpr std::string_view masked_card = "411111******1111";

std::string u16(unsigned value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}
std::string u32(std::uint32_t value) {
  return u16(value >> 16) + u16(value & 0xFFFF);
}
std::string u64(std::uint64_t value) {
  return u32(static_cast<std::uint32_t>(value >> 32)) + u32(static_cast<std::uint32_t>(value));
}
std::string sized(std::string_view value) {
  return u32(static_cast<std::uint32_t>(value.size())) + std::string(value);
}

struct Column {
  Oid type = 25;
  Format format = Format::text;
};

/// Values of one row as they come out; nothing: NULL.
using Row = std::vector<std::optional<std::string>>;

class Table {
 public:
  explicit Table(Column column) : Table(std::vector{column}) {}
  explicit Table(std::vector<Column> columns) {
    std::string description = u16(static_cast<unsigned>(columns.size()));
    for (const Column& column : columns) {
      description += std::string("c\0", 2) + u32(0) + u16(0) + u32(column.type) + u16(0xFFFF) +
                     u32(0) + u16(column.format == Format::binary ? 1 : 0);
    }
    rows_.describe(*postgres::decode_row_description(as_bytes(description)));
    const std::vector<matcher::MaskRule> rules = {
        {"pan",
         {{matcher::Finder::Kind::builtin, "payment-card"}},
         {matcher::Show::Kind::partial, 6, 4}},
        {"mail", {{matcher::Finder::Kind::builtin, "email"}}, {}},
        {"ip", {{matcher::Finder::Kind::builtin, "ip"}}, {}},
        {"cvc", {{matcher::Finder::Kind::json_path, "$..cvc"}}, {}},
        {"ssn", {{matcher::Finder::Kind::told, ""}}, {matcher::Show::Kind::partial, 0, 4}}};
    program_ = must(matcher::MaskProgram::compile(rules, {}));
    REQUIRE(scratch_.prepare(*program_).has_value());
    for (std::size_t i = 0; i < rules.size(); ++i) masks_.active.set(i);
    masks_.program = program_.get();
  }

  PostgresRows& rows() { return rows_; }

  Row show(const Row& values) {
    const std::string message = message_of(values);
    std::vector<std::uint8_t> bytes(message.begin(), message.end());
    bytes.resize(bytes.size() + readable_tail_bytes);
    const ByteSpan row = ByteSpan(bytes).first(message.size());
    const auto rewritten = rows_.mask(scratch_, masks_, row, counts_);
    return values_of(rewritten ? *rewritten : ByteView(row));
  }
  /// By the way that leaves all columns alone but those that are told.
  std::optional<Row> show_told(std::string_view message) {
    std::vector<std::uint8_t> out(message.size() + rows_.told_growth_max());
    const auto size = rows_.mask_told(scratch_, *program_, as_bytes(message), out, counts_);
    if (!size) return std::nullopt;
    return values_of(ByteView(out).first(*size));
  }
  static std::string message_of(const Row& values) {
    std::string body = u16(static_cast<unsigned>(values.size()));
    for (const auto& value : values) body += value ? sized(*value) : u32(0xFFFFFFFF);
    return 'D' + u32(static_cast<std::uint32_t>(body.size() + 4)) + body;
  }
  static Row values_of(ByteView shown) {
    const auto header = postgres::decode_header(postgres::Side::backend, shown);
    REQUIRE(header.kind == postgres::HeaderStep::Kind::header);
    REQUIRE(header.header.message_bytes() == shown.size());
    const auto decoded = postgres::decode_data_row(shown.subspan(postgres::header_bytes));
    REQUIRE(decoded.has_value());
    Row out;
    for (const postgres::Value& value : *decoded) {
      out.push_back(value ? std::optional(std::string(as_text(*value))) : std::nullopt);
    }
    return out;
  }
  std::string copy(std::string_view data) {
    std::vector<std::uint8_t> bytes(data.begin(), data.end());
    bytes.resize(bytes.size() + readable_tail_bytes);
    const ByteSpan text = ByteSpan(bytes).first(data.size());
    rows_.mask_in_place(scratch_, masks_, text, counts_);
    return std::string(as_text(text));
  }
  std::uint32_t count(std::size_t rule) const { return counts_[rule]; }

 private:
  matcher::Scratch scratch_;
  std::shared_ptr<const matcher::MaskProgram> program_;
  RowMasks masks_;
  std::array<std::uint32_t, matcher::rules_max> counts_{};
  PostgresRows rows_;
};

/// int8, big-endian.
std::string int8(std::int64_t value) {
  return u64(static_cast<std::uint64_t>(value));
}

/// numeric's binary form of 4111111111111111: four digits of base 10,000.
std::string numeric_card() {
  return u16(4) + u16(3) + u16(0) + u16(0) + u16(4111) + u16(1111) + u16(1111) + u16(1111);
}

std::string array_of(Oid type, const std::vector<std::string>& items) {
  std::string value =
      u32(1) + u32(0) + u32(type) + u32(static_cast<std::uint32_t>(items.size())) + u32(1);
  for (const std::string& item : items) value += sized(item);
  return value;
}

}  // namespace

TEST_CASE("A row without a match comes as it is") {
  Table table({{25}, {23, Format::binary}, {25}});
  const Row row = {"plain", u32(7), std::nullopt};
  CHECK(table.show(row) == row);
  CHECK(table.count(0) == 0);
}

TEST_CASE("Text values are masked, longer or shorter than they were") {
  Table table({{25}, {1043}, {25}, {20}});
  CHECK(
      table.show({std::string(card), "to ann@example.com now", std::nullopt, std::string(card)}) ==
      Row{std::string(masked_card), "to [redacted] now", std::nullopt, std::string(masked_card)});
  CHECK(table.count(0) == 2);
  CHECK(table.count(1) == 1);
}

TEST_CASE("Binary text is text") {
  Table table({{25, Format::binary}, {1042, Format::binary}});
  CHECK(table.show({std::string(card), "a@b.example"}) ==
        Row{std::string(masked_card), "[redacted]"});
}

TEST_CASE("A binary value that cannot hold its mask is NULL") {
  const std::int64_t number = 4111111111111111;
  struct Case {
    const char* what;
    Oid type;
    std::string value;
  };
  double real = 4111111111111111.0;
  std::uint64_t real_bits = 0;
  std::memcpy(&real_bits, &real, sizeof real);
  const Case cases[] = {
      {"int8", 20, int8(number)},
      {"float8", 701, u64(real_bits)},
      {"numeric", 1700, numeric_card()},
      {"inet", 869, std::string("\x02\x20\x00\x04\x0A\x00\x00\x05", 8)},
      {"int8[]", 1016, array_of(20, {int8(1), int8(number)})},
      {"numeric[]", 1231, array_of(1700, {numeric_card()})},
      {"text[]", 1009, array_of(25, {"x", std::string(card)})},
      {"record", 2249, u32(2) + u32(23) + sized(u32(1)) + u32(20) + sized(int8(number))},
      {"record in an array", 2287, array_of(2249, {u32(1) + u32(25) + sized(card)})},
      {"a type that is not known", 99999, std::string("\x01") + std::string(card)},
      {"jsonb", 3802, std::string("\x01{\"cvc\":\"123\"}")},
  };
  for (const Case& one : cases) {
    INFO(one.what);
    Table table({{one.type, Format::binary}, {25}});
    CHECK(table.show({one.value, "x"}) == Row{std::nullopt, "x"});
  }
}

TEST_CASE("A binary value without a match is untouched") {
  const std::pair<Oid, std::string> values[] = {{20, int8(4111)},
                                                {1700, u16(1) + u16(0) + u16(0) + u16(0) + u16(42)},
                                                {1016, array_of(20, {int8(1), int8(2)})},
                                                {2249, u32(1) + u32(25) + sized("plain")},
                                                {1009, array_of(25, {})},
                                                {3802, std::string("\x01{\"a\":1}")}};
  for (const auto& [type, value] : values) {
    INFO(type);
    CHECK(Table(Column{type, Format::binary}).show({value}) == Row{value});
  }
}

TEST_CASE("What is broken inside shows nothing") {
  const std::pair<Oid, std::string> values[] = {{20, "short"},
                                                {1016, array_of(20, {int8(1)}) + "more"},
                                                {2249, u32(3) + u32(25) + sized("x")},
                                                {114, R"({"cvc": )"}};
  for (const auto& [type, value] : values) {
    INFO(type);
    const Row shown = Table(Column{type, Format::binary}).show({value});
    CHECK((shown == Row{std::nullopt} || shown == Row{"[redacted]"}));
  }
}

TEST_CASE("bytea is looked through, in hex and raw") {
  std::string hex = "\\x";
  for (const char c : card) {
    hex += "0123456789abcdef"[c >> 4];
    hex += "0123456789abcdef"[c & 15];
  }
  std::string asterisks = "\\x";
  for (std::size_t i = 0; i < card.size(); ++i) asterisks += "2a";
  CHECK(Table(Column{17}).show({hex}) == Row{asterisks});
  CHECK(Table(Column{17, Format::binary}).show({std::string(card)}) ==
        Row{std::string(masked_card)});
}

TEST_CASE("JSON is masked by path and by pattern, escapes decoded") {
  Table table({{114}, {3802}});
  CHECK(table.show({R"({"cvc":"123","n":1})", R"({"mail":"a\u0040b.example"})"}) ==
        Row{R"({"cvc":"[redacted]","n":1})", R"({"mail":"[redacted]"})"});
}

TEST_CASE("A column that is told is masked whole, in whatever type it comes") {
  Table table({{25}, {20, Format::binary}, {114}, {25}});
  for (std::size_t i = 0; i < 3; ++i) table.rows().mask_whole(i, 4, false);
  CHECK(table.show({"123-45-6789", int8(5), R"({"a":1})", "x"}) ==
        Row{"***-**-6789", std::nullopt, R"("[redacted]")", "x"});
  CHECK(table.count(4) == 3);
  CHECK(table.show({std::nullopt, std::nullopt, std::nullopt, "x"}) ==
        Row{std::nullopt, std::nullopt, std::nullopt, "x"});
}

TEST_CASE("Of what is computed from a told column no part is shown") {
  Table table(Column{25});
  table.rows().mask_whole(0, 4, true);
  CHECK(table.show({"9876-54-321"}) == Row{"[redacted]"});
}

TEST_CASE("Rows of which only told columns are masked come out by both ways alike") {
  Table table({{25}, {20, Format::binary}, {114}, {25}, {17}, {25}});
  CHECK(!table.rows().has_told_columns());
  for (std::size_t i = 0; i < 3; ++i) table.rows().mask_whole(i, 4, false);
  table.rows().mask_whole(4, 4, true);
  CHECK(table.rows().has_told_columns());
  const std::string long_text(5000, 'y');
  const std::vector<Row> rows = {
      {"123-45-6789", int8(5), R"({"a":1})", "x", "\\x00", ""},
      {std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt},
      {"", std::nullopt, "1", "", "", std::nullopt},
      {long_text, int8(1), "[]", long_text, long_text, "last"},
      {"one column"},
      {"7", int8(1), "[]", "x", "", "y", "more columns than were described"},
      {}};
  for (const Row& row : rows) CHECK(table.show_told(Table::message_of(row)) == table.show(row));
  CHECK(table.show_told(Table::message_of(rows[0])) ==
        Row{"***-**-6789", std::nullopt, R"("[redacted]")", "x", "[redacted]", ""});
}

TEST_CASE("Not even the told columns of a malformed row are shown") {
  Table table({{25}, {25}});
  table.rows().mask_whole(0, 4, false);
  const std::string whole = Table::message_of({"123-45-6789", "plain"});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK(!table.show_told(whole.substr(0, size)));
  }
  CHECK(!table.show_told(whole + "x"));
  std::string negative = whole;
  negative.replace(7, 4, u32(0xFFFFFFFE));
  CHECK(!table.show_told(negative));
}

TEST_CASE("COPY data keeps its length") {
  const std::string line = "1\t4111111111111111\tann@example.com\n";
  Table table(std::vector<Column>{});
  CHECK(table.copy(line) == "1\t411111******1111\t[redacted]*****\n");
}

}  // namespace sluice::dataplane
