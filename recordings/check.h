// Whether recordings are what the log says of them: every chunk there, whole, and in its place.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "audit/record_fields.h"
#include "base/result.h"
#include "recordings/chunk_note.h"
#include "recordings/folder.h"

namespace sluice::recordings {

struct FileDigest {
  std::uint64_t bytes = 0;
  audit::Hash sha256{};
};

/// Chunks, wherever they are kept.
struct ChunkSource {
  /// All there are, by recording.
  std::map<std::string, std::vector<ChunkFile>> recordings;
  std::function<Result<FileDigest>(const std::string& recording, const ChunkFile& chunk)> digest;

  /// Those of a folder of recordings, as they are now.
  static Result<ChunkSource> of_directory(const std::filesystem::path& directory);
};

struct CheckReport {
  std::string fault;  ///< The first, in words; empty when there is none.
  std::string where;  ///< The chunk, or the recording.
  std::uint64_t recordings = 0;
  std::uint64_t chunks = 0;
  std::uint64_t unfinished = 0;  ///< Recordings whose end no record tells.
  std::uint64_t removed = 0;     ///< Of the recordings: gone, and a record says so.
};

class RecordingCheck {
 public:
  /// Records in the order of the log.
  void add(const audit::RecordFields& record);
  /// The log was cut off before these records: earlier chunks may have had records there.
  void allow_missing_before() noexcept { has_all_before_ = false; }
  /// It goes on behind them: later chunks have records there.
  void allow_missing_behind() noexcept { has_all_behind_ = false; }

  /// A record that is not among these says that it was removed.
  void note_removed(const std::string& recording) { recordings_[recording].is_removed = true; }

  /// The names of recordings that the records were about.
  [[nodiscard]] std::vector<std::string> names() const;
  /// Whether a record of the chunk was among them.
  [[nodiscard]] bool knows(const std::string& recording, std::uint64_t chunk) const;

  /// May take long: each chunk is read.
  /// source   taken before the records were read: what came meanwhile is not in it.
  [[nodiscard]] CheckReport compare(const ChunkSource& source) const;

 private:
  struct Known {
    std::vector<ChunkNote> chunks;  ///< Consecutive.
    bool has_end = false;
    bool is_removed = false;
    std::string fault;  ///< In what the records say.
  };
  void add_chunk(Known& known, const ChunkNote& note) const;
  void add_end(Known& known, const EndNote& note) const;
  void add_removal(Known& known, const RemovalNote& note) const;
  [[nodiscard]] CheckReport compare(const std::string& name, const Known& known,
                                    const ChunkSource& source) const;

  std::map<std::string, Known, std::less<>> recordings_;
  bool has_all_before_ = true;
  bool has_all_behind_ = true;
};

}  // namespace sluice::recordings
