// From YAML files to Settings: strict, with file:line:column and a suggestion.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/model/settings.h"

namespace sluice::config {

struct Problem {
  Place place;
  std::string message;                     ///< What is wrong and what was expected.
  std::string suggestion;                  ///< "did you mean 'listeners'?" or empty.
  [[nodiscard]] std::string text() const;  ///< "file:line:column: message; suggestion"
};

/// What the loader may ask of the world, so that it can be tested without one.
struct World {
  std::function<std::optional<std::string>(const std::string& path)> read_file;
  std::function<std::optional<std::string>(const std::string& name)> environment;
  /// The names in a folder; empty when there is no such folder, nothing when it
  /// cannot be read.
  std::function<std::optional<std::vector<std::string>>(const std::string& path)> list_folder = {};
  /// The numeric addresses of a host name; empty when there are none.
  std::function<std::vector<std::string>(const std::string& host)> resolve = {};
  static World real();
};

struct Loaded {
  Settings settings;
  std::vector<Problem> problems;  ///< Empty: good to use.
};

/// Loads `path`, and conf.d/*.yaml beside it in name order. All problems are
/// collected, not only the first. Includes what needs more than one section:
/// unknown target names, duplicate names, limits that contradict each other.
Loaded load(const std::filesystem::path& path, const World& world);
/// The same for one text; `name` stands in for the file in places.
Loaded load_text(std::string_view yaml, const std::string& name, const World& world);

/// The settings of a gateway with the policies and masks of a text, which has no other sections, in
/// place of its own. Nothing is asked of the world, whatever the text says.
/// variables  that `${env:NAME}` may stand for.
Loaded load_rules(std::string_view yaml, const std::map<std::string, std::string>& variables,
                  const Settings& others);

struct RulesText {
  std::string text;               ///< For load_rules().
  std::vector<Problem> problems;  ///< Empty: good to send.
};
/// The policies and masks of `path` and conf.d, merged, as they were written: nothing else in them
/// is looked at, and no reference is followed.
RulesText read_rules(const std::filesystem::path& path, const World& world);

/// Generated from the loader's table.
std::string configuration_markdown();
std::string configuration_json_schema();

}  // namespace sluice::config
