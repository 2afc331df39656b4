#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/completion.h"

namespace sluice::cli {
namespace {

/// In single quotes, on one line.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out + "'";
}

/// How fish is told what values come: `-x` excludes files.
std::string values_of(const VerbOption& option) {
  if (!option.choices.empty()) {
    return fmt::format("-x -a {}", quoted(fmt::format("{}", fmt::join(option.choices, " "))));
  }
  if (option.value == "FILE") return "-r -F";
  if (option.value == "FOLDER") return "-x -a '(__fish_complete_directories)'";
  return "-x";
}

std::string option_line(const Verb& verb, const VerbOption& option) {
  std::string names;
  for (const std::string& name : option.names) {
    names += name.starts_with("--") ? fmt::format(" -l {}", name.substr(2))
                                    : fmt::format(" -s {}", name.substr(1));
  }
  return fmt::format("complete -c sluice -n {}{}{} -d {}\n",
                     quoted(fmt::format("__sluice_is '{}'", verb.path)), names,
                     option.value.empty() ? "" : fmt::format(" {}", values_of(option)),
                     quoted(option.what));
}

}  // namespace

std::string fish_completion(const Verb& program) {
  std::vector<std::string> paths, with_value;
  std::string lines;
  for_each_verb(program, [&](const Verb& verb) {
    const std::string here = quoted(fmt::format("__sluice_is '{}'", verb.path));
    for (const Verb& below : verb.verbs) {
      paths.push_back(fmt::format("'{}'", below.path));
      lines += fmt::format("complete -c sluice -n {} -a {} -d {}\n", here,
                           below.path.substr(verb.path.size() + 1), quoted(below.what));
    }
    for (const VerbOption& option : verb.options) {
      lines += option_line(verb, option);
      if (option.value.empty()) continue;
      for (const auto& name : option.names) {
        with_value.push_back(fmt::format("'{} {}'", verb.path, name));
      }
    }
    if (!verb.positionals.empty()) {
      lines +=
          fmt::format("complete -c sluice -n {} {}\n", here, values_of(verb.positionals.front()));
    }
  });
  return fmt::format(
      R"(# fish completion for sluice, made by `sluice completion fish`.
function __sluice_is --description 'Whether the verb on the command line is this one'
    set -l verb sluice
    set -l is_value false
    for word in (commandline -opc)[2..-1]
        if $is_value
            set is_value false
            continue
        end
        switch "$verb $word"
            case {}
                set verb "$verb $word"
            case {}
                set is_value true
        end
    end
    test "$verb" = "$argv[1]"
end
complete -c sluice -f
{})",
      fmt::join(paths, " "), fmt::join(with_value, " "), lines);
}

}  // namespace sluice::cli
