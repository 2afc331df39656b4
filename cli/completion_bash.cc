#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/completion.h"

namespace sluice::cli {
namespace {

/// What the script calls the values of an option: "file", "folder", "words a b" or "any".
std::string kind_of(const VerbOption& option) {
  if (!option.choices.empty()) return fmt::format("words {}", fmt::join(option.choices, " "));
  if (option.value == "FILE") return "file";
  if (option.value == "FOLDER") return "folder";
  return "any";
}

/// `    'sluice audit -c' | 'sluice audit --config') kind='file' ;;`
std::string option_cases(const Verb& verb) {
  std::string out;
  for (const VerbOption& option : verb.options) {
    if (option.value.empty()) continue;
    std::vector<std::string> patterns;
    for (const auto& name : option.names)
      patterns.push_back(fmt::format("'{} {}'", verb.path, name));
    out += fmt::format("      {}) kind='{}' ;;\n", fmt::join(patterns, " | "), kind_of(option));
  }
  return out;
}

/// What may come where neither a value nor an option does.
std::string argument_kind(const Verb& verb) {
  if (!verb.verbs.empty()) {
    std::string words = "words";
    for (const Verb& below : verb.verbs) words += below.path.substr(verb.path.size());
    return words;
  }
  return verb.positionals.empty() ? "options" : kind_of(verb.positionals.front());
}

std::string option_names(const Verb& verb) {
  std::vector<std::string> names;
  for (const VerbOption& option : verb.options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return fmt::format("{}", fmt::join(names, " "));
}

}  // namespace

std::string bash_completion(const Verb& program) {
  std::vector<std::string> paths;
  std::string options, arguments;
  for_each_verb(program, [&](const Verb& verb) {
    for (const Verb& below : verb.verbs) paths.push_back(fmt::format("'{}'", below.path));
    options += option_cases(verb);
    arguments += fmt::format("    '{}') options='{}' arguments='{}' ;;\n", verb.path,
                             option_names(verb), argument_kind(verb));
  });
  return fmt::format(
      R"(# bash completion for sluice, made by `sluice completion bash`.
_sluice() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} verb=sluice kind= options= arguments= word i
  COMPREPLY=()
  # Which verb is it, and is the word before one that takes a value?
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${{COMP_WORDS[i]}}
    if [[ $kind ]]; then
      # bash cuts --option=value into three words.
      [[ $word == = ]] || kind=
      continue
    fi
    case "$verb $word" in
      {}) verb="$verb $word" ;;
{}    esac
  done
  case $verb in
{}  esac
  if [[ $kind ]]; then
    [[ $current != = ]] || current=
  elif [[ $current == -* || $arguments == options ]]; then
    kind="words $options"
  else
    kind=$arguments
  fi
  case $kind in
    file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    folder) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    words*) mapfile -t COMPREPLY < <(compgen -W "${{kind#words}}" -- "$current") ;;
  esac
}}
complete -F _sluice sluice
)",
      fmt::join(paths, " | "), options, arguments);
}

}  // namespace sluice::cli
