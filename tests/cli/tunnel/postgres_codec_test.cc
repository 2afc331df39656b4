// What a tunnel makes of PostgreSQL's protocol.
#include "cli/tunnel/postgres_codec.h"

#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "parsers/postgres/backend.h"
#include "parsers/postgres/encryption.h"
#include "parsers/postgres/header.h"
#include "parsers/postgres/writer.h"

using namespace sluice;
using cli::tunnel::Output;
using cli::tunnel::PostgresCodec;

namespace {

template <class Write>
std::string made(Write write) {
  std::array<std::uint8_t, 1024> room{};
  postgres::Writer writer(room);
  write(writer);
  REQUIRE_FALSE(writer.failed());
  return std::string(as_text(writer.written()));
}

const std::string ssl_request(as_text(postgres::ssl_request_packet));

std::string startup() {
  const std::array parameters{postgres::Parameter{"user", "ann"}};
  return made([&](auto& to) { to.startup_message({3, 0}, parameters); });
}
std::string password_asked() {
  return made([](auto& to) { to.authentication_cleartext_password(); });
}
std::string password(std::string_view token) {
  return made([&](auto& to) { to.password_message(token); });
}
std::string login_done() {
  return made([](auto& to) {
    to.authentication_ok();
    to.ready_for_query(postgres::TransactionStatus::idle);
  });
}

struct Bench {
  Result<std::string> token = std::string("a.b.c");
  PostgresCodec codec{[this] { return token; }};
  Output out;
  std::string from_client;
  std::string from_gateway;

  void ask(std::string_view bytes) {
    from_client += bytes;
    codec.take_from_client(from_client, out);
  }
  void reply(std::string_view bytes) {
    from_gateway += bytes;
    codec.take_from_gateway(from_gateway, out);
    if (!out.is_over) codec.take_from_client(from_client, out);
  }
  /// The SQLSTATE that the client is told at the end.
  [[nodiscard]] std::string refused_as() const {
    CHECK(out.is_over);
    const auto step = postgres::decode_header(postgres::Side::backend, as_bytes(out.to_client));
    REQUIRE(step.kind == postgres::HeaderStep::Kind::header);
    const auto report =
        postgres::decode_report(as_bytes(out.to_client).subspan(postgres::header_bytes));
    REQUIRE(report);
    CHECK(report->find('S') == "FATAL");
    return std::string(report->find('C'));
  }
};

}  // namespace

TEST_CASE("A login is answered with the token, and then all passes") {
  Bench bench;
  bench.ask(ssl_request);
  CHECK(bench.out.to_client == "N");
  bench.ask(startup());
  CHECK(bench.out.to_gateway == startup());
  bench.reply(password_asked());
  CHECK(bench.out.to_gateway == startup() + password("a.b.c"));
  CHECK(bench.out.to_client == "N");
  bench.reply(login_done());
  CHECK(bench.out.to_client.substr(1) == login_done());
  const std::string query = made([](auto& to) { to.query("SELECT 1"); });
  bench.ask(query);
  CHECK(bench.out.to_gateway == startup() + password("a.b.c") + query);
  bench.reply("anything");
  CHECK(bench.out.to_client.ends_with("anything"));
  CHECK_FALSE(bench.out.is_over);
  CHECK_FALSE(bench.codec.owes_client());
}

TEST_CASE("Wherever a login is split, the same goes on") {
  Bench bench;
  for (const char c : startup()) bench.ask({&c, 1});
  for (const char c : password_asked() + login_done()) bench.reply({&c, 1});
  CHECK(bench.out.to_gateway == startup() + password("a.b.c"));
  CHECK(bench.out.to_client == login_done());
}

TEST_CASE("What a client sends before its login is over waits") {
  Bench bench;
  bench.ask(startup() + "early");
  CHECK(bench.out.to_gateway == startup());
  bench.reply(password_asked());
  CHECK(bench.out.to_gateway == startup() + password("a.b.c"));
  bench.reply(login_done());
  CHECK(bench.out.to_gateway.ends_with("early"));
}

TEST_CASE("A refusal by the gateway reaches the client") {
  Bench bench;
  bench.ask(startup());
  bench.reply(password_asked());
  const std::string refusal = made(
      [](auto& to) { to.error_response({.severity = "FATAL", .code = "28P01", .message = "no"}); });
  bench.reply(refusal);
  CHECK(bench.out.to_client == refusal);
  CHECK(bench.codec.on_gateway_end());
}

TEST_CASE("The token is shown once, and only where a password is asked for") {
  Bench twice;
  twice.ask(startup());
  twice.reply(password_asked());
  twice.reply(password_asked());
  CHECK(twice.refused_as() == "28000");
  CHECK(twice.out.to_gateway == startup() + password("a.b.c"));

  Bench scram;
  scram.ask(startup());
  const std::array<std::string_view, 1> mechanisms{"SCRAM-SHA-256"};
  scram.reply(made([&](auto& to) { to.authentication_sasl(mechanisms); }));
  CHECK(scram.refused_as() == "28000");
  CHECK(scram.out.to_gateway == startup());
}

TEST_CASE("Without a token a login is refused with why") {
  Bench bench;
  bench.token = fail("nobody is logged in there");
  bench.ask(startup());
  bench.reply(password_asked());
  CHECK(bench.refused_as() == "28000");
  CHECK(bench.out.to_client.find("nobody is logged in there") != std::string::npos);
  CHECK(bench.out.to_gateway == startup());
}

TEST_CASE("A cancel request goes on as it is, and the gateway's end answers it") {
  Bench bench;
  const std::string cancel = made([](auto& to) {
    to.cancel_request(7, std::array<std::uint8_t, 4>{1, 2, 3, 4});
  });
  bench.ask(cancel);
  CHECK(bench.out.to_gateway == cancel);
  CHECK(bench.codec.owes_client());
  bench.codec.refuse("it is gone", bench.out);
  CHECK(bench.out.to_client.empty());
}

TEST_CASE("What is no PostgreSQL is refused") {
  Bench http;
  http.ask("GET / HTTP/1.1\r\n\r\n");
  CHECK(http.refused_as() == "08P01");
  Bench early;
  early.ask(ssl_request + startup());
  CHECK(early.refused_as() == "08P01");
  Bench row;
  row.ask(startup());
  row.reply(made([](auto& to) { to.data_row_head(0, 2); }));
  CHECK(row.refused_as() == "08P01");
  CHECK(row.out.to_gateway == startup());
}

TEST_CASE("A gateway that is lost is told of before a session is open") {
  Bench login;
  login.ask(startup());
  login.codec.refuse("it is gone", login.out);
  CHECK(login.refused_as() == "08006");
  Bench open;
  open.ask(startup());
  open.reply(login_done());
  open.codec.refuse("it is gone", open.out);
  CHECK(open.out.is_over);
  CHECK(open.out.to_client == login_done());
}
