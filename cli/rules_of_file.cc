#include "cli/rules_of_file.h"

#include "audit/policy_store.h"
#include "cli/output.h"
#include "config/load/load.h"

namespace sluice::cli {

bool is_version(std::string_view text) {
  return text == "current" || audit::parse_policy_digest(text).has_value();
}

std::optional<std::string> rules_of_file(std::string_view verb, const std::string& path) {
  auto rules = config::read_rules(path, config::World::real());
  for (const config::Problem& problem : rules.problems) {
    complain(verb, problem.text(), ExitCode::bad_configuration);
  }
  if (!rules.problems.empty()) return std::nullopt;
  return std::move(rules.text);
}

}  // namespace sluice::cli
