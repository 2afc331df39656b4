// What a run found.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "load/figures.h"
#include "load/schedule.h"

namespace sluice::load {

/// One second of the run, for plots and the live line. Latencies in ns.
struct Second {
  std::int64_t number = 0;    ///< Below 0: warm-up.
  double due_per_second = 0;  ///< 0 in a closed loop.
  std::uint64_t completed = 0;
  std::uint64_t errors = 0;
  std::uint64_t p50 = 0;
  std::uint64_t p99 = 0;
  std::uint64_t p999 = 0;
  std::uint64_t max = 0;
};

/// What was answered while a step of the rate was on.
struct StepResult {
  RateStep step;
  LatencyHistogram latency = {};
  std::uint64_t errors = 0;

  [[nodiscard]] double answered_per_second() const noexcept;
};

struct Report {
  LatencyHistogram latency;  ///< Due (open loop) or free to be sent, to the answer's last byte.
  Figures figures;
  std::vector<Second> seconds;    ///< Without the warm-up.
  std::vector<StepResult> steps;  ///< Empty in a closed loop.
  std::vector<std::string> check_names;
  Duration elapsed;  ///< Without the warm-up.
  Duration cpu;      ///< Of the generator's own threads.

  [[nodiscard]] bool is_open_loop() const noexcept { return !steps.empty(); }
  [[nodiscard]] double per_second() const noexcept;
  /// Nothing went wrong that the numbers do not show: no error, no failed check, no
  /// request that was due and went without an answer.
  [[nodiscard]] bool is_clean() const noexcept;
};

/// One line, for a terminal while the run is on.
std::string second_text(const Second& second);
/// For people.
std::string report_text(const Report& report);
/// One JSON object; docs/load.md names its fields.
std::string report_json(const Report& report);

}  // namespace sluice::load
