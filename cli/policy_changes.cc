#include "cli/policy_changes.h"

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

namespace sluice::cli {
namespace {

using Json = nlohmann::ordered_json;

/// What has a name of its own in the configuration, in lists.
constexpr std::array<std::string_view, 4> named_lists{"policies", "masks", "targets", "listeners"};

/// The sections, and beside them the variables that they take.
Json page_of(std::string_view text) {
  const Json whole = Json::parse(text, nullptr, false);
  Json page = whole.value("configuration", Json::object());
  const Json variables = whole.value("environment", Json::object());
  if (!variables.empty()) page["environment"] = variables;
  return page;
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

}  // namespace

std::string policy_changes(std::string_view before, std::string_view after) {
  Json list = Json::array();
  for (const Change& change : changes_between(page_of(before), page_of(after))) {
    list.push_back({{"change", kind_of(change)},
                    {"section", change.where},
                    {"name", change.name},
                    {"before", change.before},
                    {"after", change.after}});
  }
  return Json{{"changes", std::move(list)}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sluice::cli
