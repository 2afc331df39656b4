// Latency histogram with bounded relative error, in the manner of HdrHistogram:
// powers of two, each cut into equal sub-buckets. Recording is two shifts and an
// increment; nothing allocates.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace sluice {

/// Counts of values from 0 to 2^40-1 (in ns: about 18 minutes), relative error
/// below 1/32. One thread records; any thread may read a consistent-enough copy.
class Histogram {
 public:
  static constexpr unsigned sub_bits = 5;
  static constexpr unsigned value_bits_max = 40;
  static constexpr std::size_t buckets = (static_cast<std::size_t>(value_bits_max - sub_bits) + 1)
                                         << sub_bits;

  void record(std::uint64_t value) noexcept {
    auto& slot = counts_[index_of(value)];
    slot.store(slot.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    sum_.store(sum_.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
    if (value > max_.load(std::memory_order_relaxed)) {
      max_.store(value, std::memory_order_relaxed);
    }
  }

  /// Adds another histogram's counts, for a view over workers.
  void add(const Histogram& other) noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept;
  [[nodiscard]] std::uint64_t sum() const noexcept { return sum_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t max() const noexcept { return max_.load(std::memory_order_relaxed); }
  /// Highest value equivalent to the given quantile (0..1); 0 when empty.
  [[nodiscard]] std::uint64_t quantile(double q) const noexcept;
  /// How many recorded values are at most `value` (to bucket precision).
  [[nodiscard]] std::uint64_t count_up_to(std::uint64_t value) const noexcept;

 private:
  static std::size_t index_of(std::uint64_t value) noexcept {
    constexpr std::uint64_t top = (std::uint64_t{1} << value_bits_max) - 1;
    if (value > top) value = top;
    const auto width = static_cast<unsigned>(std::bit_width(value | 1U));
    if (width <= sub_bits) return static_cast<std::size_t>(value);
    const unsigned shift = width - sub_bits - 1;
    // The leading one is implied by the group, so sub-buckets use the bits below it.
    const std::uint64_t sub = (value >> shift) & ((std::uint64_t{1} << sub_bits) - 1);
    return (static_cast<std::size_t>(shift + 1) << sub_bits) + static_cast<std::size_t>(sub);
  }
  static std::uint64_t highest_in(std::size_t index) noexcept;

  std::array<std::atomic<std::uint64_t>, buckets> counts_{};
  std::atomic<std::uint64_t> sum_{0};
  std::atomic<std::uint64_t> max_{0};
};

}  // namespace sluice
