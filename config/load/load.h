// From YAML files to Settings: strict, with file:line:column and a suggestion.
#pragma once

#include <filesystem>
#include <functional>
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

/// Generated from the loader's table.
std::string configuration_markdown();
std::string configuration_json_schema();

}  // namespace sluice::config
