// Latencies with three significant digits from 1 ns to 1 h, in the buckets of
// HdrHistogram: what it writes and reads, and merging loses nothing.
// One thread at a time; base/histogram.h is the small one that threads share.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/instant.h"

namespace sluice::load {

class LatencyHistogram {
 public:
  static constexpr int significant_digits = 3;
  static constexpr std::uint64_t highest_value = 3'600'000'000'000;  ///< ns; more counts as this.
  /// 2 × 10³ values have a bucket each; above, buckets double in width every half of that.
  static constexpr unsigned sub_bucket_bits = 11;
  static constexpr std::size_t sub_buckets = std::size_t{1} << sub_bucket_bits;
  static constexpr std::size_t buckets =
      static_cast<std::size_t>(std::bit_width(highest_value)) - sub_bucket_bits + 1;

  void record(Duration duration) noexcept {
    const auto value =
        std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(duration.ns, 0)), highest_value);
    const std::size_t index = index_of(value);
    ++counts_[index];
    ++count_;
    first_ = std::min(first_, index);
    last_ = std::max(last_, index);
    max_ = std::max(max_, value);
  }
  void add(const LatencyHistogram& other) noexcept;
  void clear() noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t max() const noexcept { return max_; }
  /// Of the buckets' middles, as HdrHistogram has it.
  [[nodiscard]] double mean() const noexcept;
  [[nodiscard]] double deviation() const noexcept;
  /// The highest value of the bucket where the quantile (0..1) lies; 0 when empty.
  [[nodiscard]] std::uint64_t quantile(double q) const noexcept;

  // For writers of formats: every bucket in order of value.
  /// One behind the last bucket that has a count.
  [[nodiscard]] std::size_t end() const noexcept { return count_ == 0 ? 0 : last_ + 1; }
  [[nodiscard]] std::uint64_t count_at(std::size_t index) const noexcept { return counts_[index]; }
  static std::uint64_t lowest_at(std::size_t index) noexcept;
  static std::uint64_t highest_at(std::size_t index) noexcept;

 private:
  static constexpr unsigned half_bits = sub_bucket_bits - 1;
  static constexpr std::size_t half = sub_buckets / 2;
  static constexpr std::size_t size = (buckets + 1) * half;

  static std::size_t index_of(std::uint64_t value) noexcept {
    const auto bucket =
        static_cast<unsigned>(std::bit_width(value | (sub_buckets - 1))) - sub_bucket_bits;
    return (std::size_t{bucket} << half_bits) + static_cast<std::size_t>(value >> bucket);
  }
  static unsigned shift_at(std::size_t index) noexcept {
    return index < sub_buckets ? 0 : static_cast<unsigned>(index >> half_bits) - 1;
  }

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(size);
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
  std::size_t first_ = size;  ///< First and last bucket with a count.
  std::size_t last_ = 0;
};

}  // namespace sluice::load
