#include "load/rate_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace sluice::load {
namespace {

/// The answer is this near to the limit; finer is noise on most machines.
constexpr double precision = 0.02;
constexpr double rate_min = 1;  ///< Also the finest difference.

struct Unit {
  std::string_view suffix;
  double ns;
};
constexpr std::array<Unit, 5> units{{{"ns", 1}, {"us", 1e3}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}}};

/// All of `text`, digits with at most one point.
std::optional<double> number(std::string_view text) noexcept {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (fault != std::errc() || stop != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<double> latency_ns(std::string_view text) noexcept {
  for (const Unit& unit : units) {
    if (!text.ends_with(unit.suffix)) continue;
    const auto value = number(text.substr(0, text.size() - unit.suffix.size()));
    if (value && *value > 0 && *value * unit.ns <= 3.6e12) return *value * unit.ns;
  }
  return std::nullopt;
}

}  // namespace

Result<LatencyGoal> LatencyGoal::parse(std::string_view text) {
  const std::size_t less = text.find('<');
  const auto refuse = [text] {
    return fail(fmt::format("'{}' is not a goal such as p99<2ms or p99.9<500us", text));
  };
  if (less == text.npos || !text.starts_with('p')) return refuse();
  const auto percent = number(text.substr(1, less - 1));
  const auto limit = latency_ns(text.substr(less + 1));
  if (!percent || *percent <= 0 || *percent > 100 || !limit) return refuse();
  return LatencyGoal{*percent / 100, {static_cast<std::int64_t>(*limit)}};
}

bool LatencyGoal::holds(const Report& report) const noexcept {
  return report.is_clean() && report.latency.count() != 0 &&
         report.latency.quantile(quantile) < static_cast<std::uint64_t>(limit.ns);
}

std::optional<double> RateSearch::next() const noexcept {
  if (is_over_) return std::nullopt;
  return next_;
}

void RateSearch::judge(bool held) noexcept {
  (held ? held_ : failed_) = next_;
  if (failed_ == 0) {
    is_over_ = next_ >= rate_max;
    next_ = std::min(next_ * 2, rate_max);
  } else if (held_ == 0) {
    is_over_ = next_ <= rate_min;
    next_ = std::max(next_ / 2, rate_min);
  } else {
    is_over_ = failed_ - held_ <= std::max(held_ * precision, rate_min);
    next_ = std::round((held_ + failed_) / 2);
  }
}

std::optional<double> RateSearch::best() const noexcept {
  if (held_ == 0) return std::nullopt;
  return held_;
}

}  // namespace sluice::load
