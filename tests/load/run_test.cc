#include "load/run.h"

#include <catch2/catch.hpp>

#include "control/http.h"
#include "control/socket.h"
#include "keep_alive_server.h"
#include "load/http1_driver.h"

using namespace sluice;
using load::LatencyHistogram;
using tests::KeepAliveServer;

namespace {

std::unique_ptr<load::Http1DriverFactory> drivers_for(std::uint16_t port,
                                                      load::Mix mix = {
                                                          .requests = {{.name = "get"}}}) {
  const auto url = load::parse_url(fmt::format("http://127.0.0.1:{}/", port)).value();
  return load::Http1DriverFactory::make(mix, url, 1).value();
}

/// Requests that took at least this long.
std::uint64_t slower_than(const LatencyHistogram& latency, Duration limit) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < latency.end(); ++i) {
    if (LatencyHistogram::lowest_at(i) >= static_cast<std::uint64_t>(limit.ns)) {
      count += latency.count_at(i);
    }
  }
  return count;
}

/// Answers at once, but for one stall in which nobody is answered.
class StallingServer {
 public:
  StallingServer(std::uint64_t stall_at, Duration stall)
      : server_([this, stall_at, stall](const std::string&) {
          const std::lock_guard lock(mutex_);
          if (++count_ == stall_at) std::this_thread::sleep_for(std::chrono::nanoseconds(stall.ns));
          return KeepAliveServer::answer("ok");
        }) {}
  [[nodiscard]] std::uint16_t port() const noexcept { return server_.port(); }

 private:
  std::mutex mutex_;
  std::uint64_t count_ = 0;
  KeepAliveServer server_;
};

}  // namespace

TEST_CASE("every request of a run is answered or an error, also when the peer closes each time") {
  auto listener = control::listen_loopback({.host = "127.0.0.1", .port = 0}).value();
  const std::uint16_t port = control::local_port(listener).value();
  const auto server = control::HttpServer::start(
      std::move(listener),
      [](const control::HttpRequest&) { return control::HttpReply{.body = "hi"}; });
  REQUIRE(server);

  const auto report =
      load::run({.host = "127.0.0.1", .port = port, .connections = 3, .threads = 2, .requests = 50},
                *drivers_for(port));
  REQUIRE(report);
  const load::Figures& figures = (*report)->figures;
  CHECK(figures.completed == 50);
  CHECK(figures.completed == figures.statuses[200]);
  CHECK(figures.read_errors == 0);
  CHECK(figures.connects >= 50);
  CHECK((*report)->latency.count() == 50);
  CHECK((*report)->is_clean());
}

TEST_CASE("a run against nothing says so") {
  auto listener = control::listen_loopback({.host = "127.0.0.1", .port = 0}).value();
  const std::uint16_t port = control::local_port(listener).value();
  listener = {};
  const auto report = load::run(
      {.host = "127.0.0.1", .port = port, .connections = 1, .duration = milliseconds(100)},
      *drivers_for(port));
  REQUIRE_FALSE(report);
  CHECK(report.error().message.find("takes no connection") != std::string::npos);
}

TEST_CASE("a run of so many requests ends when its peer is gone for good") {
  auto server = std::make_unique<KeepAliveServer>(
      [](const std::string&) { return KeepAliveServer::answer("ok"); });
  const std::uint16_t port = server->port();
  std::jthread ending([&server] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    server.reset();
  });
  const auto report =
      load::run({.host = "127.0.0.1", .port = port, .connections = 2, .requests = 1'000'000'000},
                *drivers_for(port));
  REQUIRE(report);
  CHECK((*report)->figures.completed > 0);
  CHECK((*report)->figures.connect_errors > 0);
  CHECK_FALSE((*report)->is_clean());
}

TEST_CASE("an open loop sends what is due, no more and no less, over all threads") {
  KeepAliveServer server([](const std::string&) { return KeepAliveServer::answer("ok"); });
  const auto report = load::run({.host = "127.0.0.1",
                                 .port = server.port(),
                                 .connections = 4,
                                 .threads = 2,
                                 .steps = {{100, seconds(1)}, {301, seconds(1)}}},
                                *drivers_for(server.port()));
  REQUIRE(report);
  CHECK(server.requests() == 401);
  CHECK(server.connections() == 4);
  CHECK((*report)->figures.completed == 401);
  CHECK((*report)->latency.count() == 401);
  CHECK((*report)->figures.service.count() == 401);
  CHECK((*report)->figures.lateness.count() + (*report)->figures.queueing.count() == 401);
  CHECK((*report)->figures.unanswered == 0);
  CHECK((*report)->elapsed >= seconds(2));
  REQUIRE((*report)->steps.size() == 2);
  CHECK((*report)->steps[0].latency.count() + (*report)->steps[1].latency.count() == 401);
  CHECK((*report)->is_clean());
}

