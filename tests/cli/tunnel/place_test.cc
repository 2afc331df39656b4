// Where a tunnel is, and the token that it shows.
#include "cli/tunnel/place.h"

#include <catch2/catch.hpp>
#include <set>

#include "cli/remote_gateway.h"
#include "cli/tunnel/tokens.h"

using namespace sluice;
using namespace sluice::cli::tunnel;
using config::Protocol;

TEST_CASE("A port stays the same for a gateway and a target") {
  // People keep it in their settings: it is never to change.
  CHECK(usual_port("gw1.example.com", "ledger-db") == 23670);
  std::set<std::uint16_t> ports;
  for (int i = 0; i < 100; ++i) ports.insert(usual_port("gw1", std::to_string(i)));
  CHECK(ports.size() > 90);
  CHECK(*ports.begin() >= 20'000);
  CHECK(*ports.rbegin() < 30'000);
}

TEST_CASE("The line is one that a shell reads as it is meant") {
  CHECK(command_line(Protocol::http, 21234, "ann", {}) == "curl http://127.0.0.1:21234/");
  CHECK(command_line(Protocol::postgres, 21234, {}, {}) == "psql -h 127.0.0.1 -p 21234");
  CHECK(command_line(Protocol::postgres, 21234, "corp:ann@example.com", "ledger") ==
        "psql -h 127.0.0.1 -p 21234 -U corp:ann@example.com -d ledger");
  CHECK(command_line(Protocol::postgres, 21234, "ann; $(rm)'s", "a b") ==
        "psql -h 127.0.0.1 -p 21234 -U 'ann; $(rm)'\\''s' -d 'a b'");
}

TEST_CASE("Hosts and ports are read and written alike") {
  const auto parsed = [](std::string_view text) { return cli::parse_host_port(text); };
  REQUIRE(parsed("gw1.example.com:8443"));
  CHECK(cli::text(*parsed("gw1.example.com:8443")) == "gw1.example.com:8443");
  CHECK(cli::text(*parsed("[::1]:5432")) == "[::1]:5432");
  CHECK(parsed("gw1")->port == 443);
  for (const char* bad : {"", ":1", "gw1:0", "gw1:x", "gw1:65536", "a/b:1", "[::1", "u@h:1"}) {
    CHECK_FALSE(parsed(bad));
  }
}

TEST_CASE("A token that cannot be had is not asked for again at once") {
  CurrentToken::Clock::time_point now;
  int asked = 0;
  Result<std::string> answer = fail("sign in");
  CurrentToken token(
      [&] {
        ++asked;
        return answer;
      },
      [&] { return now; });
  CHECK_FALSE(token.get());
  answer = std::string("a.b.c");
  CHECK_FALSE(token.get());
  CHECK(asked == 1);
  now += std::chrono::seconds(6);
  CHECK(token.get() == "a.b.c");
  CHECK(token.get() == "a.b.c");
  CHECK(asked == 3);
}
