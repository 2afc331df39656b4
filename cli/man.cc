// sluice man: manual pages, to read or to install.
#include <fmt/ranges.h>

#include <fstream>

#include "cli/man_page.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

ExitCode print_page(const Verb& program, const std::vector<std::string>& words) {
  const Verb *verb = &program, *above = nullptr;
  for (const std::string& word : words) {
    const Verb* below = nullptr;
    for (const Verb& one : verb->verbs) {
      if (one.path == verb->path + " " + word) below = &one;
    }
    if (below == nullptr) {
      return complain("man", fmt::format("there is no verb '{} {}'", verb->path, word),
                      ExitCode::usage);
    }
    above = std::exchange(verb, below);
  }
  fmt::print("{}", man_page(*verb, above));
  return ExitCode::ok;
}

/// The page of a verb, and those of the verbs below it.
bool write_pages(const std::string& folder, const Verb& verb, const Verb* above) {
  std::ofstream file(fmt::format("{}/{}.1", folder, man_page_name(verb)));
  file << man_page(verb, above);
  file.close();
  if (!file) return false;
  for (const Verb& below : verb.verbs) {
    if (!write_pages(folder, below, &verb)) return false;
  }
  return true;
}

}  // namespace

ExitCode perform(const ManOptions& options) {
  const Verb program = verb_tree();
  if (options.output.empty()) return print_page(program, options.verb);
  if (write_pages(options.output, program, nullptr)) return ExitCode::ok;
  return complain("man", fmt::format("cannot write pages into {}", options.output),
                  ExitCode::failed);
}

}  // namespace sluice::cli
