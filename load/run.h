// A whole run: threads, their connections, one report.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "load/driver.h"
#include "load/report.h"
#include "load/schedule.h"

namespace sluice::load {

struct Plan {
  std::string host = {};  ///< Numeric.
  std::uint16_t port = 0;
  std::uint32_t connections = 64;  ///< Spread over the threads.
  std::uint32_t threads = 1;
  Duration warmup = {};  ///< Load that is not counted, before the rest.
  Duration duration = seconds(10);
  std::optional<std::uint64_t> requests = std::nullopt;  ///< Instead of the duration; no warm-up.
  std::vector<RateStep> steps = {};  ///< Open loop, instead of the duration. Empty: closed.
  /// After so many answers a connection is replaced by a new one; 0: never.
  std::uint64_t requests_per_connection = 0;
};

/// Told of every second, warm-up included, on the thread that called run().
using Observer = std::function<void(const Second& second, const LatencyHistogram& latency)>;

/// errors  the peer takes no connection, or io_uring does not work here.
Result<std::unique_ptr<Report>> run(const Plan& plan, const DriverFactory& drivers,
                                    const Observer& observer = {});

}  // namespace sluice::load
