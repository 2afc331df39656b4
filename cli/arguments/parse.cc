// From the command line to one verb's options.
#include <algorithm>
#include <iostream>
#include <string_view>
#include <vector>

#include "cli/arguments.h"
#include "cli/arguments/tree.h"
#include "config/load/suggest.h"

namespace sluice::cli {

std::variant<Command, ExitCode> parse_arguments(int argc, const char* const* argv) {
  Tree tree;
  // CLI11 would only say that a subcommand is required.
  if (const std::string_view verb = argc > 1 ? argv[1] : "-"; !verb.starts_with('-')) {
    std::vector<std::string> names;
    for (const auto* known : tree.app.get_subcommands({})) names.push_back(known->get_name());
    if (std::find(names.begin(), names.end(), verb) == names.end()) {
      const std::vector<std::string_view> known(names.begin(), names.end());
      const std::string nearest = config::suggestion_for(verb, known);
      std::cerr << "sluice: there is no verb '" << verb << "'; "
                << (nearest.empty() ? "`sluice --help` lists them" : nearest) << '\n';
      return ExitCode::usage;
    }
  }
  try {
    tree.app.parse(argc, argv);
  } catch (const CLI::ParseError& outcome) {
    // CLI11 reports --help and --version as exceptions too, with code 0.
    return tree.app.exit(outcome, std::cout, std::cerr) == 0 ? ExitCode::ok : ExitCode::usage;
  }
  return *tree.command;
}

}  // namespace sluice::cli
