// The folder of recordings: one folder each, with a file for each chunk.
//
// source   docs/recordings.md, "The folder"
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"

namespace sluice::recordings {

/// Behind the name of a recording that is not finished.
inline constexpr std::string_view open_suffix = ".open";
/// Behind that of a chunk that is being written.
inline constexpr std::string_view part_suffix = ".part";

/// Behind the name of one that the log says is removed, until its files are gone.
inline constexpr std::string_view removed_suffix = ".removed";
/// A file that the recorder writes to see whether the disk takes it.
inline constexpr std::string_view probe_name = "probe";

/// "<epoch>-<session>-<part>": a worker's session in the life of one process, and which of
/// its recordings, from 1.
std::string recording_name(std::uint64_t epoch, std::uint64_t session, std::uint64_t part);
/// Whether a text may be a recording's name; nothing else becomes part of a path.
bool is_recording_name(std::string_view text) noexcept;
/// The session in a recording's name.
std::uint64_t session_of(std::string_view recording_name) noexcept;

struct ChunkFile {
  std::uint64_t chunk = 0;
  WallTime first;
  WallTime last;
};

/// "00000001-<first>-<last>.age", both in nanoseconds since 1970.
std::string chunk_name(const ChunkFile& chunk);
/// nothing   it is not exactly what chunk_name() writes.
std::optional<ChunkFile> parse_chunk_name(std::string_view name);

/// Where a recording is, finished or not; nothing when there is none of this name. One that is
/// being made may be elsewhere soon.
std::optional<std::filesystem::path> find_recording(const std::filesystem::path& directory,
                                                    std::string_view name);
/// In order. Other files are passed over.
/// errors   the folder cannot be read.
Result<std::vector<ChunkFile>> list_chunks(const std::filesystem::path& recording);

struct SizedChunk {
  ChunkFile file;
  std::uint64_t bytes = 0;
};
/// The same, with how large each file is.
Result<std::vector<SizedChunk>> list_sized_chunks(const std::filesystem::path& recording);

struct RecordingFolder {
  std::string name;
  bool is_open = false;
};
/// All there are, in no order. There are none where the folder is not there.
Result<std::vector<RecordingFolder>> list_recordings(const std::filesystem::path& directory);

/// Where nothing but recordings is, or nothing at all: all in it is counted, made private to
/// the gateway, and may be removed.
/// errors   it holds something else, or cannot be read.
Result<void> check_own_folder(const std::filesystem::path& directory);

/// What all of it takes.
std::uint64_t bytes_in(const std::filesystem::path& directory);

/// A whole file.
Result<std::vector<std::uint8_t>> read_chunk(const std::filesystem::path& path);

}  // namespace sluice::recordings
