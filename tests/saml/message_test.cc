// What the gateway and its reader say: every message has one spelling, and nothing else is read.
#include "saml/message.h"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::saml;

namespace {

Statement sample() {
  Statement out;
  out.has_envelope = true;
  out.envelope = {"d", "r", "i"};
  out.assertion.id = "_1";
  out.assertion.confirmations = {{"bearer", "there", "_r", "", "then"}};
  out.assertion.audiences = {{"a", "b"}, {}};
  out.assertion.sessions_end = {""};
  out.assertion.groups = {true, {"staff", ""}};
  return out;
}

}  // namespace

TEST_CASE("A statement survives the way, and no beginning of it is one") {
  const std::string message = encode(sample());
  const auto read = parse_statement(message);
  REQUIRE(read);
  CHECK(encode(*read) == message);
  CHECK(read->assertion.audiences.size() == 2);
  for (std::size_t size = 0; size < message.size(); ++size) {
    const auto part = parse_statement(std::string_view(message).substr(0, size));
    REQUIRE(!part);
    CHECK(part.error() == Fault::reader_failed);
  }
  CHECK(!parse_statement(message + '\0'));
}

TEST_CASE("Requests survive the way") {
  const std::string message = encode(SignedElementRequest{{"key", ""}, "<xml/>"});
  const auto read = parse_signed_element_request(message);
  REQUIRE(read);
  CHECK(read->keys == std::vector<std::string>{"key", ""});
  CHECK(read->response == "<xml/>");
  CHECK(!parse_statement_request(message));
  CHECK(parse_statement_request(encode(StatementRequest{"", "groups", "<xml/>"})));
}

TEST_CASE("A refusal is told, and a fault that is none is a failure of the reader") {
  CHECK(parse_statement(encode(Fault::comment)).error() == Fault::comment);
  CHECK(parse_signed_element(encode(Fault::not_signed)).error() == Fault::not_signed);
  for (const char* message : {"", "R", "X", "S"}) {
    CHECK(parse_statement(message).error() == Fault::reader_failed);
  }
  CHECK(parse_statement(std::string("R\0", 2)).error() == Fault::reader_failed);
  CHECK(parse_statement("R\xFF").error() == Fault::reader_failed);
}

TEST_CASE("A list is not believed to be longer than its message") {
  const std::string many = std::string("S") + "\xFF\xFF\xFF\xFF";
  CHECK(!parse_signed_element_request(many));
}
