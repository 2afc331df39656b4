// sluice load: send requests as fast as they are answered, and measure.
#include <algorithm>

#include "cli/output.h"
#include "cli/verbs.h"
#include "config/load/load.h"
#include "config/load/quantity.h"
#include "load/http1_driver.h"
#include "load/run.h"
#include "parsers/http1/fields.h"

namespace sluice::cli {
namespace {

Result<std::string> body_of(const std::string& option) {
  if (!option.starts_with('@')) return option;
  auto content = config::World::real().read_file(option.substr(1));
  if (!content) return fail(fmt::format("cannot read '{}'", option.substr(1)));
  return std::move(*content);
}

Result<load::Http1Request> request_of(const LoadOptions& options) {
  load::Http1Request request{.method = options.method, .fields = {}, .body = {}};
  auto body = body_of(options.body);
  if (!body) return tl::unexpected(body.error());
  request.body = std::move(*body);
  for (const auto& header : options.headers) {
    const std::size_t colon = header.find(':');
    if (colon == header.npos) return fail(fmt::format("'{}' is not 'Name: value'", header));
    const std::size_t value = std::min(header.find_first_not_of(' ', colon + 1), header.size());
    request.fields.emplace_back(header.substr(0, colon), header.substr(value));
  }
  return request;
}

}  // namespace

ExitCode perform(const LoadOptions& options) {
  const auto refuse = [](const Error& error) {
    return complain("load", error.message, ExitCode::usage);
  };
  const auto url = load::parse_url(options.url);
  if (!url) return refuse(url.error());
  const auto duration = config::parse_duration(options.duration);
  if (!duration) return refuse(duration.error());
  const auto request = request_of(options);
  if (!request) return refuse(request.error());
  auto bytes = load::encode(*request, *url);
  if (!bytes) return refuse(bytes.error());
  const auto host = load::resolve(url->host);
  if (!host) return complain("load", host.error().message, ExitCode::failed);

  const load::Http1DriverFactory drivers(std::move(*bytes), http1::method_of(request->method));
  const auto report = load::run({.host = *host,
                                 .port = url->port,
                                 .connections = options.connections,
                                 .threads = options.threads,
                                 .duration = *duration,
                                 .requests = options.requests},
                                drivers);
  if (!report) return complain("load", report.error().message, ExitCode::failed);
  fmt::print("{}{}", options.json ? report_json(**report) : report_text(**report),
             options.json ? "\n" : "");
  return ExitCode::ok;
}

}  // namespace sluice::cli
