// A snapshot compiled from a configuration's text, with no file or environment behind it.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "config/load/load.h"
#include "dataplane/session/snapshot.h"
#include "must.h"

namespace sluice::test {

/// keys    the API keys file.
/// secret  what every `file:` reference holds.
inline std::shared_ptr<const dataplane::Snapshot> snapshot_of(
    const std::string& configuration, const std::string& keys,
    const std::string& secret = "unused") {
  config::World world;
  world.read_file = [&secret](const std::string&) { return std::optional<std::string>(secret); };
  world.environment = [](const std::string&) { return std::optional<std::string>{}; };
  const config::Loaded loaded = config::load_text(configuration, "test.yaml", world);
  if (!loaded.problems.empty()) throw std::runtime_error(loaded.problems.front().text());
  return must(
      dataplane::compile(loaded.settings, must(identity::ApiKeys::parse(keys, "keys.yaml")), 1));
}

}  // namespace sluice::test
