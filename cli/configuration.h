// From a configuration file to what the gateway runs on, with every problem in
// words for the operator. Shared by check, run and reload.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/witness_policy.h"
#include "base/result.h"
#include "config/model/settings.h"
#include "dataplane/session/snapshot.h"
#include "identity/api_keys.h"

namespace sluice::cli {

/// An error holds every problem, one a line.
Result<config::Settings> read_settings(const std::string& path);

/// The same for a verb that cannot go on without: problems go to stderr.
std::optional<config::Settings> load_settings(std::string_view verb, const std::string& path);

/// Where the gateway that runs on this configuration is asked. What is faulty
/// elsewhere in it must not keep the operator from its gateway.
Result<std::string> admin_socket(const std::string& path);

/// The API keys that the settings name, without those that were revoked; an empty table when they
/// name none.
/// mocks   see audit::DerivedKeys.
Result<std::shared_ptr<const identity::ApiKeys>> read_keys(const config::Settings& settings,
                                                           const identity::Digest& mocks);

/// Ids of revoked tokens of the gateway's own, as the settings' list has them.
Result<std::shared_ptr<const identity::RevokedTokens>> read_revoked(
    const config::Settings& settings);

/// The witness policy that the settings name; nothing when they name none.
Result<std::optional<audit::WitnessPolicy>> read_witness_policy(const config::Settings& settings);

/// The files of certificates, their keys and authorities that the settings name.
std::vector<std::string> tls_files(const config::Settings& settings);
/// The same configuration, its next generation, with those files as they are now.
Result<std::shared_ptr<const dataplane::Snapshot>> reread_tls(const dataplane::Snapshot& current);

/// Settings, keys, rules and masks, compiled.
Result<std::shared_ptr<const dataplane::Snapshot>> make_snapshot(const config::Settings& settings,
                                                                 const identity::Digest& mocks,
                                                                 std::uint64_t generation);

}  // namespace sluice::cli
