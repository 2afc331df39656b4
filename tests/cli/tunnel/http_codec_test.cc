// What a tunnel makes of HTTP.
#include "cli/tunnel/http_codec.h"

#include <catch2/catch.hpp>
#include <string>

using namespace sluice;
using cli::tunnel::HttpCodec;
using cli::tunnel::Output;

namespace {

constexpr std::uint16_t port = 21234;
const std::string host = "Host: 127.0.0.1:21234\r\n";
const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct Bench {
  Result<std::string> token = std::string("a.b.c");
  HttpCodec codec{port, "gw.test:8443", [this] { return token; }};
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
};

/// The status of the tunnel's own answer; nothing of the request went on.
std::string refusal_of(const std::string& request) {
  Bench bench;
  bench.ask(request);
  CHECK(bench.out.is_over);
  CHECK(bench.out.to_gateway.empty());
  return bench.out.to_client.substr(9, 3);
}

}  // namespace

TEST_CASE("A request gets the token, the gateway's name, and keeps all else") {
  Bench bench;
  bench.ask(
      "POST /pay?x=1 HTTP/1.1\r\n" + host +
      "Authorization: Bearer mine\r\nX-Api-Key: mine\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhel");
  bench.ask("lo");
  CHECK(bench.out.to_gateway ==
        "POST /pay?x=1 HTTP/1.1\r\nHost: gw.test:8443\r\nContent-Length: 5\r\nX-A: b\r\n"
        "Authorization: Bearer a.b.c\r\n\r\nhello");
  CHECK(bench.codec.owes_client());
  bench.reply(answer);
  CHECK(bench.out.to_client == answer);
  CHECK_FALSE(bench.codec.owes_client());
  CHECK_FALSE(bench.out.is_over);
}

TEST_CASE("Wherever a request and its answer are split, the same goes on") {
  const std::string request = "PUT /a HTTP/1.1\r\n" + host +
                              "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n";
  Bench whole;
  whole.ask(request);
  whole.reply(answer);
  Bench bytewise;
  for (const char c : request) bytewise.ask({&c, 1});
  for (const char c : answer) bytewise.reply({&c, 1});
  CHECK(bytewise.out.to_gateway == whole.out.to_gateway);
  CHECK(bytewise.out.to_client == answer);
  CHECK(whole.out.to_gateway.ends_with("\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"));
}

TEST_CASE(
    "The next request waits for the answer to the one before, and has the token of its time") {
  Bench bench;
  const std::string request = "GET / HTTP/1.1\r\n" + host + "\r\n";
  bench.ask(request + request);
  const std::size_t one = bench.out.to_gateway.size();
  bench.token = std::string("d.e.f");
  bench.reply("HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(bench.out.to_gateway.size() == one);
  bench.reply(answer);
  CHECK(bench.out.to_gateway.substr(one).find("Bearer d.e.f\r\n") != std::string::npos);
}

TEST_CASE("What a page in a browser may have sent is refused") {
  const std::string begin = "GET / HTTP/1.1\r\n";
  for (const std::string field : {"Origin: null", "Referer: http://x.example/",
                                  "sec-fetch-mode: cors", "User-Agent: Mozilla/5.0 (X11)"}) {
    CHECK(refusal_of(begin + host + field + "\r\n\r\n") == "403");
  }
  CHECK(refusal_of(begin + "Host: rebound.example:21234\r\n\r\n") == "421");
  CHECK(refusal_of(begin + "Host: 127.0.0.1\r\n\r\n") == "421");
  Bench named;
  named.ask(begin + "Host: localhost:21234\r\nUser-Agent: curl/8\r\n\r\n");
  CHECK_FALSE(named.out.is_over);
}

TEST_CASE("What is not understood is refused") {
  CHECK(refusal_of("GET / HTTP/1.0\r\n" + host + "\r\n") == "505");
  CHECK(refusal_of("GET / HTTP/1.1\r\n\r\n") == "400");
  CHECK(refusal_of("GET / HTTP/1.1\r\n" + host +
                   "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n") == "400");
  CHECK(refusal_of("\x16\x03\x01 tls\r\n\r\n") == "400");
}

TEST_CASE("Without a token there is an answer that says why") {
  Bench bench;
  bench.token = fail("nobody is logged in there: \"sluice login\"");
  bench.ask("GET / HTTP/1.1\r\n" + host + "\r\n");
  CHECK(bench.out.is_over);
  CHECK(bench.out.to_gateway.empty());
  CHECK(bench.out.to_client.starts_with("HTTP/1.1 502 "));
  CHECK(bench.out.to_client.find(R"("detail":"nobody is logged in there: \"sluice login\"")") !=
        std::string::npos);
}

TEST_CASE("A gateway that is lost is told of where nothing of an answer has passed") {
  const std::string request = "GET / HTTP/1.1\r\n" + host + "\r\n";
  Bench early;
  early.ask(request);
  early.codec.refuse("it is gone", early.out);
  CHECK(early.out.to_client.starts_with("HTTP/1.1 502 "));

  Bench late;
  late.ask(request);
  late.reply("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
  const std::string passed = late.out.to_client;
  late.codec.refuse("it is gone", late.out);
  CHECK(late.out.is_over);
  CHECK(late.out.to_client == passed);
  CHECK(late.codec.owes_client());

  Bench idle;
  idle.ask(request);
  idle.reply(answer);
  idle.codec.refuse("it is gone", idle.out);
  CHECK(idle.out.to_client == answer);
  CHECK_FALSE(idle.codec.owes_client());
}

TEST_CASE("The gateway's end is one where its answer is over") {
  const std::string request = "GET / HTTP/1.1\r\n" + host + "\r\n";
  Bench cut;
  cut.ask(request);
  cut.reply("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
  CHECK_FALSE(cut.codec.on_gateway_end());
  Bench until_close;
  until_close.ask(request);
  until_close.reply("HTTP/1.1 200 OK\r\n\r\nall");
  CHECK(until_close.codec.on_gateway_end());
  Bench idle;
  CHECK(idle.codec.on_gateway_end());
}

TEST_CASE("Behind an answer that ends the connection, or that nobody asked for, nothing goes on") {
  const std::string request = "GET / HTTP/1.1\r\n" + host + "\r\n";
  Bench closing;
  closing.ask(request + request);
  const std::size_t one = closing.out.to_gateway.size();
  closing.reply("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  CHECK(closing.out.is_over);
  CHECK(closing.out.to_gateway.size() == one);
  Bench unasked;
  unasked.reply(answer);
  CHECK(unasked.out.is_over);
  CHECK(unasked.out.to_client.empty());
  Bench twice;
  twice.ask(request);
  twice.reply(answer + answer);
  CHECK(twice.out.is_over);
  CHECK(twice.out.to_client == answer);
}
