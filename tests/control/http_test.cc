#include "control/http.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <catch2/catch.hpp>

#include "control/socket.h"

using namespace sluice::control;

namespace {

/// A server on a free port, and one exchange with it.
class Echo {
 public:
  explicit Echo(HttpServer::Handler handler) {
    auto listener = listen_loopback({.host = "127.0.0.1", .port = 0});
    REQUIRE(listener);
    port_ = local_port(*listener).value();
    auto server = HttpServer::start(std::move(*listener), std::move(handler));
    REQUIRE(server);
    server_ = std::move(*server);
  }

  [[nodiscard]] Descriptor connect() const { return connect_loopback(port_).value(); }

  /// What the server answers to these very bytes, until it closes.
  [[nodiscard]] std::string raw(std::string_view bytes) const {
    const auto socket = connect();
    REQUIRE(::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
    ::shutdown(socket.get(), SHUT_WR);
    std::string answer;
    std::array<char, 4096> room{};
    for (;;) {
      const ssize_t got = ::recv(socket.get(), room.data(), room.size(), 0);
      if (got <= 0) return answer;
      answer.append(room.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  std::uint16_t port_ = 0;
  std::unique_ptr<HttpServer> server_;
};

HttpReply echo(const HttpRequest& request) {
  return {.body = fmt::format("{} {} {}", request.method, request.target, request.body),
          .fields = {{"X-Seen", std::string(field_value(request.fields, "x-asked"))}}};
}

}  // namespace

TEST_CASE("server and client agree on method, target, fields and body") {
  const Echo server(echo);
  const auto reply = exchange(server.connect(), {.method = "POST",
                                                 .target = "/a?b=c",
                                                 .fields = {{"X-Asked", "yes"}},
                                                 .body = std::string(100'000, 'z')});
  REQUIRE(reply);
  CHECK(reply->status == 200);
  CHECK(reply->body == "POST /a?b=c " + std::string(100'000, 'z'));
  CHECK(field_value(reply->fields, "X-SEEN") == "yes");
}

TEST_CASE("a HEAD reply has a length and no body") {
  const Echo server(echo);
  const auto reply = exchange(server.connect(), {.method = "HEAD", .target = "/"});
  REQUIRE(reply);
  CHECK(reply->body.empty());
  CHECK(field_value(reply->fields, "content-length") == "7");
}

TEST_CASE("malformed requests are answered and never reach the handler") {
  const Echo server([](const HttpRequest&) -> HttpReply { return {.status = 599}; });
  CHECK(server.raw("GET / HTTP/1.1\nHost: x\n\n").starts_with("HTTP/1.1 400 "));
  CHECK(server.raw("GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400 "));
  CHECK(server.raw("GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(20'000, 'a') + "\r\n\r\n")
            .starts_with("HTTP/1.1 431 "));
  CHECK(server.raw("GET / HTTP/1.1\r\nHost").empty());
}
