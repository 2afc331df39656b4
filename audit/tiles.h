// The log as files that any web server can serve: its tree in tiles, with which others
// check proofs against a checkpoint, and, where it is wanted, its records in bundles.
//
// source   https://c2sp.org/tlog-tiles: tiles of up to 256 hashes, bundles of up to 256
//          entries, and the checkpoint that they are complete for.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/compact_range.h"
#include "audit/reader.h"
#include "audit/sha256.h"
#include "base/result.h"

namespace sluice::audit {

/// "tile/0/x001/067" or, with fewer than 256 hashes, "tile/0/x001/067.p/8".
std::string tile_path(unsigned level, std::uint64_t index, std::size_t width);
/// "tile/entries/x001/067", and so on.
std::string bundle_path(std::uint64_t index, std::size_t width);

class Tiles {
 public:
  enum class Content {
    hashes,   ///< Tells nothing of what records say.
    entries,  ///< The records, too.
  };

  /// Goes on where the folder ends; begins when there is nothing in it.
  /// errors   what is in the folder does not add up to the checkpoint there, or is of
  ///          the other content.
  static Result<Tiles> open(std::filesystem::path log, std::filesystem::path folder,
                            Content content);

  /// Adds what the log's newest checkpoint has more, and then that checkpoint. No file
  /// that an older checkpoint needs is touched before.
  /// errors   the log cannot be read, or does not continue the tiles.
  Result<void> advance();
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

 private:
  static constexpr unsigned levels = 8;  ///< Of 8 bits each.

  Tiles(std::filesystem::path log, std::filesystem::path folder, Content content)
      : log_(std::move(log)), folder_(std::move(folder)), content_(content) {}
  Result<void> restore(const Checkpoint& checkpoint);
  Result<void> restore_bundle();
  Result<void> add(ByteView record);
  Result<void> add_hash(unsigned level, const Hash& hash);
  Result<void> write(const std::string& name, ByteView bytes) const;
  Result<void> publish(const std::string& note);
  void remove_superseded(std::uint64_t published) const;
  [[nodiscard]] Hash root() const;

  std::filesystem::path log_;
  std::filesystem::path folder_;
  Content content_;
  std::uint64_t size_ = 0;
  std::string note_;                            ///< The checkpoint there.
  std::uint64_t published_ = 0;                 ///< Its records.
  std::array<std::vector<Hash>, levels> open_;  ///< Of each level, the tile that is not full.
  std::vector<std::uint8_t> bundle_;            ///< The one that is not full.
  std::optional<LogReader> reader_;             ///< Behind the last record that was added.
};

}  // namespace sluice::audit
