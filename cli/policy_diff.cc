// sluice policy diff: what differs between two configurations, rule by rule.
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/configuration.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view verb = "policy diff";

/// What has a name of its own in the configuration, in lists.
constexpr std::array<std::string_view, 4> named_lists{"policies", "masks", "targets", "listeners"};

/// As the audit log has it: without comments and secrets.
std::optional<Json> page_of(const std::string& path) {
  const auto settings = load_settings(verb, path);
  if (!settings) return std::nullopt;
  Json page = Json::parse(settings->text, nullptr, false);
  return page.contains("configuration") ? page.at("configuration") : page;
}

/// The order of keys means nothing.
bool is_same(const Json& one, const Json& other) {
  return nlohmann::json(one) == nlohmann::json(other);
}

std::map<std::string, Json> by_name(const Json& page, std::string_view list) {
  std::map<std::string, Json> out;
  for (const Json& item : page.value(std::string(list), Json::array())) {
    out.emplace(item.value("name", std::string()), item);
  }
  return out;
}

struct Change {
  std::string where;  ///< "policies"; or a section's name, with nothing below it.
  std::string name;
  Json before;  ///< Null: it was added.
  Json after;   ///< Null: it was removed.
};

std::vector<Change> changes_between(const Json& before, const Json& after) {
  std::vector<Change> out;
  for (const std::string_view list : named_lists) {
    const auto old = by_name(before, list);
    const auto fresh = by_name(after, list);
    for (const auto& [name, item] : old) {
      const auto other = fresh.find(name);
      if (other != fresh.end() && is_same(item, other->second)) continue;
      out.push_back({std::string(list), name, item, other == fresh.end() ? Json() : other->second});
    }
    for (const auto& [name, item] : fresh) {
      if (!old.contains(name)) out.push_back({std::string(list), name, Json(), item});
    }
  }
  std::set<std::string> sections;
  for (const Json* page : {&before, &after}) {
    for (const auto& [key, value] : page->items()) sections.insert(key);
  }
  for (const std::string_view list : named_lists) sections.erase(std::string(list));
  for (const std::string& key : sections) {
    const Json old = before.value(key, Json());
    const Json fresh = after.value(key, Json());
    if (!is_same(old, fresh)) out.push_back({key, {}, old, fresh});
  }
  return out;
}

std::string_view kind_of(const Change& change) {
  if (change.before.is_null()) return "added";
  return change.after.is_null() ? "removed" : "changed";
}

void print_line(const Change& change) {
  fmt::print("{} {}{}\n", kind_of(change), change.where,
             change.name.empty() ? "" : fmt::format(" \"{}\"", change.name));
  if (kind_of(change) != "changed" || !change.before.is_object()) {
    const Json& shown = change.after.is_null() ? change.before : change.after;
    fmt::print("    {}\n", shown.dump());
    return;
  }
  std::set<std::string> keys;
  for (const Json* side : {&change.before, &change.after}) {
    for (const auto& [key, value] : side->items()) keys.insert(key);
  }
  for (const std::string& key : keys) {
    const Json old = change.before.value(key, Json());
    const Json fresh = change.after.value(key, Json());
    if (is_same(old, fresh)) continue;
    fmt::print("    {}: {} → {}\n", key, old.is_null() ? "nothing" : old.dump(),
               fresh.is_null() ? "nothing" : fresh.dump());
  }
}

}  // namespace

ExitCode perform(const PolicyDiffOptions& options) {
  const auto before = page_of(options.before);
  const auto after = page_of(options.after);
  if (!before || !after) return ExitCode::bad_configuration;
  const auto changes = changes_between(*before, *after);
  if (!options.json) {
    for (const Change& change : changes) print_line(change);
    if (changes.empty()) fmt::print("they mean the same\n");
    return ExitCode::ok;
  }
  Json list = Json::array();
  for (const Change& change : changes) {
    list.push_back({{"change", kind_of(change)},
                    {"section", change.where},
                    {"name", change.name},
                    {"before", change.before},
                    {"after", change.after}});
  }
  fmt::print("{}\n", Json{{"changes", std::move(list)}}.dump());
  return ExitCode::ok;
}

}  // namespace sluice::cli
