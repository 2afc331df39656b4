#include "load/run.h"

#include <catch2/catch.hpp>

#include "control/http.h"
#include "control/socket.h"
#include "load/http1_driver.h"

using namespace sluice;

namespace {

load::Http1DriverFactory driver_for(std::uint16_t port) {
  const auto url = load::parse_url(fmt::format("http://127.0.0.1:{}/", port)).value();
  return {load::encode({}, url).value(), http1::Method::get};
}

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
                driver_for(port));
  REQUIRE(report);
  CHECK((*report)->completed + (*report)->read_errors == 50);
  CHECK((*report)->completed == (*report)->statuses[200]);
  CHECK((*report)->read_errors == 0);
  CHECK((*report)->connects >= 50);
  CHECK((*report)->latency_ns.count() == 50);
}

TEST_CASE("a run against nothing says so") {
  auto listener = control::listen_loopback({.host = "127.0.0.1", .port = 0}).value();
  const std::uint16_t port = control::local_port(listener).value();
  listener = {};
  const auto report = load::run(
      {.host = "127.0.0.1", .port = port, .connections = 1, .duration = milliseconds(100)},
      driver_for(port));
  REQUIRE_FALSE(report);
  CHECK(report.error().message.find("takes no connection") != std::string::npos);
}
