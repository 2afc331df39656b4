#include "control/http.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "control/socket.h"

using namespace sluice;
using namespace sluice::control;

namespace {

/// A server on a free port, and one exchange with it.
class Echo {
 public:
  explicit Echo(HttpServer::Handler handler, HttpServerOptions options = {}) {
    auto listener = listen_loopback({.host = "127.0.0.1", .port = 0});
    REQUIRE(listener);
    port_ = local_port(*listener).value();
    auto server = HttpServer::start(std::move(*listener), std::move(handler), std::move(options));
    REQUIRE(server);
    server_ = std::move(*server);
  }

  [[nodiscard]] Descriptor connect() const { return connect_loopback(port_).value(); }

  /// What the server answers to these very bytes, until it closes.
  [[nodiscard]] std::string raw(std::string_view bytes) const {
    const auto socket = connect();
    send(socket, bytes);
    ::shutdown(socket.get(), SHUT_WR);
    return rest_of(socket);
  }
  static void send(const Descriptor& socket, std::string_view bytes) {
    REQUIRE(::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  static std::string rest_of(const Descriptor& socket) {
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

TEST_CASE("a request that dribbles in is cut when its time is over") {
  const Echo server(echo, {.timeout = milliseconds(200)});
  const auto socket = server.connect();
  const auto begin = std::chrono::steady_clock::now();
  // Each byte is progress, and gains no time.
  while (::send(socket.get(), "G", 1, MSG_NOSIGNAL) == 1 &&
         std::chrono::steady_clock::now() - begin < std::chrono::seconds(20)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
}

TEST_CASE("one source has at most so many connections at a time") {
  const Echo server(echo, {.connections_max = 3, .connections_per_source_max = 2});
  const auto first = server.connect();
  const auto second = server.connect();
  std::string answer = "x";
  while (!answer.empty()) answer = server.raw("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(answer.empty());
}

TEST_CASE("what cannot be secured is closed, and what is goes over the other channel") {
  class Shifted final : public Channel {
   public:
    explicit Shifted(Channel& below) : below_(below) {}
    Result<std::size_t> read(std::string& unread) override {
      const std::size_t before = unread.size();
      auto got = below_.read(unread);
      for (std::size_t i = before; i < unread.size(); ++i) ++unread[i];
      return got;
    }
    Result<void> write(ByteView bytes) override { return below_.write(bytes); }
    void end() override { below_.end(); }

   private:
    Channel& below_;
  };
  std::string request = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
  for (char& c : request) --c;
  const Echo secured(echo, {.secure = [](Channel& below) -> Result<std::unique_ptr<Channel>> {
                       return std::make_unique<Shifted>(below);
                     }});
  CHECK(secured.raw(request).ends_with("GET /a "));
  const Echo closed(
      echo, {.secure = [](Channel&) -> Result<std::unique_ptr<Channel>> { return fail("no"); }});
  CHECK(closed.raw(request).empty());
}

namespace {

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/// Three pieces, of which the second is not there yet when it is asked for.
HttpReply in_pieces(const HttpRequest& /*request*/) {
  return {.body = "a", .stream = HttpStream{[asked = 0]() mutable -> std::optional<std::string> {
                         constexpr std::array<const char*, 3> pieces{"b", "", "c"};
                         if (asked == 3) return std::nullopt;
                         return pieces.at(static_cast<std::size_t>(asked++));
                       }}};
}

}  // namespace

TEST_CASE("a reply in pieces has no length and ends with its connection") {
  const Echo server(in_pieces);
  const auto socket = server.connect();
  Echo::send(socket, get);
  const std::string reply = Echo::rest_of(socket);
  CHECK(reply.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(reply.find("Content-Length") == reply.npos);
  CHECK(reply.ends_with("Connection: close\r\n\r\nabc"));
  CHECK(server.raw("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").ends_with("\r\n\r\n"));
}

TEST_CASE("a stream that knows its length says it, and sends one piece behind the other") {
  static constexpr std::uint64_t wanted = 100;
  const std::uint64_t given = GENERATE(100U, 99U);
  const Echo server([given](const HttpRequest&) {
    return HttpReply{.stream = HttpStream{[left = given]() mutable -> std::optional<std::string> {
                                            if (left == 0) return std::nullopt;
                                            --left;
                                            return "x";
                                          },
                                          wanted}};
  });
  const auto began = std::chrono::steady_clock::now();
  const auto reply = exchange(server.connect(), {});
  // A hundred pauses would be fifty seconds.
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(20));
  // What was cut short does not pass for whole.
  REQUIRE(reply.has_value() == (given == wanted));
  if (reply) CHECK(reply->body == std::string(wanted, 'x'));
}

TEST_CASE("half of the connections may be in pieces, and who goes makes room") {
  std::atomic<int> ended{0};
  std::optional<Echo> server;
  server.emplace(
      [&ended](const HttpRequest&) {
        // Counts when nobody asks it for pieces any more.
        const auto guard = std::shared_ptr<int>(new int, [&ended](const int* one) {
          delete one;
          ++ended;
        });
        return HttpReply{.stream =
                             HttpStream{[guard]() -> std::optional<std::string> { return "x"; }}};
      },
      HttpServerOptions{.connections_max = 4, .connections_per_source_max = 4});
  std::vector<Descriptor> clients;
  for (int i = 0; i < 2; ++i) {
    clients.push_back(server->connect());
    Echo::send(clients.back(), get);
    std::array<char, 512> room{};
    REQUIRE(::recv(clients.back().get(), room.data(), room.size(), 0) > 0);
  }
  CHECK(server->raw(get).starts_with("HTTP/1.1 503 "));
  clients.pop_back();
  while (ended < 2) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const auto next = server->connect();
  Echo::send(next, get);
  std::array<char, 512> room{};
  const ssize_t got = ::recv(next.get(), room.data(), room.size(), 0);
  REQUIRE(got > 0);
  CHECK(std::string_view(room.data(), static_cast<std::size_t>(got)).starts_with("HTTP/1.1 200 "));
  // A server that stops waits for none of them.
  server.reset();
}

namespace {

/// So many pieces of a kind, and how long each takes to make.
HttpStream stream_of(int pieces, std::size_t bytes, std::chrono::milliseconds each, bool is_known) {
  HttpStream out{[left = pieces, bytes, each]() mutable -> std::optional<std::string> {
    if (left-- == 0) return std::nullopt;
    std::this_thread::sleep_for(each);
    return std::string(bytes, 'x');
  }};
  if (is_known) out.bytes = static_cast<std::uint64_t>(pieces) * bytes;
  return out;
}

}  // namespace

TEST_CASE("only a stream that nobody knows the end of is cut when its time is over") {
  const bool is_known = GENERATE(true, false);
  constexpr std::size_t piece = HttpServer::progress_bytes;
  const Echo server(
      [is_known](const HttpRequest&) {
        return HttpReply{.stream = stream_of(20, piece, std::chrono::milliseconds(30), is_known)};
      },
      {.timeout = milliseconds(500), .stream_time_max = milliseconds(100)});
  const auto reply = exchange(server.connect(), {});
  REQUIRE(reply);
  CHECK((reply->body.size() == 20 * piece) == is_known);
}

TEST_CASE("who takes a stream of known length byte by byte holds its place no longer than others") {
  std::atomic<bool> ended{false};
  const Echo server(
      [&ended](const HttpRequest&) {
        auto stream = stream_of(1 << 10, 1 << 20, {}, true);
        stream.pieces = [pieces = stream.pieces, guard = std::shared_ptr<void>(
                                                     nullptr, [&ended](void*) { ended = true; })] {
          return pieces();
        };
        return HttpReply{.stream = std::move(stream)};
      },
      {.timeout = milliseconds(300)});
  const auto socket = server.connect();
  Echo::send(socket, get);
  const auto begin = std::chrono::steady_clock::now();
  char byte = 0;
  while (!ended && std::chrono::steady_clock::now() - begin < std::chrono::seconds(20)) {
    // Each byte is progress, and gains no time.
    static_cast<void>(::recv(socket.get(), &byte, 1, MSG_DONTWAIT));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  CHECK(ended);
}

TEST_CASE("a handler may ask whether anybody still waits for it") {
  std::atomic<int> state{0};
  const Echo server([&state](const HttpRequest& request) {
    if (!request.is_awaited()) return HttpReply{.status = 500};
    state = 1;
    while (request.is_awaited()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    state = 2;
    return HttpReply{};
  });
  {
    const auto socket = server.connect();
    Echo::send(socket, get);
    while (state == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    CHECK(state == 1);
  }
  while (state == 1) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK(state == 2);
}

TEST_CASE("a body that is fetched goes where it is wanted, when it went well") {
  const int status = GENERATE(200, 422);
  const Echo server([status](const HttpRequest&) {
    return HttpReply{.status = status,
                     .stream = stream_of(100, 1 << 20, std::chrono::milliseconds(0), true)};
  });
  const auto socket = server.connect();
  SocketChannel channel(socket);
  std::uint64_t taken = 0;
  const auto reply = fetch(channel, channel, {}, {.sink = [&taken](ByteView piece) -> Result<void> {
                             taken += piece.size();
                             return {};
                           }});
  // What is no file, and as long, is not kept in memory either.
  REQUIRE(reply.has_value() == (status == 200));
  CHECK(taken == (status == 200 ? 100U << 20U : 0U));
}

TEST_CASE("a fetch ends when what comes cannot be kept, and when nothing comes any more") {
  const Echo server([](const HttpRequest&) {
    return HttpReply{.stream = stream_of(10, 1, std::chrono::milliseconds(300), true)};
  });
  const auto full = server.connect();
  SocketChannel to_full(full);
  const auto kept =
      fetch(to_full, to_full, {}, {.sink = [](ByteView) -> Result<void> { return fail("full"); }});
  REQUIRE_FALSE(kept);
  CHECK(kept.error().message == "full");
  const auto slow = server.connect();
  SocketChannel to_slow(slow);
  const auto late =
      fetch(to_slow, to_slow, {},
            {.sink = [](ByteView) { return Result<void>(); }, .next = milliseconds(50)});
  REQUIRE_FALSE(late);
  CHECK(late.error().message == "it took too long");
}
