#include "parsers/postgres/frontend.h"

#include <catch2/catch.hpp>

#include "cases.h"

using namespace sluice;
using namespace sluice::postgres;
using namespace sluice::testing;
using Type = FrontendType;

TEST_CASE("Query is one text") {
  CHECK(strictly_read(Type::query, z("select 1; select 2")) == "Query 'select 1; select 2'");
  CHECK(strictly_read(Type::query, z("")) == "Query ''");
  CHECK(read(Type::query, "select 1") == "malformed unterminated_text");
  CHECK(read(Type::query, z("select") + z(" 1")) == "malformed trailing_bytes");
}

TEST_CASE("Parse names a statement, its text and the types it knows") {
  CHECK(strictly_read(Type::parse, z("") + z("select $1") + u16(0)) == "Parse '' 'select $1' []");
  CHECK(strictly_read(Type::parse, z("s1") + z("x") + u16(3) + u32(23) + u32(0) +
                                       u32(0xFFFFFFFF)) == "Parse 's1' 'x' [23 0 4294967295]");
  CHECK(read(Type::parse, z("") + z("x") + u16(2) + u32(23)) == "malformed bad_count");
  CHECK(read(Type::parse, z("") + z("x") + u16(65535)) == "malformed bad_count");
  CHECK(read(Type::parse, z("") + z("x") + u16(0) + u32(23)) == "malformed trailing_bytes");
  CHECK(read(Type::parse, z("") + z("x")) == "malformed truncated");
  CHECK(read(Type::parse, z("") + "x") == "malformed unterminated_text");

  std::string types;
  for (std::uint32_t i = 0; i < 65535; ++i) types += u32(i);
  const std::string body = z("") + z("x") + u16(65535) + types;
  const auto parse = decode_parse(as_bytes(body));
  REQUIRE(parse);
  CHECK(parse->parameter_types.size() == 65535);
}

TEST_CASE("Bind gives each parameter, NULL told from nothing") {
  const std::string names = z("portal") + z("stmt");
  CHECK(strictly_read(Type::bind, z("") + z("") + u16(0) + u16(0) + u16(0)) ==
        "Bind '' '' 0 formats t t t [] 0 formats t t t");
  CHECK(strictly_read(Type::bind, names + u16(0) + u16(3) + value("a") + null_value() + value("") +
                                      u16(1) + u16(1)) ==
        "Bind 'portal' 'stmt' 0 formats t t t ['a' null ''] 1 formats b b b");
  CHECK(strictly_read(Type::bind,
                      names + u16(1) + u16(1) + u16(2) + value("ab") + value("c") + u16(0)) ==
        "Bind 'portal' 'stmt' 1 formats b b b ['ab' 'c'] 0 formats t t t");
  CHECK(strictly_read(Type::bind, names + u16(2) + u16(0) + u16(1) + u16(2) + value("a") +
                                      value("b") + u16(3) + u16(1) + u16(0) + u16(1)) ==
        "Bind 'portal' 'stmt' 2 formats t b t ['a' 'b'] 3 formats b t b");
}

TEST_CASE("Bind's counts, formats and lengths agree with one another and with the body") {
  const auto bind = [](const std::string& rest) { return read(Type::bind, z("") + z("") + rest); };
  CHECK(bind(u16(1)) == "malformed bad_count");
  CHECK(bind(u16(65535) + u16(0) + u16(0)) == "malformed bad_count");
  CHECK(bind(u16(1) + u16(2) + u16(0) + u16(0)) == "malformed bad_format");
  CHECK(bind(u16(1) + u16(256) + u16(0) + u16(0)) == "malformed bad_format");
  CHECK(bind(u16(0) + u16(1) + value("a") + u16(1) + u16(0xFFFF)) == "malformed bad_format");
  CHECK(bind(u16(0) + u16(1) + u16(0)) == "malformed bad_count");
  CHECK(bind(u16(0) + u16(65535) + value("abc") + u16(0)) == "malformed bad_count");
  CHECK(bind(u16(0) + u16(1) + u32(5) + "abcd" + u16(0)) == "malformed truncated");
  CHECK(bind(u16(0) + u16(1) + u32(0x7FFFFFFF) + "abcd" + u16(0)) == "malformed truncated");
  CHECK(bind(u16(0) + u16(1) + u32(0xFFFFFFFE) + u16(0)) == "malformed bad_value_length");
  CHECK(bind(u16(0) + u16(1) + u32(0x80000000) + u16(0)) == "malformed bad_value_length");
  CHECK(bind(u16(0) + u16(2) + value("abcd") + u16(0)) == "malformed truncated");
  // Two formats go with two parameters only.
  const std::string two_formats = u16(2) + u16(0) + u16(0);
  CHECK(bind(two_formats + u16(0) + u16(0)) == "malformed bad_count");
  CHECK(bind(two_formats + u16(1) + value("") + u16(0)) == "malformed bad_count");
  CHECK(bind(two_formats + u16(3) + value("") + value("") + value("") + u16(0)) ==
        "malformed bad_count");
  CHECK(bind(u16(1) + u16(1) + u16(0) + u16(0)) == "Bind '' '' 1 formats b b b [] 0 formats t t t");
}

TEST_CASE("Describe and Close name a statement or a portal") {
  CHECK(strictly_read(Type::describe, "S" + z("s1")) == "Describe statement 's1'");
  CHECK(strictly_read(Type::describe, "P" + z("")) == "Describe portal ''");
  CHECK(strictly_read(Type::close, "P" + z("c1")) == "Close portal 'c1'");
  CHECK(strictly_read(Type::close, "S" + z("")) == "Close statement ''");
  for (const Type type : {Type::describe, Type::close}) {
    CHECK(read(type, "s" + z("x")) == "malformed bad_kind");
    CHECK(read(type, z("") + z("x")) == "malformed bad_kind");
    CHECK(read(type, "Sx") == "malformed unterminated_text");
  }
}

