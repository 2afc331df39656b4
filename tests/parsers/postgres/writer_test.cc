#include "parsers/postgres/writer.h"

#include <array>
#include <catch2/catch.hpp>

#include "cases.h"

using namespace sluice;
using namespace sluice::postgres;
using namespace sluice::testing;
using namespace std::string_view_literals;

namespace {

/// What is written into plenty of room. In one byte less than it takes, nothing may
/// be; and a message that fitted before it must stand.
template <class Write>
std::string written(Write write) {
  std::array<std::uint8_t, 1024> room{};
  Writer writer(room);
  write(writer);
  if (writer.failed()) return writer.written().empty() ? "failed" : "half written";
  const std::size_t size = writer.written().size();
  const std::string out(as_text(writer.written()));
  for (std::size_t less = 0; less < size; ++less) {
    GuardedBytes guarded(less);
    Writer tight(guarded.hold(ByteView(room).first(less)));
    write(tight);
    if (!tight.failed() || !tight.written().empty()) return "written into " + std::to_string(less);
  }
  Writer second(ByteSpan(room).first(5 + size));
  second.empty(FrontendType::sync);
  write(second);
  if (second.failed() || as_text(second.written()) != message('S', "") + out) return "not appended";
  Writer third(ByteSpan(room).first(5 + size - 1));
  third.empty(FrontendType::sync);
  write(third);
  third.empty(FrontendType::sync);
  if (!third.failed() || as_text(third.written()) != message('S', "")) return "not left out whole";
  return out;
}

}  // namespace

TEST_CASE("what a gateway says to a client") {
  CHECK(written([](Writer& to) { to.authentication_ok(); }) == message('R', u32(0)));
  CHECK(written([](Writer& to) { to.authentication_cleartext_password(); }) ==
        message('R', u32(3)));
  CHECK(written([](Writer& to) {
          to.authentication_sasl(std::array{"SCRAM-SHA-256"sv, "X"sv});
        }) == message('R', u32(10) + z("SCRAM-SHA-256") + z("X") + z("")));
  CHECK(written([](Writer& to) { to.authentication_sasl_continue(as_bytes("r=x")); }) ==
        message('R', u32(11) + "r=x"));
  CHECK(written([](Writer& to) { to.authentication_sasl_final(as_bytes("v=x")); }) ==
        message('R', u32(12) + "v=x"));
  CHECK(written([](Writer& to) { to.backend_key_data(70000, as_bytes("abcd")); }) ==
        message('K', u32(70000) + "abcd"));
  CHECK(written([](Writer& to) { to.parameter_status("TimeZone", "UTC"); }) ==
        message('S', z("TimeZone") + z("UTC")));
  CHECK(written([](Writer& to) { to.ready_for_query(TransactionStatus::failed); }) ==
        message('Z', "E"));
  CHECK(written([](Writer& to) { to.command_complete("SELECT 0"); }) ==
        message('C', z("SELECT 0")));
  CHECK(written([](Writer& to) { to.notification_response(9, "ch", "hello"); }) ==
        message('A', u32(9) + z("ch") + z("hello")));
  CHECK(written([](Writer& to) { to.empty(BackendType::parse_complete); }) == message('1', ""));
  CHECK(written([](Writer& to) {
          to.negotiate_protocol_version({3, 2}, std::array{"_pq_.a"sv, "_pq_.b"sv});
        }) == message('v', u32(version_3_2) + u32(2) + z("_pq_.a") + z("_pq_.b")));
}

TEST_CASE("errors and notices give severity twice, and detail and hint when there are any") {
  CHECK(written([](Writer& to) {
          to.error_response({.code = "42501", .message = "no", .detail = "d", .hint = "h"});
        }) == message('E', "S" + z("ERROR") + "V" + z("ERROR") + "C" + z("42501") + "M" + z("no") +
                               "D" + z("d") + "H" + z("h") + z("")));
  CHECK(written([](Writer& to) {
          to.notice_response({.severity = "WARNING", .code = "01000", .message = "hm"});
        }) == message('N', "S" + z("WARNING") + "V" + z("WARNING") + "C" + z("01000") + "M" +
                               z("hm") + z("")));
}

