// sluice policy diff: what differs between two configurations, rule by rule.
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

#include "cli/configuration.h"
#include "cli/output.h"
#include "cli/policy_changes.h"
#include "cli/rules_of_file.h"
#include "cli/steering.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view verb = "policy diff";

std::string word_of(const Json& value) {
  return value.is_null() ? "nothing" : value.dump();
}

void print_line(const Json& change) {
  const std::string kind = change.value("change", std::string());
  const std::string name = change.value("name", std::string());
  const Json before = change.value("before", Json());
  const Json after = change.value("after", Json());
  fmt::print("{} {}{}\n", kind, change.value("section", std::string()),
             name.empty() ? "" : fmt::format(" \"{}\"", name));
  if (kind != "changed" || !before.is_object() || !after.is_object()) {
    fmt::print("    {}\n", (after.is_null() ? before : after).dump());
    return;
  }
  std::set<std::string> keys;
  for (const Json* side : {&before, &after}) {
    for (const auto& [key, value] : side->items()) keys.insert(key);
  }
  for (const std::string& key : keys) {
    const Json old = before.value(key, Json());
    const Json fresh = after.value(key, Json());
    // The order of keys means nothing.
    if (nlohmann::json(old) == nlohmann::json(fresh)) continue;
    fmt::print("    {}: {} → {}\n", key, word_of(old), word_of(fresh));
  }
}

ExitCode tell(const std::string& text, bool as_json) {
  const Json page = Json::parse(text);
  if (as_json) {
    fmt::print("{}\n", page.dump());
    return ExitCode::ok;
  }
  const Json changes = page.value("changes", Json::array());
  for (const Json& change : changes) print_line(change);
  if (changes.empty()) fmt::print("they mean the same\n");
  return ExitCode::ok;
}

ExitCode ask(const PolicyDiffOptions& options) {
  Json question{{"before", options.before}};
  if (is_version(options.after)) {
    question["after"] = options.after;
  } else {
    const auto rules = rules_of_file(verb, options.after);
    if (!rules) return ExitCode::bad_configuration;
    question["rules"] = *rules;
  }
  const auto reply =
      ask_gateway(verb, options.gateway,
                  {.method = "POST", .target = "/v1/policy/diff", .body = question.dump()});
  return reply.code == ExitCode::ok ? tell(reply.body, options.json) : reply.code;
}

}  // namespace

ExitCode perform(const PolicyDiffOptions& options) {
  if (options.gateway.is_said()) return ask(options);
  const auto before = load_settings(verb, options.before);
  const auto after = load_settings(verb, options.after);
  if (!before || !after) return ExitCode::bad_configuration;
  return tell(policy_changes(before->text, after->text), options.json);
}

}  // namespace sluice::cli
