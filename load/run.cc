#include "load/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "load/worker.h"

namespace sluice::load {

Result<std::unique_ptr<Report>> run(const Plan& plan, const DriverFactory& drivers) {
  const auto peer = dataplane::parse_endpoint(plan.host, plan.port);
  if (!peer) return tl::unexpected(peer.error());

  Quota quota;
  if (plan.requests) {
    quota.requests = *plan.requests;
  } else {
    quota.duration = plan.duration;
  }

  const std::uint32_t threads = std::clamp(plan.threads, 1U, plan.connections);
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::uint32_t i = 0; i < threads; ++i) {
    const std::uint32_t share =
        plan.connections / threads + (i < plan.connections % threads ? 1 : 0);
    auto worker = Worker::make(*peer, share, drivers, quota);
    if (!worker) return tl::unexpected(worker.error());
    workers.push_back(std::move(*worker));
  }

  {
    std::vector<std::jthread> running;
    for (auto& worker : workers) running.emplace_back([&own = *worker] { own.run(); });
  }
  auto report = std::make_unique<Report>();
  for (const auto& worker : workers) report->add(worker->report());
  if (report->connects == 0) {
    return fail(fmt::format("{} takes no connection", dataplane::text(*peer)));
  }
  return report;
}

}  // namespace sluice::load
