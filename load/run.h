// A whole run: threads, their connections, one report.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/instant.h"
#include "base/result.h"
#include "load/driver.h"
#include "load/report.h"

namespace sluice::load {

struct Plan {
  std::string host;  ///< Numeric.
  std::uint16_t port = 0;
  std::uint32_t connections = 64;  ///< Spread over the threads.
  std::uint32_t threads = 1;
  Duration duration = seconds(10);
  std::optional<std::uint64_t> requests = std::nullopt;  ///< Instead of the duration.
};

/// errors  the peer takes no connection, or io_uring does not work here.
Result<std::unique_ptr<Report>> run(const Plan& plan, const DriverFactory& drivers);

}  // namespace sluice::load
