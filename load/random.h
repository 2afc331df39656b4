// Reproducible randomness for what is sent: the same seed, the same requests.
// Not for secrets.
#pragma once

#include <cstdint>

namespace sluice::load {

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}
  /// One of a family: streams of the same seed differ.
  Random(std::uint64_t seed, std::uint64_t stream) noexcept : state_(seed) {
    state_ ^= Random(stream).next();
  }

  std::uint64_t next() noexcept {
    state_ += 0x9E3779B97F4A7C15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
    return mixed ^ (mixed >> 31);
  }
  /// 0 to `end` - 1; `end` > 0. The bias of the multiplication is below 2⁻³² for small ends.
  std::uint64_t below(std::uint64_t end) noexcept {
    return end > UINT32_MAX ? next() % end : ((next() >> 32) * end) >> 32;
  }
  /// Both ends included.
  std::uint64_t between(std::uint64_t min, std::uint64_t max) noexcept {
    return max - min == UINT64_MAX ? next() : min + below(max - min + 1);
  }

 private:
  std::uint64_t state_;
};

}  // namespace sluice::load
