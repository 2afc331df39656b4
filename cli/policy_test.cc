// sluice policy test: what would happen to an operation.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "cli/rehearse.h"
#include "cli/verbs.h"
#include "config/load/load.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view verb = "policy test";

Result<std::string> body_of(const std::string& text) {
  if (!text.starts_with('@')) return text;
  auto found = config::World::real().read_file(text.substr(1));
  if (!found) return fail(fmt::format("cannot read '{}'", text.substr(1)));
  return std::move(*found);
}

Result<dataplane::RehearsedRequest> request_of(const PolicyTestOptions& options) {
  dataplane::RehearsedRequest out;
  const std::size_t space = options.request.find(' ');
  if (space == options.request.npos) return fail("--request takes a method and a path");
  out.method = options.request.substr(0, space);
  out.target = options.request.substr(space + 1);
  out.host = options.host;
  for (const std::string& header : options.headers) {
    const std::size_t colon = header.find(':');
    if (colon == header.npos) return fail(fmt::format("'{}' is no \"name: value\"", header));
    const std::size_t value = std::min(header.find_first_not_of(' ', colon + 1), header.size());
    out.fields.emplace_back(header.substr(0, colon), header.substr(value));
  }
  if (!options.body) return out;
  auto body = body_of(*options.body);
  if (!body) return tl::unexpected(body.error());
  out.body = std::move(*body);
  return out;
}

void print(const dataplane::RehearsedRuling& ruling, bool json) {
  if (json) {
    Json page{{"ruling", text(ruling.kind)},
              {"rule", ruling.rule},
              {"reason", ruling.reason},
              {"operation", ruling.operation},
              {"record", ruling.is_recorded ? "full" : "operations"},
              {"masks", ruling.masks}};
    fmt::print("{}\n", page.dump(-1, ' ', false, Json::error_handler_t::replace));
    return;
  }
  fmt::print("{}{}{}\n", text(ruling.kind),
             ruling.rule.empty() ? "" : fmt::format(" by rule \"{}\"", ruling.rule),
             ruling.reason.empty() ? "" : ": " + ruling.reason);
  if (!ruling.operation.empty()) fmt::print("  operation: {}\n", ruling.operation);
  if (!ruling.masks.empty()) fmt::print("  masks: {}\n", fmt::join(ruling.masks, ", "));
  if (ruling.is_recorded) fmt::print("  recorded in full\n");
}

}  // namespace

ExitCode perform(const PolicyTestOptions& options) {
  if (options.request.empty() == options.sql.empty()) {
    return complain(verb, "name an operation with --request or with --sql", ExitCode::usage);
  }
  const auto rehearsal = rehearse(options.configuration);
  if (!rehearsal) return complain(verb, rehearsal.error().message, ExitCode::bad_configuration);
  const auto listener = (*rehearsal)->listener(options.listener);
  if (!listener) {
    return complain(verb, fmt::format("there is no listener '{}'", options.listener),
                    ExitCode::usage);
  }
  const auto speaks = (*rehearsal)->protocol(*listener);
  if ((speaks == config::Protocol::http) != options.sql.empty()) {
    return complain(verb, "that is no operation of this listener's protocol", ExitCode::usage);
  }
  config::Principal who;
  who.subject = options.subject;
  who.groups = options.groups;
  who.proof = config::Proof::oidc;
  dataplane::RehearsedRuling ruling;
  if (options.sql.empty()) {
    const auto request = request_of(options);
    if (!request) return complain(verb, request.error().message, ExitCode::usage);
    ruling = (*rehearsal)->judge(*listener, options.subject.empty() ? nullptr : &who, *request);
  } else {
    if (options.subject.empty()) {
      return complain(verb, "a database's client is always somebody: --subject", ExitCode::usage);
    }
    const auto path = views_of(options.search_path);
    ruling = (*rehearsal)->judge(*listener, who, options.sql, path);
  }
  print(ruling, options.json);
  const bool is_expected = options.expect.empty() || options.expect == text(ruling.kind);
  return is_expected ? ExitCode::ok : ExitCode::failed;
}

}  // namespace sluice::cli
