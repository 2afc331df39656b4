// From CLI11's tree to plain values.
#include <string_view>

#include "cli/arguments/tree.h"
#include "cli/verb_tree.h"

namespace sluice::cli {
namespace {

constexpr std::string_view examples_title = "Examples:\n";

/// "a", "b" of "TEXT:{a,b}", which is how CLI11 tells of CLI::IsMember.
std::vector<std::string> choices_of(std::string_view type) {
  std::vector<std::string> choices;
  const std::size_t begin = type.find(":{");
  if (begin == type.npos || !type.ends_with('}')) return choices;
  type = type.substr(begin + 2, type.size() - begin - 3);
  for (;;) {
    const std::size_t comma = type.find(',');
    choices.emplace_back(type.substr(0, comma));
    if (comma == type.npos) return choices;
    type.remove_prefix(comma + 1);
  }
}

VerbOption describe(const CLI::Option& option) {
  VerbOption out;
  if (option.get_positional()) {
    out.names.push_back(option.get_name());
  } else {
    for (const auto& name : option.get_snames()) out.names.push_back("-" + name);
    for (const auto& name : option.get_lnames()) out.names.push_back("--" + name);
  }
  out.what = option.get_description();
  // A flag takes nothing, and yet has a type.
  if (option.get_items_expected_max() > 0) {
    const std::string type = option.get_type_name();
    out.value = type.substr(0, type.find(':'));
    out.choices = choices_of(type);
    out.preset = option.get_default_str();
  }
  out.is_required = option.get_required();
  out.may_repeat = option.get_items_expected_max() > 1;
  return out;
}

Verb describe(const CLI::App& app, const std::string& above) {
  Verb out;
  out.path = above + app.get_name();
  out.what = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    (option->get_positional() ? out.positionals : out.options).push_back(describe(*option));
  }
  const std::string footer = app.get_footer();
  if (footer.starts_with(examples_title)) out.examples = footer.substr(examples_title.size());
  out.stands_alone = app.get_require_subcommand_min() == 0;
  for (const CLI::App* verb : app.get_subcommands({})) {
    out.verbs.push_back(describe(*verb, out.path + " "));
  }
  return out;
}

}  // namespace

Verb verb_tree() {
  const Tree tree;
  return describe(tree.app, "");
}

std::string words_below_program(const Verb& verb) {
  const std::size_t space = verb.path.find(' ');
  return space == std::string::npos ? std::string() : verb.path.substr(space + 1);
}

}  // namespace sluice::cli
