#include "base/histogram.h"

#include <algorithm>
#include <cmath>

namespace sluice {

void Histogram::add(const Histogram& other) noexcept {
  for (std::size_t i = 0; i < buckets; ++i) {
    const auto more = other.counts_[i].load(std::memory_order_relaxed);
    if (more != 0) counts_[i].fetch_add(more, std::memory_order_relaxed);
  }
  sum_.fetch_add(other.sum(), std::memory_order_relaxed);
  max_.store(std::max(max(), other.max()), std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const noexcept {
  std::uint64_t total = 0;
  for (const auto& slot : counts_) total += slot.load(std::memory_order_relaxed);
  return total;
}

std::uint64_t Histogram::quantile(double q) const noexcept {
  const std::uint64_t total = count();
  if (total == 0) return 0;
  const auto rank = std::clamp<std::uint64_t>(
      static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(total))), 1, total);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets; ++i) {
    seen += counts_[i].load(std::memory_order_relaxed);
    if (seen >= rank) return std::min(highest_in(i), max());
  }
  return max();
}

std::uint64_t Histogram::count_up_to(std::uint64_t value) const noexcept {
  std::uint64_t seen = 0;
  const std::size_t last = index_of(value);
  for (std::size_t i = 0; i <= last; ++i) seen += counts_[i].load(std::memory_order_relaxed);
  return seen;
}

std::uint64_t Histogram::highest_in(std::size_t index) noexcept {
  const auto group = static_cast<unsigned>(index >> sub_bits);
  const std::uint64_t sub = index & ((std::size_t{1} << sub_bits) - 1);
  if (group == 0) return sub;
  const unsigned shift = group - 1;
  const std::uint64_t lowest = ((std::uint64_t{1} << sub_bits) + sub) << shift;
  return lowest + (std::uint64_t{1} << shift) - 1;
}

}  // namespace sluice
