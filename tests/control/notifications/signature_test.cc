#include "control/notifications/signature.h"

#include <catch2/catch.hpp>

using namespace sluice;
using control::webhook_signature;

TEST_CASE("a signature is HMAC-SHA-256 of the time, a dot and the body") {
  // printf '1764150000.{"a":1}' | openssl dgst -sha256 -hmac key
  CHECK(webhook_signature("key", {1'764'150'000'900'000'000}, R"({"a":1})") ==
        "t=1764150000,v1=9498eb91b9982291d7cbd5045f9591cc41c25a67f338b1f72cc5a0cea20aa0c5");
}

TEST_CASE("another time, body or secret is another signature") {
  const WallTime now{1'764'150'000'000'000'000};
  const std::string first = webhook_signature("key", now, "body");
  CHECK(webhook_signature("key", now + seconds(1), "body") != first);
  CHECK(webhook_signature("key", now, "bodz") != first);
  CHECK(webhook_signature("kez", now, "body") != first);
}
