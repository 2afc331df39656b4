#include "parsers/postgres/backend.h"

#include <catch2/catch.hpp>

#include "cases.h"

using namespace sluice;
using namespace sluice::postgres;
using namespace sluice::testing;
using Type = BackendType;

namespace {

std::string field(std::string_view name, std::uint32_t table, unsigned column, unsigned format) {
  return z(name) + u32(table) + u16(column) + u32(25) + u16(0xFFFF) + u32(0xFFFFFFFF) + u16(format);
}

std::string report_field(char code, std::string_view text) {
  return code + z(text);
}

}  // namespace

TEST_CASE("Authentication says what is asked for, or that it is nothing we can do") {
  const auto read_strictly = [](const std::string& body) {
    return strictly_read(Type::authentication, body);
  };
  CHECK(read_strictly(u32(0)) == "AuthenticationOk");
  CHECK(read_strictly(u32(3)) == "AuthenticationCleartextPassword");
  CHECK(read_strictly(u32(5) + "salt") == "AuthenticationMD5Password 'salt'");
  CHECK(read_strictly(u32(10) + z("SCRAM-SHA-256-PLUS") + z("SCRAM-SHA-256") + z("")) ==
        "AuthenticationSASL ['SCRAM-SHA-256-PLUS' 'SCRAM-SHA-256']");
  const auto read_it = [](const std::string& body) { return read(Type::authentication, body); };
  CHECK(read_it(u32(11) + "r=x,s=y") == "AuthenticationSASLContinue 'r=x,s=y'");
  CHECK(read_it(u32(12) + "v=x") == "AuthenticationSASLFinal 'v=x'");
  CHECK(read_it(u32(12)) == "AuthenticationSASLFinal ''");
  for (const std::uint32_t code : {1U, 2U, 4U, 6U, 7U, 8U, 9U, 13U, 0xFFFFFFFFU}) {
    CHECK(read_it(u32(code) + "x") ==
          "unsupported authentication " + std::to_string(code) + " 'x'");
  }
  CHECK(read_it(u32(0) + "x") == "malformed trailing_bytes");
  CHECK(read_it(u32(5) + "sal") == "malformed truncated");
  CHECK(read_it(u32(10) + z("")) == "malformed bad_mechanisms");
  CHECK(read_it(u32(10)) == "malformed truncated");
  CHECK(read_it(u32(10) + z("X")) == "malformed truncated");
  CHECK(read_it(u32(10) + "X") == "malformed unterminated_text");
  CHECK(read_it(u32(10) + z("X") + z("") + z("Y")) == "malformed trailing_bytes");
}

TEST_CASE("BackendKeyData has a key of four bytes, or a longer one from 3.2 on") {
  CHECK(read(Type::backend_key_data, u32(42) + "abcd") == "BackendKeyData 42 'abcd'");
  const std::string key(256, 'k');
  CHECK(read(Type::backend_key_data, u32(42) + key) == "BackendKeyData 42 '" + key + "'");
  CHECK(read(Type::backend_key_data, u32(42) + key + "k") == "malformed bad_length");
  CHECK(read(Type::backend_key_data, u32(42) + "abc") == "malformed bad_length");
  CHECK(read(Type::backend_key_data, "abc") == "malformed truncated");
}

TEST_CASE("what is told beside results") {
  CHECK(strictly_read(Type::parameter_status, z("TimeZone") + z("UTC")) ==
        "ParameterStatus 'TimeZone' 'UTC'");
  CHECK(read(Type::parameter_status, z("TimeZone") + "UTC") == "malformed unterminated_text");
  CHECK(strictly_read(Type::notification_response, u32(9) + z("ch") + z("hello")) ==
        "NotificationResponse 9 'ch' 'hello'");
  CHECK(strictly_read(Type::command_complete, z("SELECT 5")) == "CommandComplete 'SELECT 5'");
  CHECK(strictly_read(Type::ready_for_query, "I") == "ReadyForQuery I");
  CHECK(strictly_read(Type::ready_for_query, "T") == "ReadyForQuery T");
  CHECK(strictly_read(Type::ready_for_query, "E") == "ReadyForQuery E");
  CHECK(read(Type::ready_for_query, "X") == "malformed bad_transaction_status");
  CHECK(read(Type::ready_for_query, std::string(1, '\0')) == "malformed bad_transaction_status");
}

