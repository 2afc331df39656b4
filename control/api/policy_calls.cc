// The configuration in force, its versions, and what they or other rules would say to operations.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "control/api/handlers.h"
#include "control/api/record_query.h"

namespace sluice::control::api {

using Json = nlohmann::ordered_json;

std::string json_of(const PolicyAnswer& answer) {
  const Json page{{"ruling", answer.ruling},
                  {"rule", answer.rule},
                  {"reason", answer.reason},
                  {"operation", answer.operation},
                  {"record", answer.is_recorded ? "full" : "operations"},
                  {"masks", answer.masks}};
  return page.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Outcome<std::string> show_policy(const Actions& actions, const Asked& /*asked*/) {
  return actions.policy();
}

Outcome<std::string> test_policy(const Actions& actions, const Asked& asked) {
  PolicyQuestion question{.listener = asked.text("listener"),
                          .subject = asked.text("subject"),
                          .groups = asked.texts("groups"),
                          .method = asked.text("method"),
                          .path = asked.text("path"),
                          .headers = asked.texts("headers"),
                          .sql = asked.text("sql")};
  if (asked.has("host")) question.host = asked.text("host");
  if (asked.has("body")) question.body = asked.text("body");
  if (asked.has("search_path")) question.search_path = asked.texts("search_path");
  const auto answer = actions.test_policy(question);
  if (!answer) return refuse(422, answer.error().message);
  return json_of(*answer);
}

namespace {

/// Of a version, or of a text: the one of the two that is given.
Outcome<RulesChoice> choice_of(const Asked& asked, std::string_view version) {
  if (asked.has(version) == asked.has("rules")) {
    return refuse(422, fmt::format("it needs '{}' or 'rules', and not both", version));
  }
  if (asked.has(version)) return RulesChoice{.version = asked.text(version)};
  RulesChoice out{.rules = asked.text("rules")};
  if (out.rules.empty()) return refuse(422, "'rules' is empty");
  return out;
}

}  // namespace

Outcome<std::string> list_policy_versions(const Actions& actions, const Asked& /*asked*/) {
  const auto page = actions.policy_versions();
  if (!page) return tl::unexpected(page.error());
  Json list = Json::array();
  for (const PolicyVersion& one : page->versions) {
    list.push_back({{"digest", one.digest}, {"since", timestamp_text(one.since, 3)}});
  }
  return Json{{"current", page->current}, {"versions", std::move(list)}}.dump();
}

Outcome<std::string> show_policy_version(const Actions& actions, const Asked& asked) {
  return actions.policy_version(asked.text("version"));
}

Outcome<std::string> diff_policy(const Actions& actions, const Asked& asked) {
  auto after = choice_of(asked, "after");
  if (!after) return tl::unexpected(after.error());
  PolicyDiffQuestion question{.after = std::move(*after)};
  if (asked.has("before")) question.before = asked.text("before");
  return actions.diff_policy(question);
}

Outcome<std::string> dry_run_policy(const Actions& actions, const Asked& asked) {
  auto rules = choice_of(asked, "version");
  if (!rules) return tl::unexpected(rules.error());
  auto query = query_of(asked);
  if (!query) return tl::unexpected(query.error());
  const auto mark = mark_of(asked);
  if (!mark) return tl::unexpected(mark.error());
  DryRunQuestion question{.rules = std::move(*rules), .query = std::move(*query), .mark = *mark};
  if (asked.has("search_path")) question.search_path = asked.texts("search_path");
  return actions.dry_run_policy(question);
}

}  // namespace sluice::control::api
