#include "cli/top_frame.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

using namespace sluice;
using namespace sluice::cli;

namespace {

constexpr std::string_view before_text = R"(# HELP sluice_requests_total Requests.
# TYPE sluice_requests_total counter
sluice_start_time_seconds 1000
sluice_configuration_generation 3
sluice_requests_total{worker="0",ruling="allowed"} 100
sluice_requests_total{worker="1",ruling="allowed"} 50
sluice_requests_total{worker="0",ruling="denied"} 1
sluice_holds 0
sluice_holds_total{result="approved"} 4
sluice_request_duration_seconds_bucket{target="api",le="0.001"} 10
sluice_request_duration_seconds_bucket{target="api",le="0.002"} 10
sluice_request_duration_seconds_bucket{target="api",le="+Inf"} 10
)";

constexpr std::string_view now_text = R"(sluice_start_time_seconds 1000
sluice_configuration_generation 3
sluice_client_connections{worker="0"} 5
sluice_client_connections{worker="1"} 6
sluice_requests_total{worker="0",ruling="allowed"} 300
sluice_requests_total{worker="1",ruling="allowed"} 250
sluice_requests_total{worker="0",ruling="denied"} 21
sluice_holds 2
sluice_holds_total{result="approved"} 5
sluice_request_duration_seconds_bucket{target="api",le="0.001"} 60
sluice_request_duration_seconds_bucket{target="api",le="0.002"} 110
sluice_request_duration_seconds_bucket{target="api",le="+Inf"} 110
sluice_denials_total{target="api",rule="no \"big\" ones"} 15
sluice_denials_total{target="ledger",rule="default-deny"} 5
)";

Figures figures(std::string_view text) {
  const auto samples = read_exposition(text);
  REQUIRE(samples);
  return figures_of(*samples);
}

TopFrame frame() {
  return frame_of(figures(before_text), figures(now_text), seconds(2));
}

}  // namespace

TEST_CASE("a line of metrics is read with its labels") {
  const auto samples =
      read_exposition("# a comment\n\nplain 1.5\nlabelled{a=\"x\",b=\"q\\\"\\\\\\n\"} +Inf\n");
  REQUIRE(samples);
  REQUIRE(samples->size() == 2);
  CHECK((*samples)[0].name == "plain");
  CHECK((*samples)[0].value == 1.5);
  CHECK((*samples)[1].label("a") == "x");
  CHECK((*samples)[1].label("b") == "q\"\\\n");
  CHECK((*samples)[1].label("c").empty());
  CHECK(std::isinf((*samples)[1].value));
}

TEST_CASE("what is no metric is refused by its line") {
  for (const std::string_view wrong :
       {"name", "name{", "name{a}", "name{a=\"b\"", "name{a=\"b\"}", "name x", "{} 1", "name 1x"}) {
    CAPTURE(wrong);
    const auto read = read_exposition("good 1\n" + std::string(wrong) + "\n");
    REQUIRE_FALSE(read);
    CHECK(read.error().message.find("line 2") != std::string::npos);
  }
}

TEST_CASE("a frame has rates of all workers, and what was held in the interval") {
  const TopFrame shown = frame();
  CHECK(shown.rulings.at("allowed") == Approx(200));
  CHECK(shown.rulings.at("denied") == Approx(10));
  CHECK(shown.now.clients == 11);
  CHECK(shown.now.holds == 2);
  CHECK(shown.held.at("approved") == 1);
}

TEST_CASE("quantiles are of the interval, between the bounds of their bucket") {
  const TopFrame shown = frame();
  REQUIRE(shown.targets.size() == 1);
  // 50 of 100 took at most 1 ms, the other 50 at most 2 ms.
  CHECK(shown.targets[0].per_second == Approx(50));
  CHECK(shown.targets[0].p50_s == Approx(0.001));
  CHECK(shown.targets[0].p99_s == Approx(0.00198));
}

TEST_CASE("without operations there is no quantile; beyond the last bound it is that bound") {
  const Figures now = figures(now_text);
  const TopFrame idle = frame_of(now, now, seconds(1));
  CHECK(idle.targets[0].per_second == 0);
  CHECK(idle.targets[0].p99_s == 0);
  Figures slow = now;
  slow.latencies["api"][HUGE_VAL] += 10;
  CHECK(frame_of(now, slow, seconds(1)).targets[0].p99_s == Approx(0.002));
}

TEST_CASE("denials are by target and rule, the most frequent first") {
  const TopFrame shown = frame();
  REQUIRE(shown.denials.size() == 2);
  CHECK(shown.denials[0].target == "api");
  CHECK(shown.denials[0].rule == "no \"big\" ones");
  CHECK(shown.denials[0].per_second == Approx(7.5));
  CHECK(shown.denials[1].total == 5);
}

TEST_CASE("a gateway that was restarted counts from nothing") {
  Figures now = figures(now_text);
  now.started_s = 2000;
  const TopFrame shown = frame_of(figures(before_text), now, seconds(1));
  CHECK(shown.rulings.at("allowed") == Approx(550));
  CHECK(shown.held.at("approved") == 5);
}

TEST_CASE("the page is no wider and no longer than the terminal") {
  const WallTime time{1'060'000'000'000};
  const std::string page = top_text(frame(), time, 40, 9, false);
  std::size_t lines = 0;
  std::string_view rest = page;
  for (; !rest.empty(); ++lines) {
    const std::size_t end = rest.find('\n');
    REQUIRE(end != rest.npos);
    // No character of this page but µ and – has more than a byte.
    CHECK(end <= 40 + 2);
    rest.remove_prefix(end + 1);
  }
  CHECK(lines == 9);
  CHECK(page.starts_with("sluice 00:17:40  running  configuration"));
}

TEST_CASE("the page says what deserves a look, in colour where there is one") {
  const WallTime time{1'060'000'000'000};
  const std::string page = top_text(frame(), time, 200, 50, false);
  CHECK(page.find("200 allowed  10 denied  0 unauthenticated") != page.npos);
  CHECK(page.find("held           2 waiting  1 approved") != page.npos);
  CHECK(page.find("1.98 ms") != page.npos);
  CHECK(page.find("default-deny") != page.npos);
  CHECK(page.find('\x1b') == page.npos);
  TopFrame failing = frame();
  failing.now.has_log_failed = true;
  CHECK(top_text(failing, time, 200, 50, true).find("\x1b[1;31mTHE AUDIT LOG") != page.npos);
}

TEST_CASE("names that a terminal would act on are shown as text") {
  TopFrame shown = frame();
  shown.denials[0].rule = "\x1b[2J";
  CHECK(top_text(shown, {}, 200, 50, false).find('\x1b') == std::string::npos);
}

TEST_CASE("for programs an interval is one line of JSON") {
  const std::string line = top_json(frame(), {1'060'000'000'000});
  CHECK(line.find('\n') == line.npos);
  const auto page = nlohmann::json::parse(line);
  CHECK(page["operations_per_second"]["allowed"] == Approx(200));
  CHECK(page["targets"][0]["p99_us"] == Approx(1980));
  CHECK(page["denials"][0]["rule"] == "no \"big\" ones");
  CHECK(page["held"]["waiting"] == 2);
}