TEST_CASE("an open loop counts a stall for everyone who was due, a closed loop for who was there") {
  constexpr std::uint32_t connections = 4;
  constexpr Duration stall = milliseconds(800);
  StallingServer for_open(100, stall);
  const auto open = load::run({.host = "127.0.0.1",
                               .port = for_open.port(),
                               .connections = connections,
                               .steps = {{200, seconds(2)}}},
                              *drivers_for(for_open.port()));
  REQUIRE(open);
  StallingServer for_closed(100, stall);
  const auto closed = load::run(
      {.host = "127.0.0.1", .port = for_closed.port(), .connections = connections, .requests = 400},
      *drivers_for(for_closed.port()));
  REQUIRE(closed);
  // 160 are due in the stall; those of its first half wait 400 ms and more.
  CHECK((*open)->figures.completed == 400);
  CHECK(slower_than((*open)->latency, milliseconds(400)) >= 75);
  CHECK((*open)->figures.queueing.count() >= 75);
  CHECK(slower_than((*open)->figures.service, milliseconds(400)) <= connections);
  CHECK((*closed)->latency.count() == 400);
  CHECK(slower_than((*closed)->latency, milliseconds(400)) <= connections);
  CHECK((*closed)->latency.quantile(0.95) < (*open)->latency.quantile(0.95));
}

TEST_CASE("what was due and never answered is counted with its wait") {
  KeepAliveServer silent([](const std::string&) {
    std::this_thread::sleep_for(std::chrono::seconds(4));
    return KeepAliveServer::answer("late");
  });
  const auto report = load::run(
      {.host = "127.0.0.1", .port = silent.port(), .connections = 2, .steps = {{50, seconds(1)}}},
      *drivers_for(silent.port()));
  REQUIRE(report);
  CHECK((*report)->figures.completed == 0);
  CHECK((*report)->figures.unanswered == 50);
  CHECK((*report)->figures.unanswered_wait_max >= seconds(2));
  CHECK_FALSE((*report)->is_clean());
}

TEST_CASE("with churn a connection ends after so many requests and connecting is measured") {
  KeepAliveServer server([](const std::string&) { return KeepAliveServer::answer("ok"); });
  const auto report = load::run({.host = "127.0.0.1",
                                 .port = server.port(),
                                 .connections = 2,
                                 .requests = 60,
                                 .requests_per_connection = 5},
                                *drivers_for(server.port()));
  REQUIRE(report);
  CHECK((*report)->figures.completed == 60);
  CHECK((*report)->figures.connects >= 12);
  CHECK((*report)->figures.connecting.count() == (*report)->figures.connects);
  CHECK(server.connections() == (*report)->figures.connects);
  CHECK((*report)->is_clean());
}

TEST_CASE("what is sent while warming up is not counted, but seen second by second") {
  KeepAliveServer server([](const std::string&) { return KeepAliveServer::answer("ok"); });
  std::vector<load::Second> seen;
  const auto report = load::run({.host = "127.0.0.1",
                                 .port = server.port(),
                                 .connections = 2,
                                 .warmup = seconds(1),
                                 .steps = {{200, seconds(1)}}},
                                *drivers_for(server.port()),
                                [&](const load::Second& second, const LatencyHistogram& latency) {
                                  CHECK(second.completed == latency.count());
                                  seen.push_back(second);
                                });
  REQUIRE(report);
  CHECK(server.requests() == 400);
  CHECK((*report)->figures.completed < 400);
  CHECK((*report)->figures.completed == (*report)->latency.count());
  REQUIRE(seen.size() >= 2);
  CHECK(seen[0].number == -1);
  CHECK(seen[1].number == 0);
  CHECK((*report)->seconds.front().number == 0);
}

TEST_CASE("failed checks are counted by name and make a run unclean") {
  KeepAliveServer server([](const std::string& request) {
    return request.starts_with("GET /closed ") ? KeepAliveServer::answer("no", "403 Forbidden")
                                               : KeepAliveServer::answer("4111 1111 1111 1111");
  });
  load::Expectation ok;
  ok.status = load::ExpectedStatus::parse("2xx");
  load::Expectation masked;
  masked.no_unmasked_card = true;
  const auto report =
      load::run({.host = "127.0.0.1", .port = server.port(), .connections = 2, .requests = 200},
                *drivers_for(server.port(),
                             {.requests = {{.name = "closed", .path = "/closed", .expect = ok},
                                           {.name = "open", .path = "/open", .expect = masked}}}));
  REQUIRE(report);
  const auto& failed = (*report)->figures.failed_checks;
  CHECK((*report)->figures.checks_failed() == 200);
  CHECK(failed[0] == (*report)->figures.statuses[403]);
  CHECK(failed[0] + failed[5] == 200);
  CHECK((*report)->check_names[5] == "open: unmasked card number");
  CHECK_FALSE((*report)->is_clean());
  CHECK(report_text(**report).find("closed: status") != std::string::npos);
}

TEST_CASE("a closed loop thinks between an answer and the next request") {
  KeepAliveServer server([](const std::string&) { return KeepAliveServer::answer("ok"); });
  const auto report =
      load::run({.host = "127.0.0.1", .port = server.port(), .connections = 1, .requests = 5},
                *drivers_for(server.port(), {.requests = {{.name = "get"}},
                                             .think_min = milliseconds(30),
                                             .think_max = milliseconds(40)}));
  REQUIRE(report);
  CHECK((*report)->figures.completed == 5);
  CHECK((*report)->elapsed >= milliseconds(4 * 30));
  // Thinking is the caller's time, not the server's.
  CHECK((*report)->latency.quantile(0) < 30'000'000);
}
