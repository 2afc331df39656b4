// Reads a recording back, for whoever has an identity that it was encrypted to. Only the
// chunks that are asked for are read.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "audit/age_reader.h"
#include "base/instant.h"
#include "base/result.h"
#include "recordings/folder.h"
#include "recordings/item.h"

namespace sluice::recordings {

/// Where the chunks of a recording come from.
struct ReplaySource {
  std::string place;              ///< For messages.
  std::vector<ChunkFile> chunks;  ///< In order.
  /// The whole file.
  std::function<Result<std::vector<std::uint8_t>>(const ChunkFile& chunk)> read;

  /// A folder of recordings.
  /// errors   there is no such recording, or it cannot be read.
  static Result<ReplaySource> of_directory(const std::filesystem::path& directory,
                                           const std::string& name);
};

class ReplayReader {
 public:
  /// from     what is read begins there; a chunk that is over before is not asked for.
  /// errors   it has no chunk, or that at `from` cannot be opened.
  static Result<ReplayReader> open(ReplaySource source, const std::string& name,
                                   const audit::AgeIdentity& identity, WallTime from = {});

  [[nodiscard]] const Subject& subject() const noexcept { return subject_; }
  [[nodiscard]] WallTime first() const noexcept { return source_.chunks.front().first; }
  [[nodiscard]] WallTime last() const noexcept { return source_.chunks.back().last; }

  /// Items, beginning with one that can be read without those before; before them the context
  /// they need, with a time of 0. Stops at the first false. Once.
  /// errors   a chunk cannot be read, was changed, or is not of this recording.
  [[nodiscard]] Result<void> read(const std::function<bool(const Item&)>& each) &&;

 private:
  ReplayReader(ReplaySource source, std::string name, const audit::AgeIdentity& identity,
               WallTime from)
      : source_(std::move(source)), name_(std::move(name)), identity_(identity), from_(from) {}
  [[nodiscard]] Result<std::vector<std::uint8_t>> open_chunk(const ChunkFile& chunk) const;
  [[nodiscard]] Result<ChunkHead> take_head(const ChunkFile& chunk, ByteView& items) const;
  [[nodiscard]] Result<bool> read_chunk(ByteView items, std::uint64_t chunk,
                                        const std::function<bool(const Item&)>& each);

  ReplaySource source_;
  std::string name_;
  audit::AgeIdentity identity_;
  WallTime from_;
  std::size_t start_ = 0;            ///< Of the chunks: that in which `from` is.
  std::vector<std::uint8_t> plain_;  ///< Of that chunk.
  Subject subject_;
  bool has_begun_ = false;
};

}  // namespace sluice::recordings
