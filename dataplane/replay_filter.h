// Proofs that were shown and are still good, as all workers saw them: none counts twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>

#include "base/fingerprint.h"
#include "base/instant.h"

namespace sluice::dataplane {

/// A table of a fixed size and without locks, for a proof may be shown on one worker's connection
/// and then on another's. It holds keyed fingerprints of 59 bits: one fresh proof in a million
/// million is taken for another and refused, and none is let through twice.
class ReplayFilter {
 public:
  /// So many fit at a time but for one in a hundred thousand; with a minute each that is 4,000 a
  /// second. Memory that no proof has used is not touched.
  static constexpr std::size_t proofs_max = std::size_t{1} << 18;
  /// The longest that a proof may be good for.
  static constexpr Duration kept_max = seconds(1'024);

  enum class Verdict : std::uint8_t {
    fresh,
    seen,
    full,  ///< It could not be remembered, and so must not count.
  };

  /// since  what was made before then may have been seen by a filter before this one.
  ReplayFilter(const FingerprintKey& key, WallTime since);

  /// Any thread; allocates nothing.
  ///
  /// name   of the proof: it differs where proofs do.
  /// until  from then on whoever asks refuses the proof by itself; within kept_max.
  [[nodiscard]] Verdict show(std::string_view name, WallTime made, WallTime until,
                             WallTime now) noexcept;

 private:
  struct Free {
    void operator()(std::uint64_t* table) const noexcept { std::free(table); }
  };
  static constexpr std::size_t bucket_entries = 16;
  static constexpr std::size_t entries = 4 * proofs_max;
  static constexpr std::size_t buckets = entries / bucket_entries;

  [[nodiscard]] std::uint64_t second_of(WallTime time) const noexcept;

  FingerprintKey key_;
  WallTime since_;
  std::unique_ptr<std::uint64_t, Free> table_;  ///< Read and written as atomics alone.
};

}  // namespace sluice::dataplane
