// What a run found.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/histogram.h"
#include "base/instant.h"

namespace sluice::load {

inline constexpr std::size_t statuses_max = 600;

struct Report {
  Histogram latency_ns;  ///< Request handed to the kernel until its answer was whole.
  std::array<std::uint64_t, statuses_max> statuses{};
  std::uint64_t completed = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t connects = 0;
  std::uint64_t connect_errors = 0;
  std::uint64_t read_errors =
      0;  ///< Closed, reset or not the protocol while an answer was awaited.
  Duration elapsed;
  Duration cpu;  ///< Of the generator's own threads.

  /// Joins another worker's part.
  void add(const Report& other);
  [[nodiscard]] double per_second() const noexcept;
};

/// For people.
std::string report_text(const Report& report);
/// One JSON object.
std::string report_json(const Report& report);

}  // namespace sluice::load
