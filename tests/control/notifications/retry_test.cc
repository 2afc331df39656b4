#include "control/notifications/retry.h"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::control;

TEST_CASE("only 2xx is delivered; what would be refused again is not tried again") {
  for (const int status : {200, 202, 204}) {
    CHECK(result_of(status) == DeliveryResult::delivered);
  }
  for (const int status : {100, 408, 429, 500, 503}) {
    CHECK(result_of(status) == DeliveryResult::try_again);
  }
  for (const int status : {301, 308, 400, 401, 404, 410}) {
    CHECK(result_of(status) == DeliveryResult::refused);
  }
}

TEST_CASE("pauses double from a second to five minutes") {
  CHECK(pause_after(1, {}, 0.5) == seconds(1));
  CHECK(pause_after(2, {}, 0.5) == seconds(2));
  CHECK(pause_after(9, {}, 0.5) == seconds(256));
  CHECK(pause_after(10, {}, 0.5) == seconds(300));
  CHECK(pause_after(4'000'000'000, {}, 0.5) == seconds(300));
}

TEST_CASE("chance moves a pause by a tenth at most") {
  CHECK(pause_after(1, {}, 0) == milliseconds(900));
  CHECK(pause_after(1, {}, 1) == milliseconds(1'100));
}

TEST_CASE("what the other side asks for is kept to, within an hour") {
  CHECK(pause_after(1, seconds(20), 0.5) == seconds(20));
  CHECK(pause_after(1, seconds(86'400), 0.5) == seconds(3'600));
  CHECK(pause_after(8, seconds(2), 0.5) == seconds(128));
}

TEST_CASE("a clock that is set back delays nothing for longer than a pause") {
  const WallTime now{1'764'150'000'000'000'000};
  CHECK(is_due(now, now));
  CHECK_FALSE(is_due(now + seconds(1), now));
  CHECK_FALSE(is_due(now + seconds(3'600), now));
  CHECK(is_due(now + seconds(3'601), now));
}
