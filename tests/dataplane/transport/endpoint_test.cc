#include <catch2/catch.hpp>

#include "dataplane/transport/transport.h"

namespace sluice::dataplane {
namespace {

TEST_CASE("Endpoints are written as they are read") {
  CHECK(text(*parse_endpoint("192.0.2.7", 8080)) == "192.0.2.7:8080");
  CHECK(text(*parse_endpoint("::1", 443)) == "[::1]:443");
  CHECK(text(*parse_endpoint("[2001:db8::1]", 65535)) == "[2001:db8::1]:65535");
  CHECK(text(Endpoint{}) == "(no address)");
}

TEST_CASE("What is not a numeric address is refused") {
  for (const char* host : {"", "localhost", "1.2.3", "1.2.3.4.5", "256.0.0.1", "[1.2.3.4]", "[::1",
                           "::1]", "[]", "1.2.3.4 ", "0x7f.1"}) {
    INFO(host);
    CHECK_FALSE(parse_endpoint(host, 1).has_value());
  }
  CHECK_FALSE(parse_endpoint(std::string("1.2.3.4\0.5", 10), 1).has_value());
}

TEST_CASE("A source is an address, or an IPv6 network of 64 bits") {
  const auto source = [](const char* host) {
    const Endpoint endpoint = *parse_endpoint(host, 1);
    return std::string(as_text(source_of(endpoint)));
  };
  CHECK(source("192.0.2.7") != source("192.0.2.8"));
  CHECK(source("192.0.2.7") == source("::ffff:192.0.2.7"));
  CHECK(source("2001:db8:1:2::1") == source("2001:db8:1:2:ffff::2"));
  CHECK(source("2001:db8:1:2::1") != source("2001:db8:1:3::1"));
  CHECK(source_of(Endpoint{}).empty());
}

}  // namespace
}  // namespace sluice::dataplane
