// The highest rate at which a latency stays under a limit: doubling, then
// bisection. Says which rate to try next; somebody else tries it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "load/report.h"

namespace sluice::load {

/// "p99<2ms": a quantile of the latency stays below a limit.
struct LatencyGoal {
  double quantile = 0;
  Duration limit;

  static Result<LatencyGoal> parse(std::string_view text);
  /// Also asks that every request was answered, as expected, and in its time.
  [[nodiscard]] bool holds(const Report& report) const noexcept;
};

class RateSearch {
 public:
  explicit RateSearch(double first_rate) noexcept : next_(first_rate) {}

  /// Nothing when the search is over.
  [[nodiscard]] std::optional<double> next() const noexcept;
  /// What became of the rate that next() gave.
  void judge(bool held) noexcept;
  /// The highest rate that held; nothing when none did.
  [[nodiscard]] std::optional<double> best() const noexcept;

 private:
  double next_;
  double held_ = 0;
  double failed_ = 0;  ///< 0: none did yet.
  bool is_over_ = false;
};

}  // namespace sluice::load
