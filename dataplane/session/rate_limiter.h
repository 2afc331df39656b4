// How often who may begin an execution. One per worker; knows no clock.
//
// source   the generic cell rate algorithm (ITU-T I.371): of each pair of rule and
//          principal only the time is kept at which what it used is paid off.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/fingerprint.h"
#include "base/instant.h"
#include "config/model/policy.h"

namespace sluice::dataplane {

class RateLimiter {
 public:
  /// key  secret: nobody can choose names that share a set.
  explicit RateLimiter(const FingerprintKey& key) noexcept : key_(key) {}

  /// Of whom a rate counts executions.
  struct Caller {
    std::string_view issuer;
    std::string_view subject;
  };
  struct Answer {
    const config::RateRule* exceeded = nullptr;  ///< Null: the executions may begin.
    Duration wait;                               ///< Until as many might.
  };

  /// Takes `count` executions of each rate whose bit is set; of none when one is exceeded.
  /// differs  When too many callers are limited at a time to be kept apart, a newcomer
  ///          is refused.
  Answer take(std::span<const config::RateRule> rates, std::uint64_t which, const Caller& caller,
              std::uint64_t count, Instant now);
  /// The same answer, and takes nothing.
  [[nodiscard]] Answer ask(std::span<const config::RateRule> rates, std::uint64_t which,
                           const Caller& caller, std::uint64_t count, Instant now);

 private:
  struct Charge {
    const config::RateRule* rate = nullptr;
    Fingerprint who{};
    Instant paid_off;
  };
  struct Charges {
    std::array<Charge, 64> all;
    std::size_t used = 0;
  };
  struct Entry {
    Fingerprint who{};
    Instant paid_off;  ///< In the past: the entry says nothing and is free.
  };
  static constexpr std::size_t ways = 8;
  static constexpr std::size_t sets = 1024;

  [[nodiscard]] Answer weigh(std::span<const config::RateRule> rates, std::uint64_t which,
                             const Caller& caller, std::uint64_t count, Instant now,
                             Charges& charges);
  [[nodiscard]] Fingerprint print_of(const config::RateRule& rate, const Caller& caller) const;
  [[nodiscard]] Entry* find(const Fingerprint& who, Instant now) noexcept;

  FingerprintKey key_;
  std::vector<std::array<Entry, ways>> table_;  ///< Made when the first rate is met.
};

}  // namespace sluice::dataplane
