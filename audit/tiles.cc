#include "audit/tiles.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>
#include <utility>

#include "audit/file.h"
#include "audit/frame.h"
#include "audit/segment.h"
#include "audit/segment_log.h"

namespace sluice::audit {
namespace {

constexpr std::size_t tile_width = 256;
constexpr unsigned level_bits = 8;
constexpr std::string_view entries_row = "entries";
constexpr std::size_t length_bytes = 2;  // of an entry, before it; big-endian
static_assert(frame_body_bytes_max - 1 <= 0xffff, "a record's length fits");

/// In groups of three digits, all but the last marked: 1234067 is x001/x234/067.
std::string index_text(std::uint64_t index) {
  std::string out = fmt::format("{:03}", index % 1000);
  for (index /= 1000; index != 0; index /= 1000) {
    out.insert(0, fmt::format("x{:03}/", index % 1000));
  }
  return out;
}

std::string path_in(std::string_view row, std::uint64_t index, std::size_t width) {
  return fmt::format("tile/{}/{}{}", row, index_text(index),
                     width == tile_width ? std::string() : fmt::format(".p/{}", width));
}

ByteView bytes_of(const std::vector<Hash>& hashes) {
  return {hashes.front().data(), hashes.size() * sizeof(Hash)};
}

Result<std::string> read_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  std::string content(error ? 0 : bytes, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (error || !file) return fail(fmt::format("cannot read {}", path.string()));
  return content;
}

/// Of the records in a bundle; nothing when it is none.
std::optional<std::vector<Hash>> leaves_of(ByteView bundle) {
  std::vector<Hash> out;
  while (!bundle.empty()) {
    if (bundle.size() < length_bytes) return std::nullopt;
    const std::size_t bytes = std::size_t{bundle[0]} << 8U | bundle[1];
    bundle = bundle.subspan(length_bytes);
    if (bundle.size() < bytes) return std::nullopt;
    out.push_back(leaf_hash(bundle.first(bytes)));
    bundle = bundle.subspan(bytes);
  }
  return out;
}

/// All that was written before survives power loss: one call for many small files.
Result<void> sync_all(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool is_synced = fd >= 0 && ::syncfs(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (is_synced) return {};
  return fail(fmt::format("cannot sync {}: {}", folder.string(), std::strerror(error)));
}

Result<void> create_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) return {};
  return fail(fmt::format("cannot create {}: {}", path.string(), error.message()));
}

/// Of the tile, or the bundle, that is not full when there are `size` of what it is made of.
struct Last {
  explicit Last(std::uint64_t size)
      : index(size / tile_width), width(static_cast<std::size_t>(size % tile_width)) {}
  std::uint64_t index;
  std::size_t width;  ///< 0: all are full.
};

}  // namespace

std::string tile_path(unsigned level, std::uint64_t index, std::size_t width) {
  return path_in(std::to_string(level), index, width);
}

std::string bundle_path(std::uint64_t index, std::size_t width) {
  return path_in(entries_row, index, width);
}

Result<Tiles> Tiles::open(std::filesystem::path log, std::filesystem::path folder,
                          Content content) {
  Tiles tiles(std::move(log), std::move(folder), content);
  auto note = read_small_file(tiles.folder_ / checkpoint_name);
  if (!note) return tl::unexpected(note.error());
  if (!*note) return tiles;
  const auto parsed = parse_checkpoint(**note);
  if (!parsed) return tl::unexpected(parsed.error());
  if (auto done = tiles.restore(parsed->checkpoint); !done) return tl::unexpected(done.error());
  tiles.note_ = std::move(**note);
  tiles.published_ = tiles.size_;
  return tiles;
}

Result<void> Tiles::restore(const Checkpoint& checkpoint) {
  size_ = checkpoint.size;
  for (unsigned level = 0; level < levels; ++level) {
    const Last last(size_ >> (level * level_bits));
    if (last.width == 0) continue;
    const std::string name = tile_path(level, last.index, last.width);
    const auto bytes = read_file(folder_ / name);
    if (!bytes) return tl::unexpected(bytes.error());
    if (bytes->size() != last.width * sizeof(Hash)) return fail(name + " has another width");
    open_[level].resize(last.width);
    std::memcpy(open_[level].data(), bytes->data(), bytes->size());
  }
  if (root() != checkpoint.root) {
    return fail(fmt::format("the tiles in {} are not those of the checkpoint there: remove them",
                            folder_.string()));
  }
  return size_ == 0 ? Result<void>() : restore_bundle();
}

Result<void> Tiles::restore_bundle() {
  std::error_code ignored;
  const bool has_entries = std::filesystem::exists(folder_ / "tile" / entries_row, ignored);
  if (has_entries != (content_ == Content::entries)) {
    return fail(
        fmt::format("{} was begun {} entries", folder_.string(), has_entries ? "with" : "without"));
  }
  const Last last(size_);
  if (!has_entries || last.width == 0) return {};
  const std::string name = bundle_path(last.index, last.width);
  const auto bytes = read_file(folder_ / name);
  if (!bytes) return tl::unexpected(bytes.error());
  if (leaves_of(as_bytes(*bytes)) != open_[0]) return fail(name + " is not what the tiles say");
  bundle_.assign(bytes->begin(), bytes->end());
  return {};
}

