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

class ReplayReader {
 public:
  /// errors   there is no such recording, it has no chunk, or the first cannot be opened.
  static Result<ReplayReader> open(const std::filesystem::path& directory, const std::string& name,
                                   const audit::AgeIdentity& identity);

  [[nodiscard]] const Subject& subject() const noexcept { return subject_; }
  [[nodiscard]] WallTime first() const noexcept { return chunks_.front().first; }
  [[nodiscard]] WallTime last() const noexcept { return chunks_.back().last; }

  /// Items from a time on, beginning with one that can be read without those before; before
  /// them the context they need, with a time of 0. Stops at the first false.
  /// errors   a chunk cannot be read, was changed, or is not of this recording.
  [[nodiscard]] Result<void> read(WallTime from,
                                  const std::function<bool(const Item&)>& each) const;

 private:
  ReplayReader(std::filesystem::path folder, std::string name, const audit::AgeIdentity& identity)
      : folder_(std::move(folder)), name_(std::move(name)), identity_(identity) {}
  [[nodiscard]] Result<std::vector<std::uint8_t>> open_chunk(const ChunkFile& chunk) const;
  [[nodiscard]] Result<ChunkHead> take_head(const ChunkFile& chunk, ByteView& items) const;

  std::filesystem::path folder_;
  std::string name_;
  audit::AgeIdentity identity_;
  std::vector<ChunkFile> chunks_;
  Subject subject_;
};

}  // namespace sluice::recordings
