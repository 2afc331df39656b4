#include "control/introspector.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/text_codec.h"

using namespace sluice;
using namespace sluice::control;
using identity::IntrospectionVerdict;
using identity::TokenFault;

namespace {

constexpr WallTime wall{1'800'000'000'000'000'000};
constexpr const char* document_url = "https://id/.well-known/openid-configuration";
constexpr const char* good = R"({"active":true,"aud":"sluice","sub":"ann"})";

config::OidcIssuer issuer() {
  config::OidcIssuer one;
  one.name = "corp";
  one.issuer = "https://id";
  one.audience = "sluice";
  one.ca_file = "ca.pem";
  one.introspection.emplace();
  one.introspection->client_id = "gate way";
  one.introspection->client_secret.value = "s:e/cret+";
  return one;
}

/// An issuer that answers what is set, and keeps what it is asked.
class FakeIssuer {
 public:
  Introspector::World world() {
    return {.get = [this](const HttpsGet& request) -> Result<std::string> {
              const std::lock_guard lock(mutex_);
              ++discoveries;
              if (request.url != document_url) return fail("status 404");
              return document;
            },
            .post = [this](const HttpsGet& request, const std::string& body) -> Result<HttpsReply> {
              std::unique_lock lock(mutex_);
              requests.push_back(request);
              bodies.push_back(body);
              changed_.notify_all();
              while (hangs && !*request.stop) {
                changed_.wait_for(lock, std::chrono::milliseconds(1));
              }
              return answer;
            },
            .clock =
                [this] {
                  const std::lock_guard lock(mutex_);
                  return Now{now, wall};
                },
            .note =
                [this](std::string_view event, std::string_view detail) {
                  const std::lock_guard lock(mutex_);
                  notes.push_back(fmt::format("{} {}", event, detail));
                }};
  }
  void set(const auto& change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }
  void await_requests(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(10),
                              [&] { return requests.size() >= count; }));
  }

  std::string document =
      R"({"issuer":"https://id","introspection_endpoint":"https://id/introspect"})";
  Result<HttpsReply> answer = HttpsReply{.status = 200, .body = good};
  bool hangs = false;
  Instant now{1'000'000'000};
  std::size_t discoveries = 0;
  std::vector<HttpsGet> requests;
  std::vector<std::string> bodies;
  std::vector<std::string> notes;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

/// Waits for one verdict.
class Waiter {
 public:
  [[nodiscard]] identity::AnswerIntrospection answer() {
    return [this](IntrospectionVerdict verdict) {
      const std::lock_guard lock(mutex_);
      verdict_ = std::move(verdict);
      changed_.notify_all();
    };
  }
  IntrospectionVerdict verdict() {
    std::unique_lock lock(mutex_);
    REQUIRE(
        changed_.wait_for(lock, std::chrono::seconds(10), [this] { return verdict_.has_value(); }));
    return *verdict_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<IntrospectionVerdict> verdict_;
};

struct Bench {
  explicit Bench(config::OidcIssuer asked = issuer()) : settings(std::move(asked)) {
    introspector.start(fake.world());
    introspector.adopt({settings});
  }
  ~Bench() { introspector.stop(); }
  IntrospectionVerdict ask(const std::string& token = "opaque") {
    Waiter waiter;
    REQUIRE(introspector.ask(settings, token, waiter.answer()));
    return waiter.verdict();
  }

  FakeIssuer fake;
  config::OidcIssuer settings;
  Introspector introspector;
};

}  // namespace

TEST_CASE("an issuer is asked where its document says, as the gateway's client") {
  Bench bench;
  const auto verdict = bench.ask("a+b/c=");
  REQUIRE(verdict);
  CHECK(verdict->subject == "ann");
  const HttpsGet& request = bench.fake.requests.front();
  CHECK(request.url == "https://id/introspect");
  CHECK(request.ca_file == "ca.pem");
  CHECK(request.timeout == seconds(2));
  CHECK(bench.fake.bodies.front() == "token=a%2Bb%2Fc%3D&token_type_hint=access_token");
  CHECK(request.fields == std::vector<std::string>{
                              "Authorization: Basic " +
                              to_base64(as_bytes(std::string_view("gate%20way:s%3Ae%2Fcret%2B")))});
  CHECK(bench.ask());
  CHECK(bench.fake.discoveries == 1);
  bench.fake.set([&] { bench.fake.now = bench.fake.now + seconds(600); });
  CHECK(bench.ask());
  CHECK(bench.fake.discoveries == 2);
}

TEST_CASE("an issuer whose endpoint is configured is asked there") {
  auto settings = issuer();
  settings.introspection->endpoint = "https://other/introspect?tenant=1";
  Bench bench(settings);
  CHECK(bench.ask());
  CHECK(bench.fake.requests.front().url == "https://other/introspect?tenant=1");
  CHECK(bench.fake.discoveries == 0);
}

TEST_CASE("what an issuer says of a token is judged") {
  Bench bench;
  bench.fake.answer = HttpsReply{.status = 200, .body = R"({"active":false})"};
  CHECK(bench.ask().error() == TokenFault::inactive);
  CHECK(bench.fake.notes.empty());
  CHECK(bench.introspector.counts().asked == 1);
  CHECK(bench.introspector.counts().failed == 0);
}

TEST_CASE(
    "an issuer that cannot be asked, or says nothing, proves nobody; it is noted, not often") {
  Bench bench;
  SECTION("away") {
    bench.fake.answer = fail("Connection refused");
    CHECK(bench.ask().error() == TokenFault::introspection_failed);
    CHECK(bench.fake.notes.at(0) ==
          "introspection-failed corp: https://id/introspect: Connection refused");
  }
  SECTION("which does not take the gateway's secret") {
    bench.fake.answer = HttpsReply{.status = 401, .body = good};
    CHECK(bench.ask().error() == TokenFault::introspection_failed);
    CHECK(bench.fake.notes.at(0) == "introspection-failed corp: https://id/introspect: status 401");
  }
  SECTION("which sends us elsewhere") {
    bench.fake.document = R"({"issuer":"https://id","introspection_endpoint":"http://id/i"})";
    CHECK(bench.ask().error() == TokenFault::introspection_failed);
    CHECK(bench.fake.requests.empty());
  }
  SECTION("which says something else") {
    bench.fake.answer = HttpsReply{.status = 200, .body = "<html>"};
    CHECK(bench.ask().error() == TokenFault::introspection_malformed);
  }
  CHECK(bench.introspector.counts().failed == 1);
  CHECK_FALSE(bench.ask());
  CHECK(bench.fake.notes.size() == 1);
  CHECK(bench.introspector.counts().failed == 2);
  bench.fake.set([&] { bench.fake.now = bench.fake.now + Introspector::note_pause; });
  CHECK_FALSE(bench.ask());
  CHECK(bench.fake.notes.size() == 2);
  for (const std::string& note : bench.fake.notes) {
    CHECK(note.find("opaque") == std::string::npos);
    CHECK(note.find("cret") == std::string::npos);
  }
}

TEST_CASE("an issuer is not asked more often than is configured") {
  auto settings = issuer();
  settings.introspection->rate = {2, seconds(1)};
  Bench bench(settings);
  CHECK(bench.ask());
  CHECK(bench.ask());
  CHECK_FALSE(bench.introspector.ask(settings, "opaque", [](IntrospectionVerdict) {}));
  CHECK(bench.introspector.counts().unasked == 1);
  bench.fake.set([&] { bench.fake.now = bench.fake.now + milliseconds(500); });
  CHECK(bench.ask());
  CHECK_FALSE(bench.introspector.ask(settings, "opaque", [](IntrospectionVerdict) {}));
}

TEST_CASE("questions under way and behind them are bounded, and none waits for long") {
  auto settings = issuer();
  settings.introspection->rate = {};
  Bench bench(settings);
  bench.fake.set([&] { bench.fake.hangs = true; });
  const auto nobody = [](IntrospectionVerdict) {};
  for (std::size_t i = 0; i < Introspector::threads_max; ++i) {
    REQUIRE(bench.introspector.ask(settings, "opaque", nobody));
  }
  bench.fake.await_requests(Introspector::threads_max);
  Waiter last;
  for (std::size_t i = 1; i < Introspector::waiting_max; ++i) {
    REQUIRE(bench.introspector.ask(settings, "opaque", nobody));
  }
  REQUIRE(bench.introspector.ask(settings, "opaque", last.answer()));
  CHECK_FALSE(bench.introspector.ask(settings, "opaque", nobody));
  bench.fake.set([&] {
    bench.fake.now = bench.fake.now + seconds(2);
    bench.fake.hangs = false;
  });
  CHECK(last.verdict().error() == TokenFault::introspection_failed);
  CHECK(bench.fake.requests.size() == Introspector::threads_max);
}

TEST_CASE("nothing is asked before the start, or behind the end, which waits for nobody") {
  Introspector idle;
  CHECK_FALSE(idle.ask(issuer(), "opaque", [](IntrospectionVerdict) {}));
  Bench bench;
  bench.fake.set([&] { bench.fake.hangs = true; });
  bool is_answered = false;
  REQUIRE(bench.introspector.ask(bench.settings, "opaque",
                                 [&](IntrospectionVerdict) { is_answered = true; }));
  bench.fake.await_requests(1);
  bench.introspector.stop();
  CHECK_FALSE(is_answered);
  CHECK_FALSE(bench.introspector.ask(bench.settings, "opaque", [](IntrospectionVerdict) {}));
}