TEST_CASE("RowDescription tells where each column comes from") {
  CHECK(strictly_read(Type::row_description, u16(0)) == "RowDescription []");
  CHECK(strictly_read(Type::row_description,
                      u16(2) + field("ssn", 16400, 3, 0) + field("?column?", 0, 0, 1)) ==
        "RowDescription ['ssn' 16400.3 type 25/-1/-1 text '?column?' 0.0 type 25/-1/-1 binary]");
  CHECK(strictly_read(Type::row_description, u16(1) + field("ctid", 0xFFFFFFFF, 0xFFFF, 0)) ==
        "RowDescription ['ctid' 4294967295.-1 type 25/-1/-1 text]");
  CHECK(read(Type::row_description, u16(1) + field("a", 1, 1, 2)) == "malformed bad_format");
  CHECK(read(Type::row_description, u16(2) + field("abc", 1, 1, 0)) == "malformed bad_count");
  CHECK(read(Type::row_description, u16(65535) + field("a", 1, 1, 0)) == "malformed bad_count");
  CHECK(read(Type::row_description, u16(2) + field(std::string(40, 'a'), 1, 1, 0)) ==
        "malformed unterminated_text");
  CHECK(read(Type::row_description, u16(0) + field("a", 1, 1, 0)) == "malformed trailing_bytes");
}

TEST_CASE("ParameterDescription lists types") {
  CHECK(strictly_read(Type::parameter_description, u16(0)) == "ParameterDescription []");
  CHECK(strictly_read(Type::parameter_description, u16(2) + u32(23) + u32(25)) ==
        "ParameterDescription [23 25]");
  CHECK(read(Type::parameter_description, u16(3) + u32(23) + u32(25)) == "malformed bad_count");
}

TEST_CASE("DataRow gives each value, NULL told from nothing") {
  CHECK(strictly_read(Type::data_row, u16(0)) == "DataRow []");
  CHECK(strictly_read(Type::data_row, u16(3) + value("abc") + null_value() + value("")) ==
        "DataRow ['abc' null '']");
  CHECK(read(Type::data_row, u16(1)) == "malformed bad_count");
  CHECK(read(Type::data_row, u16(65535) + value("abc")) == "malformed bad_count");
  CHECK(read(Type::data_row, u16(2) + value("abcd")) == "malformed truncated");
  CHECK(read(Type::data_row, u16(1) + u32(4) + "abc") == "malformed truncated");
  CHECK(read(Type::data_row, u16(1) + u32(0xFFFFFFFE)) == "malformed bad_value_length");
  CHECK(read(Type::data_row, u16(1) + value("a") + "x") == "malformed trailing_bytes");
}

TEST_CASE("a copy begins with its formats") {
  const std::string columns = u16(2) + u16(0) + u16(0);
  CHECK(strictly_read(Type::copy_in_response, z("") + columns) == "in copy text 2 formats t t t");
  CHECK(strictly_read(Type::copy_out_response, "\x01" + u16(2) + u16(1) + u16(0)) ==
        "out copy binary 2 formats b t t");
  CHECK(strictly_read(Type::copy_both_response, z("") + u16(0)) ==
        "both copy text 0 formats t t t");
  CHECK(read(Type::copy_in_response, "\x02" + columns) == "malformed bad_format");
  CHECK(read(Type::copy_in_response, z("") + u16(2) + u16(0) + u16(1)) == "malformed bad_format");
  CHECK(read(Type::copy_in_response, "\x01" + u16(1) + u16(2)) == "malformed bad_format");
  CHECK(read(Type::copy_in_response, z("") + u16(3) + u16(0) + u16(0)) == "malformed bad_count");
}

TEST_CASE("errors and notices are fields by code") {
  const std::string body = report_field('S', "ERROR") + report_field('C', "42501") +
                           report_field('M', "no") + report_field('?', "");
  CHECK(strictly_read(Type::error_response, body + z("")) ==
        "error report [S'ERROR' C'42501' M'no' ?'']");
  CHECK(strictly_read(Type::notice_response, z("")) == "notice report []");
  const std::string whole = body + report_field('C', "later") + z("");
  const auto report = decode_report(as_bytes(whole));
  REQUIRE(report);
  CHECK(report->find('C') == "42501");
  CHECK(report->find('M') == "no");
  CHECK(report->find('D').empty());
  CHECK(read(Type::error_response, body) == "malformed truncated");
  CHECK(read(Type::error_response, "Sx") == "malformed unterminated_text");
  CHECK(read(Type::error_response, z("") + body + z("")) == "malformed trailing_bytes");
}

