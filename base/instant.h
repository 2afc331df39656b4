// Time as values: passed in by the loop, never read by protocol code.
#pragma once

#include <compare>
#include <cstdint>

namespace sluice {

/// A span of time in nanoseconds.
struct Duration {
  std::int64_t ns = 0;
  auto operator<=>(const Duration&) const = default;
};

constexpr Duration milliseconds(std::int64_t n) noexcept {
  return {n * 1'000'000};
}
constexpr Duration seconds(std::int64_t n) noexcept {
  return {n * 1'000'000'000};
}

/// A point on the monotonic clock (CLOCK_MONOTONIC), nanoseconds.
struct Instant {
  std::int64_t ns = 0;
  auto operator<=>(const Instant&) const = default;
};

constexpr Instant operator+(Instant t, Duration d) noexcept {
  return {t.ns + d.ns};
}
constexpr Duration operator-(Instant a, Instant b) noexcept {
  return {a.ns - b.ns};
}

/// A point in UTC, nanoseconds since the Unix epoch. For records and expiry.
struct WallTime {
  std::int64_t ns = 0;
  auto operator<=>(const WallTime&) const = default;
};

constexpr WallTime operator+(WallTime t, Duration d) noexcept {
  return {t.ns + d.ns};
}
constexpr Duration operator-(WallTime a, WallTime b) noexcept {
  return {a.ns - b.ns};
}

/// Both clocks read together, once per loop turn.
struct Now {
  Instant monotonic;
  WallTime wall;
};

}  // namespace sluice
