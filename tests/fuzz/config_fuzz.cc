// Any text may be a configuration: the loader says what is wrong or gives
// settings that mean the same each time and that the policy compiler can take.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/bytes.h"
#include "config/load/load.h"
#include "config/model/policy.h"

namespace {

using namespace sluice;
using namespace sluice::config;

World world_with(const std::string& text) {
  World world;
  world.read_file = [text](const std::string& path) -> std::optional<std::string> {
    if (path == "/c/a.yaml") return text;
    if (path.starts_with("/secret")) return std::string(32, 's') + "\n";
    return std::nullopt;
  };
  world.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "NAME") return "value";
    return std::nullopt;
  };
  world.resolve = [](const std::string& host) {
    return host.size() % 2 == 0 ? std::vector<std::string>{"10.0.0.1", "::1"}
                                : std::vector<std::string>();
  };
  return world;
}

/// What a configuration comes to: its problems, or the patterns and rulings of its policies.
std::string meaning(const Loaded& loaded) {
  std::string text;
  for (const Problem& problem : loaded.problems) text += problem.text() + '\n';
  if (!loaded.problems.empty()) return text;
  for (const Listener& listener : loaded.settings.listeners) {
    const auto policy = Policy::compile(loaded.settings, listener);
    if (!policy) {
      text += policy.error().message + '\n';
      continue;
    }
    PathSearch search;
    policy->paths().prepare(search);
    for (const std::string_view path : {"/", "/a/b;c", "/v1/payments/7/"}) {
      for (const std::uint32_t hit : policy->paths().find(path, search)) {
        text += std::to_string(hit) + '\n';
      }
    }
    for (const auto patterns : {policy->header_patterns(), policy->body_patterns()}) {
      for (const PatternSource& pattern : patterns) text += pattern.expression + '\n';
    }
    for (const std::string_view method : {"GET", "POST"}) {
      const Ruling ruling = policy->judge(policy->view_of({}), {.method = method});
      text += std::string(ruling.rule) + '\n';
    }
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(as_text(ByteView(data, size)));
  const World world = world_with(text);
  const std::string first = meaning(load_text(text, "/c/a.yaml", world));
  const std::string second = meaning(load("/c/a.yaml", world));
  if (first != second) {
    std::fprintf(stderr, "loaded twice, once as:\n%s\nthen as:\n%s\n", first.c_str(),
                 second.c_str());
    std::abort();
  }
  return 0;
}
