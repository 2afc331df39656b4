// An HTTP request that is refused late, when the log has no room any more: the refusal
// waits until it can be recorded.
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <string>

#include "sim_worker.h"
#include "snapshot_of.h"
#include "talker.h"

using namespace sluice;
using namespace sluice::dataplane;

namespace {

std::string repeated(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("A request refused for its body is not answered before the log has room for that") {
  std::array<std::uint8_t, 32> random{7};
  const auto key = identity::make_key("ann", {}, identity::never, random);
  SimWorker worker({.seed = 7, .window_bytes = 1 << 20}, {.ring_bytes = std::size_t{1} << 18});
  worker.start(test::snapshot_of(test::open_gateway(R"(  - name: no launches
    operations: {http: {methods: [POST], paths: ["/inspected"], body: ["launch code"]}}
    ruling: deny
)"),
                                 key.yaml_entry),
               {});
  // It takes its time over its body; another one fills the log meanwhile.
  Talker late(
      "POST /inspected HTTP/1.1\r\nHost: api\r\nContent-Type: text/plain\r\n"
      "Content-Length: 15\r\nAuthorization: Bearer " +
      key.secret + "\r\n\r\nlaunch ");
  Talker busy(repeated("GET / HTTP/1.1\r\nHost: api\r\n\r\n", 5000));
  worker.transport().bring_client(0, late);
  worker.transport().bring_client(0, busy, milliseconds(100));
  worker.stick_disk(true);
  const auto& stalls = worker.metrics().log_stalls;
  REQUIRE(worker.run_until([&] { return stalls.read() != 0; }));
  late.say("code 123");

  const Instant end = worker.transport().now().monotonic + seconds(10);
  REQUIRE(worker.run_until([&] { return worker.transport().now().monotonic >= end; }));
  CHECK(late.heard().empty());
  worker.stick_disk(false);
  REQUIRE(worker.run_until([&] { return !late.heard().empty(); }));
  CHECK(late.heard().starts_with("HTTP/1.1 403"));
  worker.stop();
  const auto records = worker.records();
  CHECK(std::ranges::count_if(records, [](const std::string& record) {
          return record.find("no launches") != std::string::npos;
        }) == 1);
}
