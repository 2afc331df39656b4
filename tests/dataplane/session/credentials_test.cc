// A kept connection's later requests: each is as good as its own credential.
#include <catch2/catch.hpp>
#include <string>

#include "session_bench.h"
#include "snapshot_of.h"

using namespace sluice;
using namespace sluice::dataplane;

namespace {

constexpr WallTime expiry{100'000'000'000};

identity::NewKey key_of(std::string_view subject, std::uint8_t seed) {
  const std::vector<std::uint8_t> random(32, seed);
  return identity::make_key(subject, {}, expiry, random);
}

/// Whoever is known is refused by policy, so that no target is needed.
std::shared_ptr<const Snapshot> knowing(const std::string& keys, std::uint64_t generation) {
  const std::string configuration = test::open_gateway(R"(  - name: closed
    operations: {http: {paths: ["/**"]}}
    ruling: deny
)");
  return test::snapshot_of(configuration, keys, "unused", generation);
}

std::string status_with(SessionBench& bench, const std::string& secret) {
  bench.client_sends("GET /a HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer " + secret +
                     "\r\n\r\n");
  return bench.to_client().substr(9, 3);
}

}  // namespace

TEST_CASE("Each request of a connection is judged by the key that it shows") {
  const auto ann = key_of("ann", 1);
  const auto bob = key_of("bob", 2);
  SessionBench bench(knowing(ann.yaml_entry + bob.yaml_entry, 1));
  std::string forged = ann.secret;
  forged.back() = forged.back() == 'A' ? 'B' : 'A';
  CHECK(status_with(bench, ann.secret) == "403");
  CHECK(status_with(bench, ann.secret) == "403");
  CHECK(status_with(bench, forged) == "401");
  CHECK(status_with(bench, bob.secret) == "403");
  CHECK(status_with(bench, ann.secret) == "403");
  CHECK(status_with(bench, forged) == "401");
}

TEST_CASE("A key that is withdrawn or expires serves its open connections no longer") {
  const auto ann = key_of("ann", 1);
  SessionBench bench(knowing(ann.yaml_entry, 1));
  CHECK(status_with(bench, ann.secret) == "403");
  SECTION("withdrawn") {
    bench.adopt(knowing(key_of("bob", 2).yaml_entry, 2));
    CHECK(status_with(bench, ann.secret) == "401");
  }
  SECTION("expired") {
    bench.worker().now.wall = expiry;
    CHECK(status_with(bench, ann.secret) == "401");
  }
}
