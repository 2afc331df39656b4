// What the verbs of `sluice policy` share.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dataplane/session/rehearsal.h"

namespace sluice::cli {

/// Under a configuration file, without its signing key and without a gateway.
Result<std::unique_ptr<dataplane::Rehearsal>> rehearse(const std::string& configuration);

/// "allow", "deny", "hold"; "needs-body" where that alone can tell.
std::string_view text(config::Ruling::Kind kind) noexcept;

std::vector<std::string_view> views_of(const std::vector<std::string>& texts);

}  // namespace sluice::cli
