// A world without files or environment, but for what a test puts there.
#pragma once

#include <map>
#include <string>

#include "config/load/load.h"

namespace sluice::config {

struct TestWorld {
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> variables;
  std::map<std::string, std::vector<std::string>> hosts;

  /// Answers from copies, so it may outlive this object.
  [[nodiscard]] World world() const {
    World world;
    world.read_file = [known = files](const std::string& path) { return find(known, path); };
    world.environment = [known = variables](const std::string& name) { return find(known, name); };
    world.list_folder = [known = files](const std::string& folder) {
      std::vector<std::string> names;
      for (const auto& [path, text] : known) {
        if (path.starts_with(folder + "/")) names.push_back(path.substr(folder.size() + 1));
      }
      return std::optional(names);
    };
    world.resolve = [known = hosts](const std::string& host) {
      return find(known, host).value_or(std::vector<std::string>());
    };
    return world;
  }

 private:
  template <class Value>
  static std::optional<Value> find(const std::map<std::string, Value>& known,
                                   const std::string& key) {
    const auto found = known.find(key);
    return found == known.end() ? std::nullopt : std::optional(found->second);
  }
};

inline std::string texts(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    if (!text.empty()) text += '\n';
    text += problem.text();
  }
  return text;
}

}  // namespace sluice::config
