// The rings a killed gateway left in its audit directory: what is in them and
// not yet in the log goes there first.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "audit/chain.h"
#include "audit/ring.h"
#include "audit/segment_log.h"

namespace sluice::audit {

struct RingRecovery {
  std::vector<std::unique_ptr<Ring>> rings;
  std::vector<std::string> damaged;  ///< Ring files that could not be read, in words.
  FailureMark failure;

  /// Whether they hold all that a gateway of this epoch had not yet written: a killed one's
  /// do, as long as the host was not started anew.
  [[nodiscard]] bool is_all_of(std::uint64_t epoch) const noexcept;
};

std::filesystem::path ring_path(const std::filesystem::path& directory, std::uint32_t worker);

/// A ring that a killed process left is always whole; one that power loss left
/// may not be, and promised nothing: it is reported, not an error.
Result<RingRecovery> open_left_rings(const std::filesystem::path& directory);

/// Commits every record of the rings that `past` does not have. Being killed in
/// here is harmless: the rings stay as they are, and the next start finds in the
/// log what was already taken over.
Result<std::uint64_t> empty_left_rings(RingRecovery& left, const Chain& past, SegmentLog& log);

/// Removes ring files of workers numbered `first` and above.
Result<void> remove_rings_from(const std::filesystem::path& directory, std::uint32_t first);

}  // namespace sluice::audit