TEST_CASE("a row and a CopyData are begun, for values that come from elsewhere") {
  CHECK(written([](Writer& to) { to.data_row_head(3, 513); }) == "D" + u32(517) + u16(3));
  CHECK(written([](Writer& to) { to.copy_data_head(70000); }) == "d" + u32(70004));
  CHECK(written([](Writer& to) { to.copy_data_head(0); }) == "d" + u32(4));
  CHECK(written([](Writer& to) { to.function_call_response_head(8); }) == "V" + u32(12));
  CHECK(written([](Writer& to) { to.data_row_head(1, body_bytes_max); }) ==
        "D" + u32(body_bytes_max + 4) + u16(1));
  CHECK(written([](Writer& to) { to.data_row_head(1, body_bytes_max + 1); }) == "failed");
  CHECK(written([](Writer& to) { to.copy_data_head(0xFFFFFFFF); }) == "failed");
  CHECK(written([](Writer& to) { to.value_head(std::nullopt); }) == null_value());
  CHECK(written([](Writer& to) { to.value_head(70000); }) == u32(70000));
  CHECK(written([](Writer& to) { to.value_head(0xFFFFFFFF); }) == "failed");
}

TEST_CASE("what a gateway says to a server") {
  CHECK(written([](Writer& to) {
          to.startup_message({3, 2}, std::array{Parameter{"user", "ada"}, Parameter{"x", ""}});
        }) == packet(version_3_2, z("user") + z("ada") + z("x") + z("") + z("")));
  CHECK(written([](Writer& to) { to.cancel_request(7, as_bytes("abcd")); }) ==
        packet(80877102, u32(7) + "abcd"));
  CHECK(written([](Writer& to) { to.password_message("secret"); }) == message('p', z("secret")));
  CHECK(written([](Writer& to) { to.sasl_initial_response("X", as_bytes("n,,")); }) ==
        message('p', z("X") + value("n,,")));
  CHECK(written([](Writer& to) { to.sasl_initial_response("X", std::nullopt); }) ==
        message('p', z("X") + null_value()));
  CHECK(written([](Writer& to) { to.sasl_response(as_bytes("c=biws")); }) ==
        message('p', "c=biws"));
  CHECK(written([](Writer& to) { to.query("select 1"); }) == message('Q', z("select 1")));
  CHECK(written([](Writer& to) { to.empty(FrontendType::terminate); }) == message('X', ""));
}

TEST_CASE("a decoded message is written anew, under the name that it is given") {
  const std::string parse_body = z("s1") + z("select $1") + u16(2) + u32(23) + u32(0);
  Parse parse = *decode_parse(as_bytes(parse_body));
  parse.statement = "g42";
  CHECK(written([&](Writer& to) { to.parse(parse); }) ==
        message('P', z("g42") + z("select $1") + u16(2) + u32(23) + u32(0)));
  CHECK(written([](Writer& to) {
          to.parse({.statement = "", .text = "x", .parameter_types = {}});
        }) == message('P', z("") + z("x") + u16(0)));

  const std::string rest =
      u16(1) + u16(1) + u16(2) + value("a") + null_value() + u16(2) + u16(0) + u16(1);
  const std::string bind_body = z("p") + z("s1") + rest;
  Bind bind = *decode_bind(as_bytes(bind_body));
  bind.statement = "g42";
  CHECK(written([&](Writer& to) { to.bind(bind); }) == message('B', z("p") + z("g42") + rest));
  CHECK(written([](Writer& to) { to.bind({}); }) ==
        message('B', z("") + z("") + u16(0) + u16(0) + u16(0)));

  CHECK(written([](Writer& to) { to.describe(Target::Kind::statement, "g42"); }) ==
        message('D', "S" + z("g42")));
  CHECK(written([](Writer& to) { to.close(Target::Kind::portal, ""); }) ==
        message('C', "P" + z("")));
  CHECK(written([](Writer& to) {
          to.execute({"p", 0x7FFFFFFF});
        }) == message('E', z("p") + u32(0x7FFFFFFF)));
  CHECK(written([](Writer& to) { to.execute({"p", 0x80000000}); }) == "failed");
  CHECK(written([](Writer& to) { to.execute({}); }) == message('E', z("") + u32(0)));
}

