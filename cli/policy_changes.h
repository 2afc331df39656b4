// What differs between two versions of a configuration, rule by rule: of files, and of what the
// audit log has.
#pragma once

#include <string>
#include <string_view>

namespace sluice::cli {

/// before, after  as the audit log has them, and so without comments and secrets; see
///                config::policy_text().
/// returns  a JSON object with a list `changes`. The order of keys means nothing.
std::string policy_changes(std::string_view before, std::string_view after);

}  // namespace sluice::cli
