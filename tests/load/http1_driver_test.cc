#include "load/http1_driver.h"

#include <catch2/catch.hpp>

using namespace sluice;
using load::Answer;

namespace {

std::unique_ptr<load::Driver> started(http1::Method method = http1::Method::get) {
  static const load::Http1DriverFactory get("GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                                            http1::Method::get);
  static const load::Http1DriverFactory head("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
                                             http1::Method::head);
  auto driver = (method == http1::Method::head ? head : get).make();
  driver->start();
  static_cast<void>(driver->next_request());
  return driver;
}

constexpr std::string_view answers[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
};

}  // namespace

TEST_CASE("an answer is complete at its last byte, wherever reads split it") {
  for (const auto text : answers) {
    for (std::size_t split = 1; split < text.size(); ++split) {
      CAPTURE(text, split);
      const auto driver = started();
      CHECK(driver->on_bytes(as_bytes(text.substr(0, split))).kind == Answer::Kind::incomplete);
      const Answer answer = driver->on_bytes(as_bytes(text.substr(split)));
      CHECK(answer.kind == Answer::Kind::complete);
      CHECK(answer.status == 200);
      CHECK_FALSE(answer.connection_ends);
    }
  }
}

TEST_CASE("a connection takes request after request") {
  const auto driver = started();
  for (int i = 0; i < 3; ++i) {
    CHECK(driver->on_bytes(as_bytes(answers[0])).kind == Answer::Kind::complete);
    CHECK_FALSE(driver->next_request().empty());
  }
}

TEST_CASE("an answer until close ends with the connection") {
  const auto driver = started();
  CHECK(driver->on_bytes(as_bytes("HTTP/1.1 200 OK\r\n\r\nabc")).kind == Answer::Kind::incomplete);
  const Answer answer = driver->on_close();
  CHECK(answer.kind == Answer::Kind::complete);
  CHECK(answer.connection_ends);
}

TEST_CASE("a close inside an answer, junk and bytes past the answer are broken") {
  CHECK(started()->on_close().kind == Answer::Kind::broken);
  CHECK(started()->on_bytes(as_bytes("SSH-2.0-x\r\n")).kind == Answer::Kind::broken);
  CHECK(started()->on_bytes(as_bytes("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab")).kind ==
        Answer::Kind::broken);
  const auto cut = started();
  static_cast<void>(cut->on_bytes(as_bytes("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")));
  CHECK(cut->on_close().kind == Answer::Kind::broken);
}

TEST_CASE("a HEAD answer has no body") {
  CHECK(started(http1::Method::head)
            ->on_bytes(as_bytes("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"))
            .kind == Answer::Kind::complete);
}

TEST_CASE("a request is encoded once with host, fields and length") {
  const auto url = load::parse_url("http://127.0.0.1:8080/v1?x=1").value();
  CHECK(load::encode({}, url).value() == "GET /v1?x=1 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n");
  CHECK(load::encode({.method = "POST", .fields = {{"host", "a"}, {"X-B", "c"}}, .body = "hi"}, url)
            .value() ==
        "POST /v1?x=1 HTTP/1.1\r\nhost: a\r\nX-B: c\r\nContent-Length: 2\r\n\r\nhi");
  CHECK_FALSE(load::encode({.method = "G T", .fields = {}, .body = {}}, url));
  CHECK_FALSE(load::encode({.method = "GET", .fields = {{"a", "b\r\nc: d"}}, .body = {}}, url));
}
