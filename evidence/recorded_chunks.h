// The chunks of recordings that a package's records tell of.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "audit/record_fields.h"
#include "base/result.h"
#include "evidence/archive.h"
#include "evidence/manifest.h"
#include "recordings/check.h"

namespace sluice::evidence {

/// Collects them while a package is made.
class RecordedChunks {
 public:
  /// folder   of recordings; empty: none go with the package.
  /// errors   it cannot be read.
  static Result<RecordedChunks> from(const std::filesystem::path& folder);

  void add(const audit::RecordFields& record) { check_.add(record); }
  /// Any record of the log, shown or not: one that says that a recording was removed is noted.
  void look(std::uint64_t index, const audit::RecordFields& record);
  /// Those that the records were about, as members and as the manifest has them; and which
  /// recordings were removed.
  /// errors   one is missing, or not the one that its record names; or the room ends it.
  Result<void> collect(std::vector<FileMember>& members, Manifest& manifest, const Room& room);

 private:
  std::filesystem::path folder_;
  recordings::ChunkSource source_;
  recordings::RecordingCheck check_;
  std::map<std::string, std::uint64_t, std::less<>> removed_;  ///< By which record.
};

/// The chunks that a manifest lists, with the digests that it signs.
recordings::ChunkSource chunks_of(const Manifest& manifest);

}  // namespace sluice::evidence
