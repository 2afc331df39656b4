#include "cli/rules_of_file.h"

#include <algorithm>

#include "base/text_codec.h"
#include "cli/output.h"
#include "config/load/load.h"

namespace sluice::cli {

bool is_version(std::string_view text) {
  constexpr std::size_t digest_characters = 64;
  return text == "current" || (text.size() == digest_characters && from_hex(text).has_value());
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
