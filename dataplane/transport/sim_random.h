// Numbers that one seed decides, the same on every machine.
#pragma once

#include <cstdint>

namespace sluice::dataplane {

/// SplitMix64: every seed is a good one.
class SimRandom {
 public:
  explicit SimRandom(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  /// 0 to `bound`, both included.
  std::uint64_t up_to(std::uint64_t bound) noexcept {
    return bound == UINT64_MAX ? next() : next() % (bound + 1);
  }
  bool chance(unsigned per_mille) noexcept { return next() % 1000 < per_mille; }

 private:
  std::uint64_t state_;
};

}  // namespace sluice::dataplane
