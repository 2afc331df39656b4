#include "config/load/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "config/load/checks.h"
#include "config/load/merge.h"
#include "config/load/policy_text.h"
#include "config/load/reader.h"
#include "config/load/schema.h"
#include "config/load/yaml_tree.h"

namespace sluice::config {
namespace {

/// A world in which every question may be asked.
World complete(const World& world) {
  World whole = world;
  if (!whole.read_file) whole.read_file = [](const std::string&) { return std::nullopt; };
  if (!whole.environment) whole.environment = [](const std::string&) { return std::nullopt; };
  if (!whole.list_folder) {
    whole.list_folder = [](const std::string&) { return std::vector<std::string>(); };
  }
  if (!whole.resolve) whole.resolve = [](const std::string&) { return std::vector<std::string>(); };
  return whole;
}

/// The files of one configuration, in the order they count.
class Files {
 public:
  void add(std::string_view yaml, const std::string& name) {
    order_.emplace(name, order_.size());
    auto tree = parse_yaml(yaml, name, {}, problems_);
    if (!tree) return;
    if (tree->kind != YamlNode::Kind::mapping) {
      problems_.push_back({tree->place, "expected a section with keys at the top", {}});
    } else if (whole_) {
      merge(*whole_, std::move(*tree), problems_);
    } else {
      whole_ = std::move(tree);
    }
  }

  void add_unreadable(const std::string& name, std::string_view what) {
    Problem& problem = problems_.emplace_back();
    problem.place.file = name;
    problem.message = fmt::format("cannot read this {}", what);
  }

  void finish(Loaded& loaded, const World& world, const std::string& base_directory) && {
    read(loaded, world, base_directory, root_table());
    tell(loaded);
  }

  void finish_rules(Loaded& loaded, const World& world) && {
    loaded.settings.policies.clear();
    loaded.settings.masks.clear();
    read(loaded, world, {}, rules_table());
    tell(loaded);
  }

  RulesText rules() && {
    RulesText out;
    if (whole_) {
      std::erase_if(whole_->entries, [](const YamlEntry& entry) {
        return std::ranges::find(rules_table().fields, entry.key, &Field::key) ==
               rules_table().fields.end();
      });
      out.text = json_text(*whole_);
    }
    out.problems = std::move(problems_);
    return out;
  }

 private:
  void read(Loaded& loaded, const World& world, const std::string& base_directory,
            const Table& table) {
    const bool is_readable = problems_.empty();
    if (!whole_) return;
    Reader reader(world, base_directory, problems_);
    reader.read_section(*whole_, table, &loaded.settings);
    loaded.settings.text = policy_text(*whole_, reader.variables());
    // After a fault of the text itself, what is missing may only be unread.
    if (is_readable) check_settings(loaded.settings, reader.places(), problems_);
  }

  void tell(Loaded& loaded) {
    std::stable_sort(problems_.begin(), problems_.end(), [&](const Problem& a, const Problem& b) {
      const auto key = [&](const Problem& problem) {
        const auto file = order_.find(problem.place.file);
        return std::tuple(file == order_.end() ? 0 : file->second, problem.place.line,
                          problem.place.column);
      };
      return key(a) < key(b);
    });
    loaded.problems = std::move(problems_);
  }

  std::optional<YamlNode> whole_;
  std::map<std::string, std::size_t> order_;
  std::vector<Problem> problems_;
};

Files read_files(const std::filesystem::path& path, const World& world) {
  Files files;
  const auto yaml = world.read_file(path.string());
  if (!yaml) {
    files.add_unreadable(path.string(), "file");
    return files;
  }
  files.add(*yaml, path.string());

  const std::filesystem::path folder = path.parent_path() / "conf.d";
  auto names = world.list_folder(folder.string());
  if (!names) {
    files.add_unreadable(folder.string(), "folder");
    names.emplace();
  }
  std::sort(names->begin(), names->end());
  for (const std::string& name : *names) {
    if (!name.ends_with(".yaml") || name.starts_with('.')) continue;
    const std::string part = (folder / name).string();
    const auto text = world.read_file(part);
    if (text) {
      files.add(*text, part);
    } else {
      files.add_unreadable(part, "file");
    }
  }
  return files;
}

}  // namespace

std::string Problem::text() const {
  std::string text =
      place.line == 0 ? fmt::format("{}: {}", place.file, message)
                      : fmt::format("{}:{}:{}: {}", place.file, place.line, place.column, message);
  if (!suggestion.empty()) text += "; " + suggestion;
  return text;
}

Loaded load(const std::filesystem::path& path, const World& world) {
  const World whole_world = complete(world);
  Loaded loaded;
  read_files(path, whole_world).finish(loaded, whole_world, path.parent_path().string());
  return loaded;
}

Loaded load_text(std::string_view yaml, const std::string& name, const World& world) {
  Loaded loaded;
  Files files;
  files.add(yaml, name);
  std::move(files).finish(loaded, complete(world),
                          std::filesystem::path(name).parent_path().string());
  return loaded;
}

Loaded load_rules(std::string_view yaml, const std::map<std::string, std::string>& variables,
                  const Settings& others) {
  // Only what is handed in is there to be asked for.
  const World nothing =
      complete({.read_file = {}, .environment = [&variables](const std::string& name) {
                  const auto found = variables.find(name);
                  return found == variables.end() ? std::nullopt : std::optional(found->second);
                }});
  Loaded loaded{.settings = others, .problems = {}};
  Files files;
  files.add(yaml, "rules");
  std::move(files).finish_rules(loaded, nothing);
  return loaded;
}

RulesText read_rules(const std::filesystem::path& path, const World& world) {
  return read_files(path, complete(world)).rules();
}

}  // namespace sluice::config
