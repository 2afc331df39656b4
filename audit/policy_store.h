// The policies that were in force, beside the log: each under its digest, which
// records name. A file proves itself: its SHA-256 is its name.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/sha256.h"
#include "base/instant.h"
#include "base/result.h"

namespace sluice::audit {

inline constexpr std::string_view policies_folder = "policies";

/// "<64 hex digits>.json"
std::string policy_name(const Hash& digest);

/// As records name a policy: 64 hex digits. Nothing: it is none.
std::optional<Hash> parse_policy_digest(std::string_view hex);

/// Durable once this returns. Under a digest there is only one text, so it is
/// written at most once.
Result<void> keep_policy(const std::filesystem::path& directory, std::string_view text);

struct KeptPolicy {
  Hash digest{};
  WallTime since;  ///< When it was kept, as the file system has it.
};
/// All there are, the newest first.
/// errors   the folder cannot be read.
Result<std::vector<KeptPolicy>> list_policies(const std::filesystem::path& directory);

/// errors   it is missing, or is not what its name says.
Result<std::string> read_policy(const std::filesystem::path& directory, const Hash& digest);

}  // namespace sluice::audit
