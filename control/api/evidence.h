// What an evidence package is asked to have.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "audit/age_recipient.h"
#include "base/instant.h"

namespace sluice::control::api {

struct EvidenceQuestion {
  std::optional<WallTime> from = {};   ///< Nothing: from the log's beginning.
  std::optional<WallTime> until = {};  ///< Records of before then.
  // Not empty: of the range only these are shown, of the others hashes.
  std::string subject = {};
  std::string target = {};
  std::optional<std::uint64_t> session = {};
  bool has_recordings = true;  ///< Of operations that it shows.
  /// Not empty: only they can open it.
  std::vector<audit::AgeRecipient> recipients = {};
  /// See HttpRequest.
  std::function<bool()> is_awaited = {};
};

}  // namespace sluice::control::api
