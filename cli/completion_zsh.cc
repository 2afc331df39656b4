#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/completion.h"

namespace sluice::cli {
namespace {

/// For single quotes and for _arguments, to which brackets and colons mean something.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else if (c == '\n') {
      out += ' ';
    } else {
      if (c == '[' || c == ']' || c == ':' || c == '\\' || c == '"' || c == '`' || c == '$') {
        out += '\\';
      }
      out += c;
    }
  }
  return out;
}

/// An action of _arguments that offers nothing. A blank would, too, but with a message that
/// keeps options from being completed where an argument could be.
constexpr std::string_view unknown = "{false}";

std::string values_of(const VerbOption& option) {
  if (!option.choices.empty()) return fmt::format("({})", fmt::join(option.choices, " "));
  if (option.value == "FILE") return "_files";
  if (option.value == "FOLDER") return "_files -/";
  return std::string(unknown);
}

/// `'(-c --config)'{-c,--config}'[Configuration file]:FILE:_files'`
std::string option_spec(const VerbOption& option) {
  const std::string others =
      option.may_repeat ? "*" : fmt::format("({})", fmt::join(option.names, " "));
  const std::string names = option.names.size() == 1
                                ? option.names.front()
                                : fmt::format("'{{{}}}'", fmt::join(option.names, ","));
  const std::string value =
      option.value.empty() ? "" : fmt::format(":{}:{}", escaped(option.value), values_of(option));
  return fmt::format("'{}{}[{}]{}'", others, names, escaped(option.what), value);
}

/// `'1:verb:((run\:"Run the gateway" check\:"…"))'`
std::string verbs_spec(const Verb& verb) {
  std::string out;
  for (const Verb& below : verb.verbs) {
    out += fmt::format("{}{}\\:\"{}\"", out.empty() ? "" : " ",
                       below.path.substr(verb.path.size() + 1), escaped(below.what));
  }
  return fmt::format("'1:verb:(({}))'", out);
}

std::string verb_case(const Verb& verb) {
  std::vector<std::string> specs;
  for (const VerbOption& option : verb.options) specs.push_back(option_spec(option));
  if (!verb.verbs.empty()) specs.push_back(verbs_spec(verb));
  for (const VerbOption& positional : verb.positionals) {
    specs.push_back(fmt::format("'{}:{}:{}'", positional.may_repeat ? "*" : "",
                                escaped(positional.names.front()), values_of(positional)));
  }
  return fmt::format("    '{}')\n      _arguments -s {} ;;\n", verb.path,
                     fmt::join(specs, " \\\n        "));
}

}  // namespace

std::string zsh_completion(const Verb& program) {
  std::vector<std::string> paths, with_value;
  std::string cases;
  for_each_verb(program, [&](const Verb& verb) {
    for (const Verb& below : verb.verbs) paths.push_back(fmt::format("'{}'", below.path));
    for (const VerbOption& option : verb.options) {
      if (option.value.empty()) continue;
      for (const auto& name : option.names) {
        with_value.push_back(fmt::format("'{} {}'", verb.path, name));
      }
    }
    cases += verb_case(verb);
  });
  return fmt::format(
      R"(#compdef sluice
# zsh completion for sluice, made by `sluice completion zsh`.
_sluice() {{
  local verb=sluice is_value=
  integer i at=1
  for ((i = 2; i < CURRENT; ++i)); do
    if [[ -n $is_value ]]; then
      is_value=
      continue
    fi
    case "$verb $words[i]" in
      {}) verb="$verb $words[i]"; at=i ;;
      {}) is_value=1 ;;
    esac
  done
  # What _arguments sees begins with the verb.
  shift $((at - 1)) words
  ((CURRENT -= at - 1))
  case $verb in
{}  esac
}}
_sluice "$@"
)",
      fmt::join(paths, "|"), fmt::join(with_value, "|"), cases);
}

}  // namespace sluice::cli
