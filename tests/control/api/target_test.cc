#include "control/api/target.h"

#include <catch2/catch.hpp>

using namespace sluice::control::api;

TEST_CASE("A target is taken apart into segments and a query, decoded once") {
  const auto target = parse_target("/v1/a%20b/%2525?x=1&y=a+b%2B&z");
  REQUIRE(target);
  CHECK(target->path == "/v1/a%20b/%2525");
  CHECK(target->segments == std::vector<std::string>{"v1", "a b", "%25"});
  REQUIRE(target->query.size() == 3);
  CHECK(target->query[0] == std::pair<std::string, std::string>("x", "1"));
  CHECK(target->query[1] == std::pair<std::string, std::string>("y", "a b+"));
  CHECK(target->query[2] == std::pair<std::string, std::string>("z", ""));
  CHECK(parse_target("/")->segments == std::vector<std::string>{""});
  CHECK(parse_target("/a/")->segments == std::vector<std::string>{"a", ""});
}

TEST_CASE("What is escaped wrongly is no target") {
  for (const char* text :
       {"", "*", "a", "http://a/", "/%", "/%4", "/%g1", "/%0a", "/%7f", "/?a=%"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_target(text));
  }
}

TEST_CASE("What was escaped comes back") {
  const std::string text = "a/b c%?&=é~";
  const auto target = parse_target(std::string("/").append(escaped(text)));
  REQUIRE(target);
  CHECK(target->segments == std::vector<std::string>{text});
}