TEST_CASE("nothing is written that would be read as something else") {
  const auto zero = "a\0b"sv;
  const auto fails = [](auto write) { return written(write) == "failed"; };
  CHECK(fails([&](Writer& to) { to.query(zero); }));
  CHECK(fails([&](Writer& to) { to.password_message(zero); }));
  CHECK(fails([&](Writer& to) { to.parameter_status("x", zero); }));
  CHECK(fails([&](Writer& to) { to.command_complete(zero); }));
  CHECK(fails([&](Writer& to) { to.notification_response(9, "ch", zero); }));
  CHECK(fails([&](Writer& to) { to.parse({zero, "x", {}}); }));
  CHECK(fails([&](Writer& to) { to.parse({"x", zero, {}}); }));
  CHECK(fails([&](Writer& to) { to.describe(Target::Kind::portal, zero); }));
  CHECK(fails([&](Writer& to) { to.close(Target::Kind::portal, zero); }));
  CHECK(fails([&](Writer& to) { to.execute({zero, 0}); }));
  CHECK(fails([&](Writer& to) { to.sasl_initial_response(zero, std::nullopt); }));
  CHECK(fails([&](Writer& to) { to.error_response({.code = "42501", .message = zero}); }));
  CHECK(fails(
      [&](Writer& to) { to.error_response({.code = "42501", .message = "x", .detail = zero}); }));
  CHECK(fails([&](Writer& to) { to.authentication_sasl(std::array{zero}); }));
  CHECK(fails([&](Writer& to) { to.negotiate_protocol_version({3, 0}, std::array{zero}); }));
  const auto startup = [&](Parameter parameter) {
    return fails([&](Writer& to) {
      to.startup_message({3, 0}, std::array{Parameter{"user", "ada"}, parameter});
    });
  };
  CHECK(startup({"", "x"}));
  CHECK(startup({"user", "eve"}));
  CHECK(startup({"x", zero}));
  CHECK_FALSE(startup({"x", "y"}));
  CHECK(fails([](Writer& to) { to.startup_message({3, 0}, {}); }));
  CHECK(fails([](Writer& to) {
    to.startup_message({2, 0}, std::array{Parameter{"user", "ada"}});
  }));
}

TEST_CASE("nothing is written that our own decoder would refuse by its length") {
  const auto fails = [](auto write) { return written(write) == "failed"; };
  CHECK(fails([](Writer& to) { to.cancel_request(7, as_bytes("abc")); }));
  CHECK(fails([](Writer& to) { to.backend_key_data(7, as_bytes("abc")); }));
  const std::string key(257, 'k');
  CHECK(fails([&](Writer& to) { to.backend_key_data(7, as_bytes(key)); }));
  CHECK(fails([&](Writer& to) { to.cancel_request(7, as_bytes(key)); }));
  CHECK(fails([](Writer& to) { to.empty(BackendType::ready_for_query); }));
  CHECK(fails([](Writer& to) { to.empty(FrontendType::query); }));

  std::vector<std::uint8_t> room(100'000);
  const std::string text(30'000, 'x');
  Writer status(room);
  status.parameter_status("x", text);
  CHECK(status.failed());
  Writer startup(room);
  startup.startup_message({3, 0}, std::array{Parameter{"user", text}});
  CHECK(startup.failed());
  CHECK(startup.written().empty());
}
