#include "cli/configuration.h"

#include "cli/output.h"
#include "config/load/load.h"

namespace sluice::cli {

std::optional<config::Settings> load_settings(std::string_view verb, const std::string& path) {
  auto loaded = config::load(path, config::World::real());
  if (loaded.problems.empty()) return std::move(loaded.settings);
  for (const auto& problem : loaded.problems) fmt::print(stderr, "{}\n", problem.text());
  fmt::print(stderr, "sluice {}: {} problem{} in the configuration\n", verb, loaded.problems.size(),
             loaded.problems.size() == 1 ? "" : "s");
  return std::nullopt;
}

}  // namespace sluice::cli
