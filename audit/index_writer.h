// Makes the index of a sealed segment, in one pass over its records; of the one in use
// part by part, as it grows.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace sluice::audit {

std::filesystem::path index_path(const std::filesystem::path& directory, std::uint64_t segment);

/// Replaces the index as a whole, and the parts there were. Not synced: it can be made again.
/// errors   the segment is damaged, or a file cannot be read or written.
Result<void> write_index(const std::filesystem::path& directory, std::uint64_t segment);

/// Parts are counted from 0.
std::filesystem::path index_part_path(const std::filesystem::path& directory, std::uint64_t segment,
                                      std::uint64_t part);

/// How far the segment in use has an index.
struct IndexedParts {
  std::uint64_t segment = 0;
  std::uint64_t parts = 0;
  std::uint64_t end = 0;          ///< Offset behind the last of them.
  std::uint64_t next_record = 0;  ///< Index in the log of the first record behind it.
};
/// What a search reads of the segment in use, at most, beside what came in the last second.
inline constexpr std::uint64_t index_part_bytes = std::uint64_t{16} << 20;

/// Indexes the next part, when so much of the segment is committed behind the last one.
/// False: it is not yet.
Result<bool> write_index_part(const std::filesystem::path& directory, IndexedParts& done,
                              std::uint64_t part_bytes = index_part_bytes);
void remove_index(const std::filesystem::path& directory, std::uint64_t segment);

}  // namespace sluice::audit
