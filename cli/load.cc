// sluice load: send requests by a schedule or as fast as they are answered, and measure.
#include <algorithm>
#include <chrono>
#include <variant>

#include "cli/load_output.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "config/load/load.h"
#include "config/load/quantity.h"
#include "load/hdr.h"
#include "load/html.h"
#include "load/http1_driver.h"
#include "load/rate_search.h"
#include "load/run.h"

namespace sluice::cli {
namespace {

Result<std::string> body_of(const std::string& option) {
  if (!option.starts_with('@')) return option;
  auto content = config::World::real().read_file(option.substr(1));
  if (!content) return fail(fmt::format("cannot read '{}'", option.substr(1)));
  return std::move(*content);
}

/// The one request that the command line describes.
Result<load::Mix> single_request(const LoadOptions& options) {
  load::MixRequest request{.name = "request", .method = options.method, .has_templates = false};
  auto body = body_of(options.body);
  if (!body) return tl::unexpected(body.error());
  request.body = std::move(*body);
  for (const auto& header : options.headers) {
    const std::size_t colon = header.find(':');
    if (colon == header.npos) return fail(fmt::format("'{}' is not 'Name: value'", header));
    const std::size_t value = std::min(header.find_first_not_of(' ', colon + 1), header.size());
    request.headers.emplace_back(header.substr(0, colon), header.substr(value));
  }
  return load::Mix{.requests = {std::move(request)}};
}

/// The file's; its problems go to stderr.
std::variant<load::Mix, ExitCode> mix_from_file(const std::string& path) {
  const auto text = config::World::real().read_file(path);
  if (!text) return complain("load", fmt::format("cannot read '{}'", path), ExitCode::failed);
  auto loaded = load::read_mix(*text, path);
  if (loaded.problems.empty()) return std::move(loaded.mix);
  for (const auto& problem : loaded.problems) fmt::print(stderr, "{}\n", problem.text());
  return complain("load", fmt::format("{} in {}", counted(loaded.problems.size(), "problem"), path),
                  ExitCode::bad_configuration);
}

std::variant<load::Mix, ExitCode> mix_of(const LoadOptions& options) {
  if (!options.mix.empty()) return mix_from_file(options.mix);
  auto mix = single_request(options);
  if (!mix) return complain("load", mix.error().message, ExitCode::usage);
  return std::move(*mix);
}

/// Where, how and how long; without what is said.
Result<load::Plan> plan_of(const LoadOptions& options, const load::Url& url) {
  load::Plan plan{.port = url.port,
                  .connections = options.connections,
                  .threads = options.threads,
                  .requests = options.requests,
                  .requests_per_connection = options.churn};
  const auto duration = config::parse_duration(options.duration);
  if (!duration) return tl::unexpected(duration.error());
  plan.duration = *duration;
  const auto warmup = config::parse_duration(options.warmup);
  if (!warmup) return tl::unexpected(warmup.error());
  plan.warmup = *warmup;
  if (!options.rate.empty()) {
    const auto rate = load::parse_rate(options.rate);
    if (!rate) return tl::unexpected(rate.error());
    plan.steps = {{*rate, plan.duration}};
  } else if (!options.rate_steps.empty()) {
    auto steps = load::parse_rate_steps(options.rate_steps);
    if (!steps) return tl::unexpected(steps.error());
    plan.steps = std::move(*steps);
  }
  return plan;
}

/// One run, with everything that it writes besides its report.
Result<std::unique_ptr<load::Report>> measure(const LoadOptions& options, const load::Plan& plan,
                                              const load::DriverFactory& drivers) {
  LiveLine live(options.quiet);
  const auto clock = std::chrono::system_clock::now().time_since_epoch();
  IntervalLog log({std::chrono::nanoseconds(clock).count()});
  const bool logs = !options.hdr_log.empty();
  auto report = load::run(plan, drivers,
                          [&](const load::Second& second, const load::LatencyHistogram& latency) {
                            live.show(second);
                            if (logs) log.add(second, latency);
                          });
  if (!report || !logs) return report;
  const auto written = write_text(options.hdr_log, log.text());
  if (!written) return tl::unexpected(written.error());
  return report;
}

Result<void> write_files(const LoadOptions& options, const load::Report& report) {
  if (!options.hdr.empty()) {
    auto written = write_text(options.hdr, load::percentile_distribution(report.latency));
    if (!written) return written;
  }
  if (options.html.empty()) return {};
  return write_text(options.html, load::report_html(report, parameters_of(options)));
}

ExitCode run_once(const LoadOptions& options, const load::Plan& plan,
                  const load::DriverFactory& drivers) {
  const auto report = measure(options, plan, drivers);
  if (!report) return complain("load", report.error().message, ExitCode::failed);
  fmt::print("{}{}", options.json ? report_json(**report) : report_text(**report),
             options.json ? "\n" : "");
  if (const auto written = write_files(options, **report); !written) {
    return complain("load", written.error().message, ExitCode::failed);
  }
  return (*report)->is_clean() ? ExitCode::ok : ExitCode::failed;
}

struct Trial {
  double rate;
  bool held;
  std::unique_ptr<load::Report> report;
};

std::string trial_text(const Trial& trial, const load::LatencyGoal& goal) {
  const load::Report& report = *trial.report;
  return fmt::format("{:>10.0f}/s  {:>10.0f} answered/s  p{:g} {:>10.1f} µs  {}{}\n", trial.rate,
                     report.per_second(), goal.quantile * 100,
                     static_cast<double>(report.latency.quantile(goal.quantile)) / 1e3,
                     trial.held ? "holds" : "fails", report.is_clean() ? "" : " (not clean)");
}

void print_search_json(const LoadOptions& options, const load::RateSearch& search,
                       const std::vector<Trial>& trials) {
  std::string list;
  for (const Trial& trial : trials) {
    list += fmt::format("{}{{\"rate\":{:.3f},\"held\":{},\"report\":{}}}", list.empty() ? "" : ",",
                        trial.rate, trial.held, report_json(*trial.report));
  }
  const auto best = search.best();
  fmt::print("{{\"goal\":\"{}\",\"rate\":{},\"trials\":[{}]}}\n", options.find_rate,
             best ? fmt::format("{:.3f}", *best) : "null", list);
}

/// Trial after trial; the files are those of the best one.
ExitCode find_rate(const LoadOptions& options, load::Plan plan,
                   const load::DriverFactory& drivers) {
  const auto goal = load::LatencyGoal::parse(options.find_rate);
  if (!goal) return complain("load", goal.error().message, ExitCode::usage);
  constexpr double first_rate = 1000;
  load::RateSearch search(plan.steps.empty() ? first_rate : plan.steps.front().per_second);
  std::vector<Trial> trials;
  while (const auto rate = search.next()) {
    plan.steps = {{*rate, plan.duration}};
    auto report = measure(options, plan, drivers);
    if (!report) return complain("load", report.error().message, ExitCode::failed);
    const bool held = goal->holds(**report);
    search.judge(held);
    trials.push_back({*rate, held, std::move(*report)});
    if (!options.json) fmt::print("{}", trial_text(trials.back(), *goal));
    std::fflush(stdout);
  }
  const auto best = search.best();
  if (options.json) {
    print_search_json(options, search, trials);
  } else if (best) {
    fmt::print("highest rate with {}: {:.0f} per second\n", options.find_rate, *best);
  } else {
    fmt::print("no rate has {}\n", options.find_rate);
  }
  if (!best) return ExitCode::failed;
  const auto shown = std::find_if(trials.begin(), trials.end(),
                                  [&](const Trial& trial) { return trial.rate == *best; });
  if (const auto written = write_files(options, *shown->report); !written) {
    return complain("load", written.error().message, ExitCode::failed);
  }
  return ExitCode::ok;
}

}  // namespace

ExitCode perform(const LoadOptions& options) {
  const auto refuse = [](const Error& error) {
    return complain("load", error.message, ExitCode::usage);
  };
  const auto url = load::parse_url(options.url);
  if (!url) return refuse(url.error());
  auto plan = plan_of(options, *url);
  if (!plan) return refuse(plan.error());
  const auto mix = mix_of(options);
  if (const auto* code = std::get_if<ExitCode>(&mix)) return *code;
  const auto drivers = load::Http1DriverFactory::make(std::get<load::Mix>(mix), *url, options.seed);
  if (!drivers) return refuse(drivers.error());
  const bool is_open_loop = !plan->steps.empty() || !options.find_rate.empty();
  if (is_open_loop && std::get<load::Mix>(mix).think_max.ns != 0) {
    return refuse({"a mix with think time needs the closed loop: a schedule does not wait"});
  }
  const auto host = load::resolve(url->host);
  if (!host) return complain("load", host.error().message, ExitCode::failed);
  plan->host = *host;

  return options.find_rate.empty() ? run_once(options, *plan, **drivers)
                                   : find_rate(options, std::move(*plan), **drivers);
}

}  // namespace sluice::cli
