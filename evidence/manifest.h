// What a package says of itself, signed: which range of which log, and the digest of
// each of its files.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/sha256.h"
#include "base/result.h"

namespace sluice::evidence {

struct FileDigest {
  std::string name;
  std::uint64_t bytes = 0;
  audit::Hash sha256{};
};

/// A checkpoint that somebody else saw; what they said lies in the package.
struct SeenCheckpoint {
  std::uint64_t log_records = 0;
  /// For the records from the range's end up to it (compact_range.h); empty when it is
  /// within the range.
  std::vector<audit::Hash> after;
};

struct Manifest {
  std::string origin;  ///< Of the log.
  std::string key;     ///< Verifier line of its key.
  std::string made;    ///< RFC 3339, as all times here.
  std::string from;    ///< Empty: from the log's beginning.
  std::string until;   ///< Empty: to the log's end.
  /// What records had to match to be shown; empty: all are shown.
  std::vector<std::pair<std::string, std::string>> filter;

  std::uint64_t first_record = 0;  ///< Index in the log.
  std::uint64_t end_record = 0;    ///< One behind the last.
  std::uint64_t records_shown = 0;
  std::uint64_t log_records = 0;  ///< That the checkpoint signs, with this root:
  audit::Hash log_root{};
  std::vector<audit::Hash> left;           ///< For the records before (compact_range.h).
  std::vector<audit::Hash> right;          ///< For those behind, up to log_records.
  std::vector<SeenCheckpoint> timestamps;  ///< Ascending; the last may be behind the range.
  std::optional<SeenCheckpoint> cosigned;  ///< What witnesses saw last.
  /// Recordings that its records tell of and that were removed, each with the record that says
  /// so, which may lie behind the range.
  std::map<std::string, std::uint64_t> removed_recordings;
  std::vector<FileDigest> files;  ///< All but the manifest and its signature.

  [[nodiscard]] bool is_filtered() const noexcept { return !filter.empty(); }
};

std::string to_json(const Manifest& manifest);
/// Strict: exactly what to_json() would write.
Result<Manifest> parse_manifest(std::string_view text);

}  // namespace sluice::evidence
