// What recordings there are, and their chunks as they lie on the disk: nothing is decrypted. What
// it looks at may end, or be removed, meanwhile.
//
// source   docs/recordings.md, "The folder"
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "recordings/folder.h"

namespace sluice::recordings {

struct RecordingSummary {
  std::string name = {};
  bool is_open = false;
  std::uint64_t chunks = 0;
  std::uint64_t bytes = 0;             ///< Of their files.
  std::optional<WallTime> first = {};  ///< Of its items; nothing: it has no chunk yet.
  std::optional<WallTime> last = {};
};

struct RecordingDetail {
  RecordingSummary summary;
  std::vector<SizedChunk> chunks;  ///< In order.
};

struct CatalogQuery {
  std::string after = {};             ///< The `next` of the page before; empty: from the beginning.
  std::size_t limit = 1;              ///< At least 1.
  std::optional<WallTime> from = {};  ///< Only those that have something of then or later.
  std::optional<WallTime> until = {};  ///< Only those that have something of before then.
};

struct CatalogPage {
  std::vector<RecordingSummary> recordings;  ///< By name.
  std::string next;                          ///< Empty: there are no more.
};

/// The bytes of a chunk, piece by piece. It goes on when the recording ends or is removed.
class ChunkStream {
 public:
  /// errors   it cannot be opened, or is no file.
  static Result<ChunkStream> open(const std::filesystem::path& path);

  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }  ///< All of them.
  /// Nothing: they are over. What cannot be read ends it before.
  [[nodiscard]] std::optional<std::string> next();

 private:
  ChunkStream(std::shared_ptr<std::FILE> file, std::uint64_t bytes)
      : file_(std::move(file)), bytes_(bytes), left_(bytes) {}

  std::shared_ptr<std::FILE> file_;
  std::uint64_t bytes_;
  std::uint64_t left_;
};

class Catalog {
 public:
  explicit Catalog(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// goes_on  asked before each recording but the first; what it ends is a page that is not full.
  /// errors   the folder, or a recording in it, cannot be read.
  [[nodiscard]] Result<CatalogPage> list(const CatalogQuery& query,
                                         const std::function<bool()>& goes_on) const;
  /// Nothing: there is none of that name.
  [[nodiscard]] Result<std::optional<RecordingDetail>> show(std::string_view name) const;
  /// Nothing: there is no such chunk, or recording.
  [[nodiscard]] Result<std::optional<ChunkStream>> open(std::string_view name,
                                                        std::uint64_t chunk) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace sluice::recordings