TEST_CASE("NegotiateProtocolVersion names the newest version and unknown options") {
  CHECK(strictly_read(Type::negotiate_protocol_version, u32(version_3_0) + u32(0)) ==
        "NegotiateProtocolVersion 3.0 []");
  CHECK(strictly_read(Type::negotiate_protocol_version,
                      u32(version_3_2) + u32(2) + z("_pq_.a") + z("_pq_.b")) ==
        "NegotiateProtocolVersion 3.2 ['_pq_.a' '_pq_.b']");
  CHECK(read(Type::negotiate_protocol_version, u32(2) + u32(0)) == "malformed unsupported_version");
  CHECK(read(Type::negotiate_protocol_version, u32(4U << 16) + u32(0)) ==
        "malformed unsupported_version");
  CHECK(read(Type::negotiate_protocol_version, u32(version_3_0) + u32(0xFFFFFFFF) + z("a")) ==
        "malformed bad_count");
  CHECK(read(Type::negotiate_protocol_version, u32(version_3_0) + u32(2) + z("a")) ==
        "malformed unterminated_text");
}

TEST_CASE("FunctionCallResponse is one value") {
  CHECK(strictly_read(Type::function_call_response, value("ab")) == "FunctionCallResponse 'ab'");
  CHECK(strictly_read(Type::function_call_response, null_value()) == "FunctionCallResponse null");
  CHECK(read(Type::function_call_response, u32(0x80000000)) == "malformed bad_value_length");
}

TEST_CASE("a server's stream keeps the codec contract") {
  PostgresAdapter::Options server;
  server.side = Side::backend;
  const std::string login = message('v', u32(version_3_0) + u32(1) + z("_pq_.a")) +
                            message('R', u32(10) + z("SCRAM-SHA-256") + z("")) +
                            message('R', u32(11) + "r=x") + message('R', u32(12) + "v=x") +
                            message('R', u32(0)) + message('S', z("TimeZone") + z("UTC")) +
                            message('K', u32(9) + "abcd") + message('Z', "I");
  CHECK(steps_of(login, server) ==
        "\nNegotiateProtocolVersion 3.0 ['_pq_.a']\nAuthenticationSASL ['SCRAM-SHA-256']"
        "\nAuthenticationSASLContinue 'r=x'\nAuthenticationSASLFinal 'v=x'\nAuthenticationOk"
        "\nParameterStatus 'TimeZone' 'UTC'\nBackendKeyData 9 'abcd'\nReadyForQuery I"
        "\nclose: between messages");
  const std::string results = message('1', "") + message('2', "") + message('t', u16(1) + u32(23)) +
                              message('T', u16(1) + field("a", 1, 1, 0)) +
                              message('D', u16(2) + value("x") + null_value()) + message('s', "") +
                              message('C', z("SELECT 1")) + message('3', "") + message('n', "") +
                              message('I', "") + message('E', report_field('C', "42501") + z("")) +
                              message('N', z("")) + message('A', u32(1) + z("c") + z("p")) +
                              message('V', null_value()) + message('G', z("") + u16(0)) +
                              message('H', z("") + u16(0)) + message('d', "x\n") +
                              message('c', "") + message('Z', "T");
  CHECK(steps_of(results, server) ==
        "\nempty 1\nempty 2\nParameterDescription [23]"
        "\nRowDescription ['a' 1.1 type 25/-1/-1 text]\nDataRow ['x' null]\nempty s"
        "\nCommandComplete 'SELECT 1'\nempty 3\nempty n\nempty I\nerror report [C'42501']"
        "\nnotice report []\nNotificationResponse 1 'c' 'p'\nFunctionCallResponse null"
        "\nin copy text 0 formats t t t\nout copy text 0 formats t t t\nCopyData 'x\n'\nempty c"
        "\nReadyForQuery T\nclose: between messages");
  CHECK(steps_of(message('Z', "I") + message('Z', "X"), server) ==
        "\nReadyForQuery I\nmalformed bad_transaction_status");
  CHECK(steps_of(message('Z', "I") + "Q", server) ==
        "\nReadyForQuery I\nmalformed unknown_message");
}
