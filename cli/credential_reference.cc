#include "cli/credential_reference.h"

#include <fmt/format.h>

#include <optional>

#include "config/load/load.h"

namespace sluice::cli {

Result<std::string> credential_at(const std::string& option, const std::string& reference) {
  const config::World world = config::World::real();
  std::optional<std::string> found;
  if (reference.starts_with("file:")) {
    found = world.read_file(reference.substr(5));
    if (!found) return fail(fmt::format("cannot read '{}'", reference.substr(5)));
  } else if (reference.starts_with("env:")) {
    found = world.environment(reference.substr(4));
    if (!found) return fail(fmt::format("'{}' is not set", reference.substr(4)));
  } else {
    return fail(fmt::format("{} takes file:PATH or env:NAME, not the credential itself", option));
  }
  while (found->ends_with('\n') || found->ends_with('\r')) found->pop_back();
  if (found->empty()) return fail(fmt::format("'{}' is empty", reference));
  return std::move(*found);
}

}  // namespace sluice::cli
