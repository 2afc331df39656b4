#include "load/http1_driver.h"

#include <catch2/catch.hpp>

using namespace sluice;
using load::Answer;

namespace {

const load::Url url = load::parse_url("http://127.0.0.1:8080/v1?x=1").value();

std::unique_ptr<load::Http1DriverFactory> factory_of(load::Mix mix, std::uint64_t seed = 1) {
  return load::Http1DriverFactory::make(mix, url, seed).value();
}

std::unique_ptr<load::Driver> started(const std::string& method = "GET") {
  static const auto get = factory_of({.requests = {{.name = "get"}}});
  static const auto head = factory_of({.requests = {{.name = "head", .method = "HEAD"}}});
  auto driver = (method == "HEAD" ? head : get)->make_driver(0);
  driver->start();
  static_cast<void>(driver->next_request());
  return driver;
}

/// The first request of a connection.
std::string first_request(const load::DriverFactory& factory, std::uint64_t connection) {
  const auto driver = factory.make_driver(connection);
  driver->start();
  return std::string(as_text(driver->next_request()));
}

std::string written(load::MixRequest request) {
  return first_request(*factory_of({.requests = {std::move(request)}}), 0);
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
  CHECK(started("HEAD")->on_bytes(as_bytes("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")).kind ==
        Answer::Kind::complete);
}

TEST_CASE("a request is written with host, fields and length") {
  CHECK(written({}) == "GET /v1?x=1 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n");
  CHECK(written({.method = "POST", .headers = {{"host", "a"}, {"X-B", "c"}}, .body = "hi"}) ==
        "POST /v1?x=1 HTTP/1.1\r\nhost: a\r\nX-B: c\r\nContent-Length: 2\r\n\r\nhi");
  CHECK(written({.method = "PUT", .path = "/own"}) ==
        "PUT /own HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Length: 0\r\n\r\n");
  CHECK_FALSE(load::compile({.method = "G T"}, url));
  CHECK_FALSE(load::compile({.headers = {{"a", "b\r\nc: d"}}}, url));
}

TEST_CASE("a request with placeholders has the length of what they became") {
  const auto factory =
      factory_of({.requests = {{.name = "pay",
                                .method = "POST",
                                .path = "/p/{{number 7..7}}",
                                .headers = {{"Authorization", "Bearer {{identity}}"}},
                                .body = "{\"n\":{{number 100..100}}}"}},
                  .identities = {"one", "two"}});
  CHECK(first_request(*factory, 0) ==
        "POST /p/7 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Bearer one\r\n"
        "Content-Length: 9\r\n\r\n{\"n\":100}");
  CHECK(first_request(*factory, 1).find("Bearer two\r\n") != std::string::npos);
  CHECK(first_request(*factory, 2).find("Bearer one\r\n") != std::string::npos);
}

TEST_CASE("on the command line braces are braces") {
  CHECK(written({.method = "POST", .body = "{{card}}", .has_templates = false})
            .ends_with("\r\n\r\n{{card}}"));
}

TEST_CASE("the same seed sends the same requests, another seed others") {
  const load::Mix mix{.requests = {{.name = "a", .path = "/{{uuid}}"}}};
  CHECK(first_request(*factory_of(mix, 5), 3) == first_request(*factory_of(mix, 5), 3));
  CHECK(first_request(*factory_of(mix, 5), 3) != first_request(*factory_of(mix, 6), 3));
  CHECK(first_request(*factory_of(mix, 5), 3) != first_request(*factory_of(mix, 5), 4));
}

TEST_CASE("requests are drawn by their weights") {
  const auto factory = factory_of({.requests = {{.name = "often", .weight = 3, .path = "/often"},
                                                {.name = "rare", .weight = 1, .path = "/rare"}}});
  const auto driver = factory->make_driver(0);
  driver->start();
  int rare = 0;
  for (int i = 0; i < 4000; ++i) {
    if (as_text(driver->next_request()).starts_with("GET /rare ")) ++rare;
    REQUIRE(driver->on_bytes(as_bytes(answers[0])).kind == Answer::Kind::complete);
  }
  CHECK(rare > 850);
  CHECK(rare < 1150);
}

TEST_CASE("an answer that is not as expected names the check that failed") {
  load::Expectation expect;
  expect.status = load::ExpectedStatus::parse("2xx");
  expect.no_unmasked_card = true;
  const auto factory = factory_of(
      {.requests = {{.name = "list", .path = "/unchecked"}, {.name = "pay", .expect = expect}}});
  CHECK(factory->check_names().size() == 6);
  const auto driver = factory->make_driver(0);
  driver->start();
  const auto answered = [&](std::string_view status, std::string_view body) -> std::string {
    // Only "pay" is checked.
    for (;;) {
      const bool is_checked = !as_text(driver->next_request()).starts_with("GET /unchecked");
      const Answer answer = driver->on_bytes(as_bytes(
          fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body)));
      REQUIRE(answer.kind == Answer::Kind::complete);
      if (!is_checked) {
        CHECK(answer.failed_check == load::no_check);
        continue;
      }
      return answer.failed_check == load::no_check ? ""
                                                   : factory->check_names()[answer.failed_check];
    }
  };
  CHECK(answered("200", "411111******1111").empty());
  CHECK(answered("204", "").empty());
  CHECK(answered("403", "no") == "pay: status");
  CHECK(answered("200", "card 4111111111111111!") == "pay: unmasked card number");
  CHECK(answered("200", "fine again").empty());
}
