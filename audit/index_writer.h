// Makes the index of a sealed segment: one pass over its records.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace sluice::audit {

std::filesystem::path index_path(const std::filesystem::path& directory, std::uint64_t segment);

/// Replaces the index as a whole. Not synced: it can be made again.
/// errors   the segment is damaged, or a file cannot be read or written.
Result<void> write_index(const std::filesystem::path& directory, std::uint64_t segment);

}  // namespace sluice::audit
