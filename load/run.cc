#include "load/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <latch>
#include <thread>
#include <vector>

#include "load/worker.h"

namespace sluice::load {
namespace {

/// The steps with what comes before them: warm-up at the first rate.
std::vector<RateStep> with_warmup(const Plan& plan) {
  std::vector<RateStep> steps;
  steps.reserve(plan.steps.size() + 1);
  if (!plan.steps.empty() && plan.warmup.ns != 0) {
    steps.push_back({plan.steps.front().per_second, plan.warmup});
  }
  for (const RateStep& step : plan.steps) steps.push_back(step);
  return steps;
}

Duration counted_duration(const Plan& plan) {
  if (plan.steps.empty()) return plan.requests ? Duration{} : plan.duration;
  Duration total;
  for (const RateStep& step : plan.steps) total.ns += step.lasts.ns;
  return total;
}

/// The step that a second belongs to; a run's tail to the last one.
StepResult* step_at(Report& report, std::int64_t second) {
  if (report.steps.empty()) return nullptr;
  std::int64_t end = 0;
  for (StepResult& result : report.steps) {
    end += result.step.lasts.ns;
    if (milliseconds(second * 1000).ns < end) return &result;
  }
  return &report.steps.back();
}

Second summary(const Tick& tick, const StepResult* step) {
  const LatencyHistogram& latency = tick.latency;
  return {.number = tick.second,
          .due_per_second = step == nullptr ? 0 : step->step.per_second,
          .completed = latency.count(),
          .errors = tick.errors,
          .p50 = latency.quantile(0.5),
          .p99 = latency.quantile(0.99),
          .p999 = latency.quantile(0.999),
          .max = latency.max()};
}

void take(const Tick& tick, std::int64_t whole_seconds, Report& report, const Observer& observer) {
  StepResult* const step = step_at(report, std::max<std::int64_t>(tick.second, 0));
  const Second second = summary(tick, step);
  // Runs end a little after a second does.
  const bool is_empty = second.completed == 0 && second.errors == 0;
  if (is_empty && tick.second >= whole_seconds) return;
  if (observer) observer(second, tick.latency);
  if (tick.second < 0) return;
  report.latency.add(tick.latency);
  report.seconds.push_back(second);
  if (step != nullptr) {
    step->latency.add(tick.latency);
    step->errors += tick.errors;
  }
}

}  // namespace

Result<std::unique_ptr<Report>> run(const Plan& plan, const DriverFactory& drivers,
                                    const Observer& observer) {
  const auto peer = dataplane::parse_endpoint(plan.host, plan.port);
  if (!peer) return tl::unexpected(peer.error());

  const std::uint32_t threads = std::clamp(plan.threads, 1U, plan.connections);
  Timeline timeline(threads);
  std::latch all_connected(threads);
  Shared shared{.quota = {}, .timeline = timeline, .all_connected = all_connected};
  if (plan.requests) shared.quota.requests = *plan.requests;

  std::vector<std::unique_ptr<Worker>> workers;
  for (std::uint32_t i = 0; i < threads; ++i) {
    const std::uint32_t connections =
        plan.connections / threads + (i < plan.connections % threads ? 1 : 0);
    auto worker = Worker::make({.peer = *peer,
                                .number = i,
                                .workers = threads,
                                .connections = connections,
                                .requests_per_connection = plan.requests_per_connection,
                                .warmup = plan.warmup,
                                .duration = counted_duration(plan),
                                .schedule = Schedule(with_warmup(plan), i, threads),
                                .is_open_loop = !plan.steps.empty()},
                               drivers, shared);
    if (!worker) return tl::unexpected(worker.error());
    workers.push_back(std::move(*worker));
  }

  auto report = std::make_unique<Report>();
  for (const RateStep& step : plan.steps) report->steps.push_back({.step = step});
  report->check_names = drivers.check_names();
  {
    std::vector<std::jthread> running;
    running.reserve(workers.size());
    for (auto& worker : workers) running.emplace_back([&own = *worker] { own.run(); });
    while (auto tick = timeline.next()) {
      take(*tick, counted_duration(plan).ns / seconds(1).ns, *report, observer);
      timeline.recycle(std::move(tick));
    }
  }
  bool connected = false;
  for (const auto& worker : workers) {
    report->figures.add(worker->figures());
    report->elapsed = std::max(report->elapsed, worker->elapsed());
    report->cpu.ns += worker->cpu().ns;
    connected = connected || worker->ever_connected();
  }
  if (!connected) return fail(fmt::format("{} takes no connection", dataplane::text(*peer)));
  return report;
}

}  // namespace sluice::load
