// Logins to PostgreSQL with a token of an OpenID Connect issuer as password.
#include <array>
#include <catch2/catch.hpp>
#include <cstring>
#include <string>

#include "dataplane/session/postgres_session.h"
#include "dpop_maker.h"
#include "parsers/postgres/writer.h"
#include "session_bench.h"
#include "snapshot_of.h"
#include "wire.h"

using namespace sluice;
using namespace sluice::dataplane;
using identity::TokenFault;
using postgres_sim::Body;

namespace {

constexpr const char* configuration = R"(version: 1
listeners:
  - {name: ledger, address: "127.0.0.1:5432", protocol: postgres, target: db, postgres: {passwords_from_loopback: true}}
targets:
  - {name: db, addresses: ["127.0.0.1:9001"], credential: {user: app, password: file:secret}}
identity:
  oidc:
    - {name: corp, issuer: "https://id.example.com", audience: sluice, groups_claim: groups}
policies:
  - {name: staff may, principals: {groups: [staff]}, ruling: allow}
audit: {directory: audit, signing_key: file:audit.key}
)";

struct Bench : SessionBench {
  Bench() : SessionBench(test::snapshot_of(configuration, "[]")) {
    worker().now.wall = test::token_now;
    worker().tokens.take_up(std::make_shared<const identity::TokenKeys>(test::TokenBench().keys));
    session = std::make_unique<PostgresSession>(
        worker(), 0, test::must(parse_endpoint("127.0.0.1", 1)), 2, std::nullopt);
  }
  void log_in(const std::string& password) {
    std::array<std::uint8_t, 256> room{};
    postgres::Writer writer(room);
    writer.startup_message({3, 0}, std::array{postgres::Parameter{"user", "ann"},
                                              postgres::Parameter{"database", "shop"}});
    say(as_text(writer.written()));
    say(postgres_sim::bytes_of('p', Body().text(password).take()));
  }
  void say(std::string_view bytes) {
    const BufferId buffer = pool().take();
    std::memcpy(pool().data(buffer), bytes.data(), bytes.size());
    session->on_client_bytes(buffer, static_cast<std::uint32_t>(bytes.size()));
  }
  std::string heard() {
    std::array<Slice, slices_per_send_max> slices;
    std::array<BufferId, slices_per_send_max> buffers;
    std::string all;
    while (!session->to_client().empty()) {
      const std::size_t count = session->to_client().begin_send(slices, buffers, UINT64_MAX);
      for (std::size_t i = 0; i < count; ++i) {
        all += as_text({slices[i].data, slices[i].size_bytes});
      }
      session->on_client_sent();
    }
    return all;
  }
  std::uint64_t refused(TokenFault fault) {
    return worker().metrics.tokens_refused[static_cast<std::size_t>(fault)].read();
  }

  std::unique_ptr<PostgresSession> session;
};

}  // namespace

TEST_CASE("Who logs in with a good token gets a connection of the target's") {
  Bench bench;
  bench.log_in(test::make_token(test::provider_keys().p256, config::JwsAlgorithm::es256,
                                test::good_header, test::good_claims));
  CHECK(bench.session->take_upstream_wish() == Session::UpstreamWish::acquire);
}

TEST_CASE("A token that is bound to a key lets nobody log in: nothing there shows the key") {
  Bench bench;
  bench.log_in(test::bound_token(test::provider_keys().other));
  CHECK(bench.session->take_upstream_wish() == Session::UpstreamWish::none);
  CHECK(bench.refused(TokenFault::wrong_key) == 1);
  const std::string heard = bench.heard();
  CHECK(heard.find("28P01") != std::string::npos);
  CHECK(heard.find("bound") == std::string::npos);
  CHECK(bench.session->client_end() != Session::ClientEnd::open);
}
