#include "load/url.h"

#include <catch2/catch.hpp>

using sluice::load::parse_url;

TEST_CASE("a URL falls into host, port, authority and target") {
  struct Row {
    const char* text;
    const char* host;
    std::uint16_t port;
    const char* authority;
    const char* target;
  };
  for (const Row& row :
       {Row{"http://h", "h", 80, "h", "/"},
        Row{"http://127.0.0.1:8080/a/b?c=d", "127.0.0.1", 8080, "127.0.0.1:8080", "/a/b?c=d"},
        Row{"http://[::1]:81/", "::1", 81, "[::1]:81", "/"},
        Row{"http://h?q", "h", 80, "h", "/?q"}}) {
    CAPTURE(row.text);
    const auto url = parse_url(row.text);
    REQUIRE(url);
    CHECK(url->host == row.host);
    CHECK(url->port == row.port);
    CHECK(url->authority == row.authority);
    CHECK(url->target == row.target);
  }
}

TEST_CASE("what is not an http URL is refused") {
  for (const char* text : {"", "h:80", "https://h/", "http://", "http://h:0/", "http://h:65536/",
                           "http://h:8a/", "http://[::1/", "http://[::1]x/", "http://u@h/",
                           "http://h/a b", "http://h/\r\nX: y", "http://h/#f"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_url(text));
  }
}
