#include "config/load/quantity.h"

#include <catch2/catch.hpp>

#include "config/load/suggest.h"

using namespace sluice;
using namespace sluice::config;

TEST_CASE("durations have a unit and come back in the largest that divides them") {
  const std::tuple<const char*, Duration, const char*> good[] = {
      {"0s", seconds(0), "0s"},
      {"250ms", milliseconds(250), "250ms"},
      {"1000ms", seconds(1), "1s"},
      {"60s", seconds(60), "1m"},
      {"90s", seconds(90), "90s"},
      {"24h", seconds(86'400), "1d"},
      {"106751d", seconds(std::int64_t{106'751} * 86'400), "106751d"}};
  for (const auto& [written, duration, again] : good) {
    CHECK(parse_duration(written) == duration);
    CHECK(duration_text(duration) == again);
  }
  for (const char* bad : {"", "10", "s", "1 s", "-1s", "+1s", "1S", "1.5s", "0x1s", "1ns", "1min",
                          "106752d", "99999999999999999999s"}) {
    CHECK_FALSE(parse_duration(bad).has_value());
  }
}

TEST_CASE("sizes are bytes or binary units") {
  const std::tuple<const char*, std::uint64_t, const char*> good[] = {
      {"0", 0, "0"},
      {"512", 512, "512"},
      {"1024", 1024, "1KiB"},
      {"16MiB", 16 << 20, "16MiB"},
      {"1024GiB", std::uint64_t{1} << 40, "1TiB"},
      {"18446744073709551615", UINT64_MAX, "18446744073709551615"}};
  for (const auto& [written, bytes, again] : good) {
    CHECK(parse_size(written) == bytes);
    CHECK(size_text(bytes) == again);
  }
  for (const char* bad : {"", "KiB", "1KB", "1k", "1kib", "1 KiB", "-1", "1.5MiB", "1B",
                          "18446744073709551616", "16777216TiB"}) {
    CHECK_FALSE(parse_size(bad).has_value());
  }
}

TEST_CASE("rates are so many in a second, a minute or an hour") {
  const std::tuple<const char*, std::uint64_t, Duration> good[] = {
      {"100/s", 100, seconds(1)}, {"1/m", 1, seconds(60)}, {"1000000/h", 1'000'000, seconds(3600)}};
  for (const auto& [written, count, period] : good) {
    const auto rate = parse_rate(written);
    REQUIRE(rate);
    CHECK(rate->count == count);
    CHECK(rate->period == period);
    CHECK(rate_text(*rate) == written);
  }
  for (const char* bad : {"", "100", "/s", "0/s", "1000001/s", "1/d", "1 /s", "1/S", "-1/s",
                          "1.5/s", "1s", "99999999999999999999/s"}) {
    CHECK_FALSE(parse_rate(bad).has_value());
  }
}

TEST_CASE("addresses have a host and a port, and one spelling") {
  const std::pair<const char*, const char*> good[] = {
      {"127.0.0.1:80", "127.0.0.1:80"},
      {"[::1]:80", "[::1]:80"},
      {"[2001:DB8:0:0::1]:443", "[2001:db8::1]:443"},
      {"[::ffff:1.2.3.4]:1", "[::ffff:1.2.3.4]:1"},
      {"api-1.example:65535", "api-1.example:65535"}};
  for (const auto& [written, again] : good) {
    const auto address = parse_address(written);
    REQUIRE(address);
    CHECK(address_text(*address) == again);
  }
  for (const char* bad : {"",
                          ":",
                          ":80",
                          "host",
                          "host:",
                          "host:0",
                          "host:65536",
                          "host:80a",
                          "host: 80",
                          "host:+80",
                          "::1:80",
                          "[::1]",
                          "[::1]80",
                          "[host]:80",
                          "[127.0.0.1]:80",
                          "[fe80::1%eth0]:80",
                          "127.0.0.256:80",
                          "127.1:80",
                          "1:80",
                          ".a:80",
                          "a b:80",
                          "a/b:80"}) {
    INFO(bad);
    CHECK_FALSE(parse_address(bad).has_value());
  }
}

TEST_CASE("loopback is the whole of 127.0.0.0/8 and ::1") {
  const auto of = [](const char* text) { return is_loopback(*parse_address(text)); };
  CHECK(of("127.0.0.1:1"));
  CHECK(of("127.255.0.9:1"));
  CHECK(of("[::1]:1"));
  CHECK_FALSE(of("128.0.0.1:1"));
  CHECK_FALSE(of("0.0.0.0:1"));
  CHECK_FALSE(of("[::]:1"));
  CHECK_FALSE(of("localhost:1"));  // what a name stands for is not known here
}

TEST_CASE("a suggestion is made only for a near word") {
  const std::string_view known[] = {"listeners", "targets", "mask_key"};
  CHECK(suggestion_for("listener", known) == "did you mean 'listeners'?");
  CHECK(suggestion_for("lisetners", known) == "did you mean 'listeners'?");
  CHECK(suggestion_for("Mask-Key", known) == "did you mean 'mask_key'?");
  CHECK(suggestion_for("x", known).empty());
  CHECK(suggestion_for("", known).empty());
  CHECK(suggestion_for(std::string(1000, 'l'), known).empty());
}
