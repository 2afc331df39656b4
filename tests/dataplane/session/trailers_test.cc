// Trailer sections on their way through a session: masked like headers, and what
// may not stand in one ends the message before its last chunk.
#include <catch2/catch.hpp>

#include "session_bench.h"
#include "snapshot_of.h"

using namespace sluice;
using namespace sluice::dataplane;
using Catch::Contains;

namespace {

constexpr const char* masks = R"(masks:
  - {name: pan, find: "builtin:payment-card", show: {partial: {first: 6, last: 4}}, on: both}
  - {name: crosses, find: {patterns: ["x"]}, show: redact, on: both}
)";

constexpr std::string_view chunked = "Transfer-Encoding: chunked\r\nContent-Type: text/plain\r\n";

/// A session between alice and the target.
class Conversation {
 public:
  Conversation()
      : key_(identity::make_key("alice", {"clerks"}, {INT64_MAX},
                                std::array<std::uint8_t, 32>{1, 2, 3})),
        bench_(test::snapshot_of(test::open_gateway(masks), key_.yaml_entry)) {}

  SessionBench& bench() { return bench_; }

  /// What the target receives of a chunked request with this end.
  std::string send(const std::string& end) {
    bench_.client_sends("POST /a HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer " + key_.secret +
                        "\r\n" + std::string(chunked) + "\r\n5\r\nhello\r\n");
    bench_.connect_upstream();
    const std::string begin = bench_.to_upstream();
    bench_.client_sends(end);
    return begin + bench_.to_upstream();
  }

  /// What the client receives of a chunked response with this end.
  std::string answer(const std::string& end, const std::string& version = "HTTP/1.1") {
    bench_.client_sends("GET /a " + version + "\r\nHost: api\r\nAuthorization: Bearer " +
                        key_.secret + "\r\n\r\n");
    bench_.connect_upstream();
    (void)bench_.to_upstream();
    bench_.upstream_sends("HTTP/1.1 200 OK\r\n" + std::string(chunked) + "\r\n5\r\nhello\r\n");
    const std::string begin = bench_.to_client();
    bench_.upstream_sends(end);
    return begin + bench_.to_client();
  }

 private:
  identity::NewKey key_;
  SessionBench bench_;
};

/// Ends of a message that no reader may take for one.
const std::string bad_ends[] = {
    "0\r\nContent-Length: 1\r\n\r\n",
    "0\r\nX-Fine: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "0\r\nAuthorization: Bearer x\r\n\r\n",
    "0\r\nContent-Digest: sha-256=:AA==:\r\n\r\n",  // of the body before it was masked
    "0\r\nX-A : b\r\n\r\n",
    "0\r\nX-A: b\r\n c\r\n\r\n",
    "0\r\nX-A: b\n\r\n",
};

}  // namespace

TEST_CASE("Trailers go through both ways, masked") {
  Conversation up;
  CHECK_THAT(up.send("0\r\nX-Card: 4111111111111111\r\nX-B: c\r\n\r\n"),
             Catch::EndsWith("hello\r\n0\r\nX-Card: 411111******1111\r\nX-B: c\r\n\r\n"));
  Conversation down;
  CHECK_THAT(down.answer("0\r\nX-Card: 4111111111111111\r\nX-B: c\r\n\r\n"),
             Catch::EndsWith("hello\r\n0\r\nX-Card: 411111******1111\r\nX-B: c\r\n\r\n"));
}

TEST_CASE("A request with a bad trailer never ends for the target, and is answered 400") {
  for (const std::string& end : bad_ends) {
    INFO(end);
    Conversation conversation;
    const std::string sent = conversation.send(end);
    CHECK_THAT(sent, Catch::StartsWith("POST /a HTTP/1.1\r\n"));
    CHECK_THAT(sent, !Contains("\r\n0\r\n"));
    HttpSession& session = conversation.bench().session();
    CHECK(session.take_upstream_wish() == HttpSession::UpstreamWish::discard);
    CHECK_THAT(conversation.bench().to_client(), Catch::StartsWith("HTTP/1.1 400 "));
    CHECK(session.client_end() == HttpSession::ClientEnd::after_flush);
  }
}

TEST_CASE("A response with a bad trailer never ends for the client, whose connection does") {
  for (const std::string& end : bad_ends) {
    INFO(end);
    Conversation conversation;
    const std::string received = conversation.answer(end);
    CHECK_THAT(received, Catch::StartsWith("HTTP/1.1 200 OK\r\n"));
    CHECK_THAT(received, !Contains("\r\n0\r\n"));
    HttpSession& session = conversation.bench().session();
    CHECK(session.take_upstream_wish() == HttpSession::UpstreamWish::discard);
    CHECK(session.client_end() == HttpSession::ClientEnd::after_flush);
  }
}

TEST_CASE("A response whose end is the connection's is cut at once when it is bad") {
  Conversation conversation;
  const std::string received = conversation.answer(bad_ends[0], "HTTP/1.0");
  CHECK_THAT(received, Contains("Connection: close\r\n"));
  CHECK(conversation.bench().session().client_end() == HttpSession::ClientEnd::now);
}

TEST_CASE("Trailers that masks make too long end neither message") {
  const std::string long_once_masked(1500, 'x');
  const std::string end =
      "0\r\nA: " + long_once_masked + "\r\nB: " + long_once_masked + "\r\nC: d\r\n\r\n";
  Conversation up;
  CHECK_THAT(up.send(end), !Contains("\r\n0\r\n"));
  CHECK_THAT(up.bench().to_client(), Catch::StartsWith("HTTP/1.1 431 "));
  Conversation down;
  CHECK_THAT(down.answer(end), !Contains("\r\n0\r\n"));
  CHECK(down.bench().session().client_end() == HttpSession::ClientEnd::after_flush);
}