TEST_CASE("Execute may limit its rows") {
  CHECK(strictly_read(Type::execute, z("") + u32(0)) == "Execute '' limit 0");
  CHECK(strictly_read(Type::execute, z("c1") + u32(0x7FFFFFFF)) == "Execute 'c1' limit 2147483647");
  CHECK(strictly_read(Type::execute, z("c1") + u32(0xFFFFFFFF)) == "Execute 'c1' limit 0");
  CHECK(read(Type::execute, z("c1") + "abc") == "malformed truncated");
}

TEST_CASE("FunctionCall gives its arguments as Bind does") {
  CHECK(strictly_read(Type::function_call,
                      u32(957) + u16(1) + u16(1) + u16(2) + value("ab") + null_value() + u16(1)) ==
        "FunctionCall 957 1 formats b b b ['ab' null] binary");
  CHECK(strictly_read(Type::function_call, u32(1) + u16(0) + u16(0) + u16(0)) ==
        "FunctionCall 1 0 formats t t t [] text");
  CHECK(read(Type::function_call, u32(1) + u16(0) + u16(0) + u16(2)) == "malformed bad_format");
  CHECK(read(Type::function_call, u32(1) + u16(2) + u16(0) + u16(0) + u16(1) + value("") +
                                      u16(0)) == "malformed bad_count");
}

TEST_CASE("CopyFail says why; CopyData is anything") {
  CHECK(strictly_read(Type::copy_fail, z("no more")) == "CopyFail 'no more'");
  CHECK(read(Type::copy_fail, "no more") == "malformed unterminated_text");
  CHECK(read(Type::copy_data, "") == "CopyData ''");
  CHECK(read(Type::copy_data, "a\tb\n") == "CopyData 'a\tb\n'");
}

TEST_CASE("a proof is read as what was asked for") {
  CHECK(strictly_read(Type::password, z("secret"), Proof::password) == "PasswordMessage 'secret'");
  CHECK(strictly_read(Type::password, z(""), Proof::password) == "PasswordMessage ''");
  CHECK(read(Type::password, "", Proof::password) == "malformed unterminated_text");
  CHECK(read(Type::password, z("a") + z("b"), Proof::password) == "malformed trailing_bytes");
  CHECK(strictly_read(Type::password, z("SCRAM-SHA-256") + value("n,,n=,r=abc"),
                      Proof::sasl_initial) == "SASLInitialResponse 'SCRAM-SHA-256' 'n,,n=,r=abc'");
  CHECK(strictly_read(Type::password, z("X") + null_value(), Proof::sasl_initial) ==
        "SASLInitialResponse 'X' null");
  CHECK(strictly_read(Type::password, z("X") + value(""), Proof::sasl_initial) ==
        "SASLInitialResponse 'X' ''");
  CHECK(read(Type::password, z("X") + u32(0xFFFFFFF0), Proof::sasl_initial) ==
        "malformed bad_value_length");
  CHECK(read(Type::password, z("X") + u32(4) + "abc", Proof::sasl_initial) ==
        "malformed truncated");
  CHECK(read(Type::password, "c=biws,r=x", Proof::sasl) == "SASLResponse 'c=biws,r=x'");
}

TEST_CASE("a client's stream keeps the codec contract") {
  const std::string pipeline =
      message('P', z("s") + z("select $1") + u16(1) + u32(23)) +
      message('B', z("") + z("s") + u16(1) + u16(1) + u16(1) + value("\x01\x02") + u16(0)) +
      message('D', "P" + z("")) + message('E', z("") + u32(50)) + message('H', "") +
      message('C', "S" + z("s")) + message('S', "");
  CHECK(steps_of(pipeline, {}) ==
        "\nParse 's' 'select $1' [23]"
        "\nBind '' 's' 1 formats b b b ['\x01\x02'] 0 formats t t t"
        "\nDescribe portal ''\nExecute '' limit 50\nempty H\nClose statement 's'\nempty S"
        "\nclose: between messages");
  CHECK(steps_of(message('d', "a\n") + message('d', "") + message('c', "") +
                     message('f', z("why")) + message('F', u32(1) + u16(0) + u16(0) + u16(0)) +
                     message('p', z("x")) + message('X', ""),
                 {}) ==
        "\nCopyData 'a\n'\nCopyData ''\nempty c\nCopyFail 'why'"
        "\nFunctionCall 1 0 formats t t t [] text\nPasswordMessage 'x'\nempty X"
        "\nclose: between messages");
  PostgresAdapter::Options sasl;
  sasl.proof = Proof::sasl_initial;
  CHECK(steps_of(
            message('p', z("SCRAM-SHA-256") + value("n,,")) + message('p', z("X") + null_value()),
            sasl) ==
        "\nSASLInitialResponse 'SCRAM-SHA-256' 'n,,'\nSASLInitialResponse 'X' null"
        "\nclose: between messages");
  sasl.proof = Proof::sasl;
  CHECK(steps_of(message('p', "c=biws") + message('p', ""), sasl) ==
        "\nSASLResponse 'c=biws'\nSASLResponse ''\nclose: between messages");
  CHECK(steps_of(message('S', "") + message('Q', "select 1"), {}) ==
        "\nempty S\nmalformed unterminated_text");
  CHECK(steps_of(message('S', "") + "T" + u32(6), {}) == "\nempty S\nmalformed unknown_message");
  CHECK(steps_of(message('S', "") + "S" + u32(5) + "x", {}) == "\nempty S\nmalformed bad_length");
}
