// What one worker counts over a run; workers' figures add up.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "load/latency_histogram.h"

namespace sluice::load {

inline constexpr std::size_t statuses_max = 600;

struct Figures {
  LatencyHistogram service;     ///< Open loop: from sent to the answer's last byte.
  LatencyHistogram lateness;    ///< Open loop: due to sent, while a connection was free.
  LatencyHistogram queueing;    ///< Open loop: due to sent, where all connections were busy.
  LatencyHistogram connecting;  ///< Until a connection stood.
  std::array<std::uint64_t, statuses_max> statuses{};
  std::vector<std::uint64_t> failed_checks;  ///< By DriverFactory::check_names().
  std::uint64_t completed = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t connects = 0;
  std::uint64_t connect_errors = 0;
  /// Closed, reset or not the protocol while an answer was awaited.
  std::uint64_t read_errors = 0;
  std::uint64_t unanswered = 0;  ///< Due or sent, and not answered when the run ended.
  Duration unanswered_wait_max;

  void add(const Figures& other);
  void clear();
  [[nodiscard]] std::uint64_t checks_failed() const noexcept;
};

}  // namespace sluice::load
