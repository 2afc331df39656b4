// A session told event by event what its loop would tell it, where the order of
// events matters: slow proofs, reloads and buffers that run short in between.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "session_bench.h"
#include "snapshot_of.h"

using namespace sluice;
using namespace sluice::dataplane;

namespace {

/// "ann:open sesame"
constexpr std::string_view ann = "Authorization: Basic YW5uOm9wZW4gc2VzYW1l\r\n\r\n";

std::shared_ptr<const Snapshot> snapshot(std::uint64_t generation, const std::string& head_limit) {
  const std::array<std::uint8_t, 16> salt{1, 2, 3};
  const std::string keys = test::must(
      identity::make_login_entry("ann", "ann", {"people"}, {INT64_MAX}, "open sesame", salt));
  const std::string configuration = test::open_gateway(R"(  - name: no launches
    operations: {http: {methods: [POST], paths: ["/inspected"], body: ["launch code"]}}
    ruling: deny
)",
                                                       ", limits: {head: " + head_limit + "}");
  return test::snapshot_of(configuration, keys, "unused", generation);
}

struct Bench : SessionBench {
  Bench() : SessionBench(snapshot(1, "16KiB")) {}
};

std::string post(std::string_view path, std::size_t length) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: api\r\nContent-Type: text/plain\r\nContent-Length: " +
         std::to_string(length) + "\r\n" + std::string(ann);
}

}  // namespace

TEST_CASE("A held request goes on with its own body when its proof lapses meanwhile") {
  Bench bench;
  // The client takes longer over its body than a proof is remembered, and has
  // sent its next request by the time the second proof comes.
  const std::string body(64, 'b');
  bench.client_sends(post("/inspected", body.size()));
  bench.prove();
  for (const char byte : body.substr(1)) {
    bench.client_sends(std::string(1, byte));
    bench.pass(seconds(5));
  }
  bench.client_sends(fmt::format("b{}end", post("/second", 3)));
  bench.prove();

  bench.connect_upstream();
  const std::string first = bench.to_upstream();
  INFO(first);
  CHECK(first.starts_with("POST /inspected HTTP/1.1\r\n"));
  CHECK(first.ends_with("\r\n\r\n" + body));
  CHECK(first.find("/second") == std::string::npos);
}

TEST_CASE("Who failed too often is refused unseen, but not who is known") {
  std::string configuration = test::open_gateway("");
  const std::string section = "identity:\n";
  configuration.insert(configuration.find(section) + section.size(),
                       "  failed_proofs_per_source: 3/m\n");
  const std::vector<std::uint8_t> random(32, 7);
  const auto made = identity::make_key("ann", {}, {INT64_MAX}, random);
  SessionBench bench(test::snapshot_of(configuration, made.yaml_entry));
  const auto ask = [&bench](std::string_view key) {
    bench.client_sends(
        fmt::format("GET /a HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {}\r\n\r\n", key));
  };
  const auto status = [&bench] { return bench.to_client().substr(9, 3); };
  const std::string wrong(made.secret.size(), 'A');
  // A request without a credential is no guess.
  for (int i = 0; i < 5; ++i) {
    bench.client_sends("GET /a HTTP/1.1\r\nHost: api\r\n\r\n");
    CHECK(status() == "401");
  }
  SECTION("on a new connection") {
    for (int i = 0; i < 3; ++i) {
      ask(wrong);
      CHECK(status() == "401");
    }
    ask(wrong);
    CHECK(status() == "429");
    ask(made.secret);
    CHECK(status() == "429");
    CHECK(bench.worker().metrics.proofs_unseen.read() == 2);
    // One failure is forgotten in a third of a minute.
    bench.worker().now.monotonic = bench.worker().now.monotonic + seconds(21);
    ask(made.secret);
    bench.connect_upstream();
    CHECK(bench.to_upstream().starts_with("GET /a "));
  }
  SECTION("on one that has proved somebody") {
    ask(made.secret);
    bench.connect_upstream();
    bench.to_upstream();
    bench.upstream_sends("HTTP/1.1 204 No Content\r\n\r\n");
    CHECK(status() == "204");
    for (int i = 0; i < 4; ++i) {
      bench.worker().failed_proofs.note(
          config::rate_rule("failed proofs", {3, seconds(60)}, 3),
          as_text(source_of(test::must(parse_endpoint("127.0.0.1", 1)))),
          bench.worker().now.monotonic);
    }
    CHECK(bench.session().take_upstream_wish() == HttpSession::UpstreamWish::keep);
    ask(wrong);
    CHECK(status() == "429");
    ask(made.secret);
    bench.connect_upstream();
    CHECK(bench.to_upstream().starts_with("GET /a "));
  }
}

