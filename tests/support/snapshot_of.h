// A snapshot compiled from a configuration's text, with no file or environment behind it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "config/load/load.h"
#include "dataplane/session/snapshot.h"
#include "must.h"

namespace sluice::test {

/// The configuration of one listener, whose target is open to every known key.
/// rest              follows its one policy: more policies, then more sections.
/// listener_options  further entries of the listener, each after a comma.
inline std::string open_gateway(const std::string& rest, const std::string& listener_options = {}) {
  return R"(version: 1
listeners:
  - {name: payments, address: "127.0.0.1:8080", protocol: http, target: api)" +
         listener_options + R"(}
targets:
  - {name: api, addresses: ["127.0.0.1:9001"]}
identity:
  api_keys: file:keys.yaml
audit:
  directory: audit
  signing_key: file:audit.key
policies:
  - name: the api is open
    ruling: allow
)" + rest;
}

/// Contents by path.
using Files = std::map<std::string, std::string>;

/// keys    the API keys file.
/// secret  what every `file:` reference holds, but for
/// files   those whose path is here.
inline std::shared_ptr<const dataplane::Snapshot> snapshot_of(const std::string& configuration,
                                                              const std::string& keys,
                                                              const std::string& secret = "unused",
                                                              std::uint64_t generation = 1,
                                                              const Files& files = {}) {
  config::World world;
  world.read_file = [&](const std::string& path) -> std::optional<std::string> {
    const auto file = files.find(path);
    return file == files.end() ? secret : file->second;
  };
  world.environment = [](const std::string&) { return std::optional<std::string>{}; };
  const config::Loaded loaded = config::load_text(configuration, "test.yaml", world);
  if (!loaded.problems.empty()) throw std::runtime_error(loaded.problems.front().text());
  return must(dataplane::compile(
      loaded.settings, {must(identity::ApiKeys::parse(keys, "keys.yaml", {1}))}, generation));
}

}  // namespace sluice::test
