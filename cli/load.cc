// sluice load: send requests by a schedule or as fast as they are answered, and measure.
#include <algorithm>
#include <variant>

#include "cli/output.h"
#include "cli/verbs.h"
#include "config/load/load.h"
#include "config/load/quantity.h"
#include "load/http1_driver.h"
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
  if (!plan->steps.empty() && std::get<load::Mix>(mix).think_max.ns != 0) {
    return refuse({"a mix with think time needs the closed loop: a schedule does not wait"});
  }
  const auto host = load::resolve(url->host);
  if (!host) return complain("load", host.error().message, ExitCode::failed);
  plan->host = *host;

  const auto report = load::run(*plan, **drivers);
  if (!report) return complain("load", report.error().message, ExitCode::failed);
  fmt::print("{}{}", options.json ? report_json(**report) : report_text(**report),
             options.json ? "\n" : "");
  return (*report)->is_clean() ? ExitCode::ok : ExitCode::failed;
}

}  // namespace sluice::cli