TEST_CASE("A connection that outlives a reload reads by the limits now in force") {
  Bench bench;
  bench.client_sends("GET / HT");  // Limits were looked at before.
  bench.adopt(snapshot(2, "9KiB"));
  bench.client_sends("TP/1.1\r\nHost: api\r\nX-Long: ");
  bench.client_sends(std::string(10'000, 'x'));
  CHECK(bench.to_client().starts_with("HTTP/1.1 431 "));
}

TEST_CASE("A refused body is read past by limits that are still there") {
  Bench bench;
  bench.client_sends("POST / HTTP/1.1\r\nHost: api\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe");
  CHECK(bench.to_client().starts_with("HTTP/1.1 401 "));
  bench.adopt(snapshot(2, "9KiB"));
  bench.client_sends("llo\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: api\r\n\r\n");
  CHECK(bench.to_client().starts_with("HTTP/1.1 401 "));
}

TEST_CASE("The start of a head gives its buffer back when buffers are scarce") {
  Bench bench;
  const std::size_t all = bench.pool().free_count();
  std::vector<BufferId> taken;
  while (bench.pool().free_count() >= bench.pool().size() / 4) taken.push_back(bench.pool().take());
  const std::size_t free = bench.pool().free_count();

  bench.client_sends("GET /a HTTP/1.1\r\nHo");
  CHECK(bench.pool().free_count() == free - 1);
  bench.pass(milliseconds(100));
  CHECK(bench.pool().free_count() == free);
  bench.client_sends("st: api\r\n");
  bench.pass(milliseconds(2000));  // Longer than a head may take that holds a buffer.
  CHECK(bench.pool().free_count() == free);
  bench.client_sends("\r\n");
  CHECK(bench.to_client().starts_with("HTTP/1.1 401 "));

  SECTION("and a long one must come soon") {
    bench.client_sends("GET /a HTTP/1.1\r\nX-Long: " + std::string(5000, 'x'));
    bench.pass(milliseconds(1100));
    CHECK(bench.to_client().starts_with("HTTP/1.1 408 "));
  }
  SECTION("and the whole time counts that it took") {
    bench.client_sends("GET /a HTTP/1.1\r\n");
    for (int i = 0; i < 12; ++i) {
      bench.pass(seconds(1));
      bench.client_sends("X: y\r\n");
    }
    bench.pass(milliseconds(100));
    CHECK(bench.to_client().starts_with("HTTP/1.1 408 "));
  }
  for (const BufferId buffer : taken) bench.pool().release(buffer);
  CHECK(bench.pool().free_count() == all);
}

TEST_CASE("What was sent is kept for another try, but not while buffers are scarce") {
  Bench bench;
  std::vector<BufferId> taken;
  const auto make_scarce = [&] {
    while (bench.pool().free_count() >= bench.pool().size() / 4) {
      taken.push_back(bench.pool().take());
    }
  };
  const auto send = [&] {
    bench.client_sends("GET /a HTTP/1.1\r\nHost: api\r\n" + std::string(ann));
    bench.prove();
    bench.connect_upstream();
    CHECK(bench.to_upstream().starts_with("GET /a "));
  };
  SECTION("plenty") {
    const std::size_t free = bench.pool().free_count();
    send();
    CHECK(bench.session().to_upstream().can_rewind());
    CHECK(bench.pool().free_count() < free);
  }
  SECTION("scarce when it is sent") {
    make_scarce();
    const std::size_t free = bench.pool().free_count();
    send();
    CHECK_FALSE(bench.session().to_upstream().can_rewind());
    CHECK(bench.pool().free_count() == free);
  }
  SECTION("scarce later") {
    send();
    make_scarce();
    const std::size_t free = bench.pool().free_count();
    bench.pass(milliseconds(100));
    CHECK_FALSE(bench.session().to_upstream().can_rewind());
    CHECK(bench.pool().free_count() > free);
  }
  for (const BufferId buffer : taken) bench.pool().release(buffer);
}

TEST_CASE("A client that takes no answers gets no more of them") {
  Bench bench;
  const std::size_t free = bench.pool().free_count();
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += "GET / HTTP/1.1\r\nHost: api\r\n\r\n";
  bench.client_sends(requests);
  CHECK(bench.session().to_client().free_slices() >= SliceQueue::capacity - 5);
  std::string answers;
  for (std::string more = bench.to_client(); !more.empty(); more = bench.to_client())
    answers += more;
  CHECK(bench.pool().free_count() == free);
  std::size_t count = 0;
  for (auto at = answers.find("HTTP/1.1 401"); at != std::string::npos;
       at = answers.find("HTTP/1.1 401", at + 1)) {
    ++count;
  }
  CHECK(count == 100);
}

TEST_CASE("A credential that cannot be checked now is refused at once") {
  Bench bench;
  bench.client_sends(post("/a", 0));
  CHECK(bench.session().take_proof_wish() == "ann:open sesame");
  bench.session().on_no_proof();
  CHECK(bench.to_client().starts_with("HTTP/1.1 503 "));
}

TEST_CASE("Trailers that came with the head do not become part of it") {
  Bench bench;
  std::string request = post("/a", 0);
  request.replace(request.find("Content-Length: 0"), 17, "Transfer-Encoding: chunked");
  bench.client_sends(request + "3\r\nabc\r\n0\r\nX-Late: 1\r\n\r\n");
  bench.prove();
  bench.connect_upstream();
  const std::string onward = bench.to_upstream();
  INFO(onward);
  CHECK(onward.find("Content-Type: text/plain\r\n") < onward.find("\r\n\r\n"));
  CHECK(onward.ends_with("\r\n\r\n3\r\nabc\r\n0\r\nX-Late: 1\r\n\r\n"));
}

TEST_CASE("A session rests between its requests and while people are asked, and at no other time") {
  const std::vector<std::uint8_t> random(32, 7);
  const auto made = identity::make_key("ann", {}, {INT64_MAX}, random);
  SessionBench bench(test::snapshot_of(test::open_gateway(R"(  - name: people decide
    operations: {http: {paths: ["/held"]}}
    ruling: hold
    approval: {by_groups: [people], expires: 1h}
)"),
                                       made.yaml_entry));
  const auto rests = [&bench] {
    return (bench.session().rests_until() - bench.worker().now.monotonic).ns;
  };
  const std::int64_t idle = rests();
  CHECK(idle > seconds(1).ns);
  bench.pass(seconds(1));
  CHECK(rests() + seconds(1).ns == idle);

  const std::string end =
      fmt::format(" HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {}\r\n\r\n", made.secret);
  bench.client_sends("GET /a");
  CHECK(rests() <= 0);
  bench.client_sends(end);
  CHECK(rests() <= 0);
  bench.connect_upstream();
  bench.to_upstream();
  CHECK(rests() <= 0);
  bench.upstream_sends("HTTP/1.1 204 No Content\r\n\r\n");
  CHECK(rests() <= 0);
  bench.to_client();
  CHECK(rests() == idle);

  bench.client_sends("GET /held" + end);
  const auto wish = bench.session().take_hold_wish();
  REQUIRE(wish);
  bench.session().on_hold_answer(
      {config::HoldAnswer::Kind::parked, wish->request, wish->binding, {}});
  CHECK(rests() >= seconds(3'600).ns);
  bench.session().on_hold_answer(
      {config::HoldAnswer::Kind::approved, wish->request, wish->binding, {}});
  CHECK(rests() <= 0);
}
