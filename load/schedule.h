// When requests are due in an open loop: arithmetic, no clock, nothing stored
// per request.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"

namespace sluice::load {

/// So many requests a second, over all workers, for so long.
struct RateStep {
  double per_second = 0;
  Duration lasts;
};

inline constexpr double rate_max = 10'000'000;  ///< Per second.

/// "5000" or "2.5k": requests per second.
Result<double> parse_rate(std::string_view text);
/// "FROM:TO:STEP/DURATION", e.g. "1k:10k:500/10s". Steps last whole seconds.
Result<std::vector<RateStep>> parse_rate_steps(std::string_view text);

/// One worker's arrivals: every `workers`-th of the steps' common sequence.
class Schedule {
 public:
  Schedule(std::vector<RateStep> steps, std::uint64_t worker, std::uint64_t workers);

  [[nodiscard]] bool is_over() const noexcept { return step_ == steps_.size(); }
  /// When the next request is due, since the first step's beginning. Not when over.
  [[nodiscard]] Duration due() const noexcept;
  void advance() noexcept;
  /// Arrivals not yet taken.
  [[nodiscard]] std::uint64_t left() const noexcept;

 private:
  [[nodiscard]] std::uint64_t arrivals(std::size_t step) const noexcept;
  void skip_finished() noexcept;

  std::vector<RateStep> steps_;
  std::uint64_t workers_;
  std::size_t step_ = 0;
  Duration step_began_;
  std::uint64_t arrival_;  ///< The next one's number in its step.
};

}  // namespace sluice::load