Result<void> Tiles::advance() {
  const auto note = read_stable_file(log_ / checkpoint_name);
  if (!note) return tl::unexpected(note.error());
  if (!*note) return fail(fmt::format("{} holds no audit log", log_.string()));
  const auto parsed = parse_checkpoint(**note);
  if (!parsed) return tl::unexpected(parsed.error());
  const Checkpoint& newest = parsed->checkpoint;
  Result<void> added;
  if (newest.size > size_) {
    if (!reader_) reader_.emplace(log_, size_);
    const auto read = reader_->read(
        [&](std::uint64_t, ByteView record) {
          added = add(record);
          return added && size_ < newest.size;
        },
        [&](std::uint64_t begin, const RemovedRecords& removed) {
          added =
              fail(fmt::format("records {} to {} were removed: tiles need each record's hash, "
                               "so they can only go on where they were kept from before",
                               begin, removed.end - 1));
          return false;
        });
    if (!added) return added;
    if (!read) return tl::unexpected(read.error());
  }
  if (size_ != newest.size || root() != newest.root) {
    return fail("the log does not continue the tiles");
  }
  return note_ == **note ? Result<void>() : publish(**note);
}

Result<void> Tiles::add(ByteView record) {
  if (content_ == Content::entries) {
    bundle_.push_back(static_cast<std::uint8_t>(record.size() >> 8U));
    bundle_.push_back(static_cast<std::uint8_t>(record.size() & 0xffU));
    bundle_.insert(bundle_.end(), record.begin(), record.end());
  }
  ++size_;
  if (content_ == Content::entries && Last(size_).width == 0) {
    const std::string name = bundle_path(Last(size_).index - 1, tile_width);
    if (auto done = write(name, bundle_); !done) return done;
    bundle_.clear();
  }
  return add_hash(0, leaf_hash(record));
}

Result<void> Tiles::add_hash(unsigned level, const Hash& hash) {
  std::vector<Hash>& tile = open_[level];
  tile.push_back(hash);
  if (tile.size() < tile_width) return {};
  const std::uint64_t end = size_ >> (level * level_bits);
  const std::string name = tile_path(level, end / tile_width - 1, tile_width);
  if (auto done = write(name, bytes_of(tile)); !done) return done;
  CompactRange full(0);
  for (const Hash& one : tile) full.append_leaf(one);
  tile.clear();
  return add_hash(level + 1, full.root());
}

/// Whole or not at all, for whoever reads it meanwhile.
Result<void> Tiles::write(const std::string& name, ByteView bytes) const {
  const std::filesystem::path path = folder_ / name;
  const std::filesystem::path draft = path.string() + ".new";
  if (auto done = create_folder(path.parent_path()); !done) return done;
  std::error_code ignored;
  std::filesystem::remove(draft, ignored);
  auto file = real_disk().create(draft);
  if (!file) return tl::unexpected(file.error());
  if (auto done = (*file)->append(bytes); !done) return done;
  return real_disk().rename(draft, path);
}

/// A checkpoint is there when all that it is about is.
Result<void> Tiles::publish(const std::string& note) {
  if (auto done = create_folder(folder_); !done) return done;
  for (unsigned level = 0; level < levels; ++level) {
    const std::uint64_t hashes = size_ >> (level * level_bits);
    // What the last checkpoint needs stays as it is.
    if (open_[level].empty() || hashes == published_ >> (level * level_bits)) continue;
    const Last last(hashes);
    const std::string name = tile_path(level, last.index, last.width);
    if (auto done = write(name, bytes_of(open_[level])); !done) return done;
  }
  if (const Last last(size_); !bundle_.empty() && size_ != published_) {
    if (auto done = write(bundle_path(last.index, last.width), bundle_); !done) return done;
  }
  if (auto done = sync_all(folder_); !done) return done;
  if (auto done = replace_file(real_disk(), folder_ / checkpoint_name, note); !done) return done;
  note_ = note;
  remove_superseded(std::exchange(published_, size_));
  return {};
}

/// Whoever still has an older checkpoint finds the full ones instead.
void Tiles::remove_superseded(std::uint64_t published) const {
  const auto remove = [this](const std::string& full) {
    std::error_code ignored;
    std::filesystem::remove_all(folder_ / (full + ".p"), ignored);
  };
  for (unsigned level = 0; level < levels; ++level) {
    const std::uint64_t before = Last(published >> (level * level_bits)).index;
    if (before == Last(size_ >> (level * level_bits)).index) continue;
    remove(tile_path(level, before, tile_width));
    if (level == 0) remove(bundle_path(before, tile_width));
  }
}

Hash Tiles::root() const {
  CompactRange all(0);
  for (unsigned level = levels; level-- > 0;) {
    for (const Hash& hash : open_[level]) all.append_subtree(level * level_bits, hash);
  }
  return all.root();
}

}  // namespace sluice::audit
