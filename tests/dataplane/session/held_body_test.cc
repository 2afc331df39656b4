// A session told event by event what its loop would tell it: a request whose body
// is held for policy, by a caller whose chosen secret needs a slow proof.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <stdexcept>

#include "audit/log.h"
#include "config/load/load.h"
#include "dataplane/session/http_session.h"
#include "temporary_folder.h"

using namespace sluice;
using namespace sluice::dataplane;

namespace {

constexpr const char* configuration = R"(version: 1
listeners:
  - {name: payments, address: "127.0.0.1:8080", protocol: http, target: api}
targets:
  - {name: api, addresses: ["127.0.0.1:9001"]}
identity:
  api_keys: file:keys.yaml
policies:
  - name: the api is open
    ruling: allow
  - name: no launches
    operations: {http: {methods: [POST], paths: ["/inspected"], body: ["launch code"]}}
    ruling: deny
audit:
  directory: audit
  signing_key: file:audit.key
)";

/// "ann:open sesame"
constexpr std::string_view ann = "Authorization: Basic YW5uOm9wZW4gc2VzYW1l\r\n\r\n";

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

std::shared_ptr<const Snapshot> snapshot() {
  config::World world;
  world.read_file = [](const std::string&) { return std::optional<std::string>("unused"); };
  world.environment = [](const std::string&) { return std::optional<std::string>{}; };
  const config::Loaded loaded = config::load_text(configuration, "test.yaml", world);
  if (!loaded.problems.empty()) throw std::runtime_error(loaded.problems.front().text());
  const std::array<std::uint8_t, 16> salt{1, 2, 3};
  const std::string keys =
      must(identity::make_login_entry("ann", "ann", {"people"}, {INT64_MAX}, "open sesame", salt));
  return must(compile(loaded.settings, must(identity::ApiKeys::parse(keys, "keys.yaml")), 1));
}

/// One worker's world around one session.
class Bench {
 public:
  Bench() {
    audit::LogOptions options;
    options.directory = folder_.path() / "audit";
    options.signing_key = folder_.path() / "audit.key";
    must(audit::create_signing_key(options.signing_key, "test"));
    log_ = must(audit::Log::open(options, {}, [](std::uint32_t) {}));

    auto compiled = snapshot();
    const TargetPlan& target = compiled->targets.front();
    upstreams_ = std::make_unique<UpstreamPool>("api", target.endpoints, target.endpoint_texts);
    worker_ = std::make_unique<WorkerContext>(pool_, log_->worker(0), *metrics_);
    REQUIRE(worker_->scratch.prepare(*compiled->masks).has_value());
    REQUIRE(worker_->text_scratch.prepare(*compiled->masks).has_value());
    const ListenerPlan& listener = compiled->listeners.front();
    for (const auto& patterns : {listener.paths, listener.bodies}) {
      REQUIRE(worker_->scratch.prepare(*patterns).has_value());
      REQUIRE(worker_->text_scratch.prepare(*patterns).has_value());
    }
    view_ = std::make_unique<SnapshotView>(std::move(compiled),
                                           std::vector<UpstreamPool*>{upstreams_.get()});
    worker_->current = view_.get();
    session_ = std::make_unique<HttpSession>(*worker_, 0, must(parse_endpoint("127.0.0.1", 1)), 1);
  }

  HttpSession& session() { return *session_; }

  void client_sends(std::string_view bytes) {
    const BufferId buffer = pool_.take();
    std::memcpy(pool_.data(buffer), bytes.data(), bytes.size());
    session_->on_client_bytes(buffer, static_cast<std::uint32_t>(bytes.size()));
  }

  void pass(Duration time) {
    worker_->now.monotonic = worker_->now.monotonic + time;
    session_->on_tick();
  }

  /// Answers the proof that the session must be waiting for.
  void prove() {
    const std::string credential = session_->take_proof_wish();
    REQUIRE(credential == "ann:open sesame");
    session_->on_proof(session_->keys()->verify_slow(credential, worker_->now.wall));
  }

  /// What the target receives of the operation that is under way.
  std::string to_upstream() {
    if (session_->take_upstream_wish() != HttpSession::UpstreamWish::acquire) return {};
    session_->on_upstream_ready(0, false);
    std::array<Slice, slices_per_send_max> slices;
    std::array<BufferId, slices_per_send_max> buffers;
    std::string all;
    while (!session_->to_upstream().empty()) {
      const std::size_t count = session_->to_upstream().begin_send(slices, buffers);
      for (std::size_t i = 0; i < count; ++i) {
        all += as_text({slices[i].data, slices[i].size_bytes});
      }
      session_->on_upstream_sent();
    }
    return all;
  }

 private:
  test::TemporaryFolder folder_;
  std::unique_ptr<audit::Log> log_;
  BufferPool pool_ = must(BufferPool::make(std::size_t{1} << 20));
  std::unique_ptr<WorkerMetrics> metrics_ = std::make_unique<WorkerMetrics>();
  std::unique_ptr<UpstreamPool> upstreams_;
  std::unique_ptr<SnapshotView> view_;
  std::unique_ptr<WorkerContext> worker_;
  std::unique_ptr<HttpSession> session_;
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

  const std::string first = bench.to_upstream();
  INFO(first);
  CHECK(first.starts_with("POST /inspected HTTP/1.1\r\n"));
  CHECK(first.ends_with("\r\n\r\n" + body));
  CHECK(first.find("/second") == std::string::npos);
}
