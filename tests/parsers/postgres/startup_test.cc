#include "parsers/postgres/startup.h"

#include <catch2/catch.hpp>

#include "cases.h"

using namespace sluice;
using namespace sluice::postgres;
using namespace sluice::testing;

namespace {

constexpr std::uint32_t cancel_code = 80877102;
constexpr std::uint32_t ssl_code = 80877103;
constexpr std::uint32_t gssenc_code = 80877104;

/// What a packet is. Each of its prefixes must be awaited, unless it is refused as
/// the whole is, and bytes behind it must not count.
std::string startup(const std::string& bytes) {
  const auto decode = [](std::string_view in) {
    GuardedBytes room(in.size());
    return describe(decode_startup(room.hold(as_bytes(in))));
  };
  const std::string what = decode(bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string prefix = decode(std::string_view(bytes).substr(0, size));
    if (prefix != "needs_more" && prefix != what) return "a prefix is " + prefix;
  }
  if (what != "needs_more" && decode(bytes + "Q") != what) return "what follows counts";
  return what;
}

std::string parameters(const std::string& list) {
  return startup(packet(version_3_0, list));
}

}  // namespace

TEST_CASE("a StartupMessage names user, database and settings") {
  CHECK(parameters(z("user") + z("ada") + z("")) ==
        "StartupMessage 3.0 user 'ada' database '' [user=ada]");
  CHECK(parameters(z("database") + z("shop") + z("application_name") + z("") + z("user") +
                   z("ada") + z("")) ==
        "StartupMessage 3.0 user 'ada' database 'shop' [database=shop application_name= user=ada]");
  CHECK(startup(packet(version_3_2, z("user") + z("ada") + z("_pq_.x") + z("on") + z(""))) ==
        "StartupMessage 3.2 user 'ada' database '' [user=ada _pq_.x=on]");
  CHECK(startup(packet(version_3_0 | 9999, z("user") + z("a") + z(""))) ==
        "StartupMessage 3.9999 user 'a' database '' [user=a]");
}

TEST_CASE("options of the protocol are told from settings") {
  CHECK(is_protocol_option("_pq_.command_progress"));
  CHECK_FALSE(is_protocol_option("_pq_"));
  CHECK_FALSE(is_protocol_option("x_pq_."));
  CHECK_FALSE(is_protocol_option("_PQ_.x"));
}

TEST_CASE("the requests that are no StartupMessage have exactly their length") {
  CHECK(startup(packet(ssl_code)) == "SSLRequest");
  CHECK(startup(packet(gssenc_code)) == "GSSENCRequest");
  CHECK(startup(packet(ssl_code, "x")) == "malformed bad_length");
  CHECK(startup(packet(gssenc_code, "abcd")) == "malformed bad_length");
  CHECK(startup(packet(cancel_code, u32(70000) + "abcd")) == "CancelRequest 70000 'abcd'");
  CHECK(startup(packet(cancel_code, u32(7) + "abc")) == "malformed bad_length");
  CHECK(startup(packet(cancel_code, u32(7))) == "malformed bad_length");
  CHECK(startup(packet(cancel_code)) == "malformed bad_length");
  const std::string key(256, 'k');
  CHECK(startup(packet(cancel_code, u32(7) + key)) == "CancelRequest 7 '" + key + "'");
  CHECK(startup(packet(cancel_code, u32(7) + key + "k")) == "malformed bad_length");
}

TEST_CASE("a packet says how long it is before it is awaited") {
  const auto first = [](std::uint32_t length) { return startup(u32(length)); };
  for (const std::uint32_t length : {0U, 1U, 4U, 7U, 10'005U, 0x7FFFFFFFU, 0xFFFFFFFFU}) {
    CHECK(first(length) == "malformed bad_length");
  }
  CHECK(first(8) == "needs_more");
  CHECK(first(10'004) == "needs_more");
  CHECK(startup(u32(8) + u32(version_3_0)) == "malformed bad_length");
  CHECK(startup(u32(9'000) + u32(ssl_code)) == "malformed bad_length");

  const std::string user = z("user") + z("ada");
  const std::string fill(startup_body_bytes_max - 4 - user.size() - z("x").size() - 2, 'v');
  const std::string longest = packet(version_3_0, user + z("x") + z(fill) + z(""));
  REQUIRE(longest.size() == 10'004);
  CHECK(describe(decode_startup(as_bytes(longest))).starts_with("StartupMessage 3.0 user 'ada'"));
}

TEST_CASE("other versions, and other protocols, are refused at the eighth byte") {
  for (const std::uint32_t code :
       {0U, 1U << 16, 2U << 16, 4U << 16, 0xFFFFFFFFU, 80877101U, 80877105U, 0x00020003U}) {
    CHECK(startup(u32(100) + u32(code)) == "malformed unsupported_version");
  }
  // What TLS and HTTP begin with.
  CHECK(startup("\x16\x03\x01\x02") == "malformed bad_length");
  CHECK(startup("GET ") == "malformed bad_length");
}

TEST_CASE("parameters end with exactly one empty name") {
  CHECK(parameters(z("user") + z("ada")) == "malformed truncated");
  CHECK(parameters(z("user")) == "malformed unterminated_text");
  CHECK(parameters(z("user") + "ada") == "malformed unterminated_text");
  CHECK(parameters("user") == "malformed unterminated_text");
  CHECK(parameters(z("user") + z("ada") + z("") + z("")) == "malformed trailing_bytes");
  CHECK(parameters(z("user") + z("ada") + z("") + z("options") + z("-c a=b") + z("")) ==
        "malformed trailing_bytes");
}

TEST_CASE("nobody, anything twice, and too much are refused") {
  CHECK(parameters(z("")) == "malformed missing_user");
  CHECK(parameters(z("database") + z("shop") + z("")) == "malformed missing_user");
  CHECK(parameters(z("user") + z("") + z("")) == "malformed missing_user");
  CHECK(parameters(z("User") + z("ada") + z("")) == "malformed missing_user");
  for (const char* const name : {"user", "database", "options", "replication", "x"}) {
    const std::string twice = z(name) + z("a") + z("user2") + z("") + z(name) + z("b");
    CHECK(parameters(twice + z("")) == "malformed repeated_parameter");
  }
  std::string many = z("user") + z("ada");
  for (std::size_t i = 1; i < startup_parameters_max; ++i) many += z(std::to_string(i)) + z("");
  CHECK(describe(decode_startup(as_bytes(packet(version_3_0, many + z("")))))
            .starts_with("StartupMessage"));
  CHECK(describe(decode_startup(as_bytes(packet(version_3_0, many + z("x") + z("") + z(""))))) ==
        "malformed too_many_parameters");
}

TEST_CASE("what opens a connection keeps the codec contract") {
  PostgresAdapter::Options options;
  options.begins_with_startup = true;
  const std::string login = packet(version_3_0, z("user") + z("ada") + z("")) +
                            message('p', z("secret")) + message('Q', z("select 1")) +
                            message('X', "");
  const std::string steps =
      "\nStartupMessage 3.0 user 'ada' database '' [user=ada]\nPasswordMessage 'secret'"
      "\nQuery 'select 1'\nempty X\nclose: between messages";
  CHECK(steps_of(login, options) == steps);
  CHECK(steps_of(packet(ssl_code) + packet(gssenc_code) + login, options) ==
        "\nSSLRequest\nGSSENCRequest" + steps);
  CHECK(steps_of(packet(cancel_code, u32(1) + std::string(32, 'k')), options) ==
        "\nCancelRequest 1 '" + std::string(32, 'k') + "'\nclose: between messages");
}
