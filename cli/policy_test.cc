// sluice policy test: what would happen to an operation.
#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "cli/policy_question.h"
#include "cli/rehearse.h"
#include "cli/steering.h"
#include "cli/verbs.h"
#include "config/load/load.h"

namespace sluice::cli {
namespace {

using control::api::PolicyQuestion;
using Json = nlohmann::ordered_json;

constexpr std::string_view verb = "policy test";

Result<std::string> body_of(const std::string& text) {
  if (!text.starts_with('@')) return text;
  auto found = config::World::real().read_file(text.substr(1));
  if (!found) return fail(fmt::format("cannot read '{}'", text.substr(1)));
  return std::move(*found);
}

Result<PolicyQuestion> question_of(const PolicyTestOptions& options) {
  PolicyQuestion out{.listener = options.listener,
                     .subject = options.subject,
                     .groups = options.groups,
                     .host = options.host,
                     .headers = options.headers,
                     .sql = options.sql,
                     .search_path = options.search_path};
  if (!options.request.empty()) {
    const std::size_t space = options.request.find(' ');
    if (space == options.request.npos) return fail("--request takes a method and a path");
    out.method = options.request.substr(0, space);
    out.path = options.request.substr(space + 1);
  }
  if (!options.body) return out;
  auto body = body_of(*options.body);
  if (!body) return tl::unexpected(body.error());
  out.body = std::move(*body);
  return out;
}

/// As the control API takes it.
std::string page_of(const PolicyQuestion& question) {
  Json page{{"listener", question.listener}};
  const auto add = [&page](const char* name, const auto& value) {
    if (!value.empty()) page[name] = value;
  };
  add("subject", question.subject);
  add("groups", question.groups);
  add("method", question.method);
  add("path", question.path);
  add("host", question.host);
  add("headers", question.headers);
  if (question.body) page["body"] = *question.body;
  add("sql", question.sql);
  add("search_path", question.search_path);
  return page.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// What would happen, which is JSON.
ExitCode tell(const std::string& answer, const PolicyTestOptions& options) {
  const Json page = Json::parse(answer);
  const auto text = [&page](const char* name) { return page.value(name, std::string()); };
  if (options.json) {
    fmt::print("{}\n", page.dump());
  } else {
    const std::string rule = text("rule");
    const std::string reason = text("reason");
    fmt::print("{}{}{}\n", text("ruling"),
               rule.empty() ? rule : fmt::format(" by rule \"{}\"", rule),
               reason.empty() ? reason : ": " + reason);
    if (!text("operation").empty()) fmt::print("  operation: {}\n", text("operation"));
    const auto masks = page.value("masks", std::vector<std::string>());
    if (!masks.empty()) fmt::print("  masks: {}\n", fmt::join(masks, ", "));
    if (text("record") == "full") fmt::print("  recorded in full\n");
  }
  const bool is_expected = options.expect.empty() || options.expect == text("ruling");
  return is_expected ? ExitCode::ok : ExitCode::failed;
}

}  // namespace

ExitCode perform(const PolicyTestOptions& options) {
  const auto question = question_of(options);
  if (!question) return complain(verb, question.error().message, ExitCode::usage);
  if (options.gateway.is_said()) {
    const auto reply =
        ask_gateway(verb, options.gateway,
                    {.method = "POST", .target = "/v1/policy/test", .body = page_of(*question)});
    return reply.code == ExitCode::ok ? tell(reply.body, options) : reply.code;
  }
  const auto rehearsal = rehearse(options.gateway.configuration);
  if (!rehearsal) return complain(verb, rehearsal.error().message, ExitCode::bad_configuration);
  const auto answered = answer(**rehearsal, *question);
  if (!answered) return complain(verb, answered.error().message, ExitCode::usage);
  return tell(json_of(*answered), options);
}

}  // namespace sluice::cli
