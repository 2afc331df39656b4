#include "load/latency_histogram.h"

#include <cmath>

namespace sluice::load {
namespace {

double middle_at(std::size_t index) noexcept {
  const std::uint64_t lowest = LatencyHistogram::lowest_at(index);
  const std::uint64_t width = LatencyHistogram::highest_at(index) - lowest + 1;
  const std::uint64_t middle = lowest + width / 2;
  return static_cast<double>(middle);
}

}  // namespace

void LatencyHistogram::add(const LatencyHistogram& other) noexcept {
  for (std::size_t i = other.first_; i < other.end(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
  first_ = std::min(first_, other.first_);
  last_ = std::max(last_, other.last_);
}

void LatencyHistogram::clear() noexcept {
  for (std::size_t i = first_; i < end(); ++i) counts_[i] = 0;
  count_ = 0;
  max_ = 0;
  first_ = size;
  last_ = 0;
}

double LatencyHistogram::mean() const noexcept {
  if (count_ == 0) return 0;
  double sum = 0;
  for (std::size_t i = first_; i < end(); ++i) {
    sum += middle_at(i) * static_cast<double>(counts_[i]);
  }
  return sum / static_cast<double>(count_);
}

double LatencyHistogram::deviation() const noexcept {
  if (count_ == 0) return 0;
  const double center = mean();
  double sum = 0;
  for (std::size_t i = first_; i < end(); ++i) {
    const double off = middle_at(i) - center;
    sum += off * off * static_cast<double>(counts_[i]);
  }
  return std::sqrt(sum / static_cast<double>(count_));
}

std::uint64_t LatencyHistogram::quantile(double q) const noexcept {
  if (count_ == 0) return 0;
  const auto rank = std::clamp<std::uint64_t>(
      static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_))), 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t i = first_; i < end(); ++i) {
    seen += counts_[i];
    if (seen >= rank) return std::min(highest_at(i), max_);
  }
  return max_;
}

std::uint64_t LatencyHistogram::lowest_at(std::size_t index) noexcept {
  const unsigned shift = shift_at(index);
  return (std::uint64_t{index} - (std::uint64_t{shift} << half_bits)) << shift;
}

std::uint64_t LatencyHistogram::highest_at(std::size_t index) noexcept {
  return lowest_at(index) + (std::uint64_t{1} << shift_at(index)) - 1;
}

}  // namespace sluice::load
