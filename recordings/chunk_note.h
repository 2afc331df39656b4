// What the log says of recordings: the details of its records, made and read.
//
// source   docs/recordings.md, "In the log"
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "audit/sha256.h"
#include "audit/stand_in.h"
#include "base/instant.h"

namespace sluice::recordings {

/// Events of such records.
inline constexpr std::string_view chunk_event = "recording-chunk";
inline constexpr std::string_view closed_event = "recording-closed";  ///< The session is over.
inline constexpr std::string_view cut_event = "recording-cut";  ///< A killed gateway began it.
inline constexpr std::string_view stopped_event = "recording-stopped";  ///< `on_full: stop`.
/// It is there no longer, or about to be gone.
inline constexpr std::string_view removed_event = audit::recording_removed_event;

/// One chunk.
struct ChunkNote {
  std::uint64_t chunk = 0;  ///< From 1.
  std::uint64_t bytes = 0;  ///< Of its file.
  audit::Hash sha256{};     ///< Likewise.
  audit::Hash before{};     ///< That of the chunk before; all zero for the first.
  WallTime first;           ///< Of its items.
  WallTime last;
  friend bool operator==(const ChunkNote&, const ChunkNote&) = default;
};

/// "chunk 2, 1048576 bytes, SHA-256 5ef1…, behind 9c40…, from 2026-… to 2026-…"
std::string text_of(const ChunkNote& note);
/// nothing   it is not exactly what text_of() writes.
std::optional<ChunkNote> parse_chunk_note(std::string_view text);

/// The end of a recording, however it came.
struct EndNote {
  std::uint64_t chunks = 0;
  audit::Hash last{};  ///< SHA-256 of the last chunk; all zero where there is none.
};

/// "3 chunks, the last 5ef1…", and behind a semicolon why, if it says that.
std::string text_of(const EndNote& note, std::string_view why = {});
std::optional<EndNote> parse_end_note(std::string_view text);

/// A recording that is removed: what was there of it just before.
struct RemovalNote {
  std::uint64_t chunks = 0;
  std::uint64_t bytes = 0;  ///< Of their files.
  WallTime first;           ///< Of its items.
  WallTime last;
  friend bool operator==(const RemovalNote&, const RemovalNote&) = default;
};

/// "3 chunks, 12288 bytes, from 2026-… to 2026-…; why"
std::string text_of(const RemovalNote& note, std::string_view why);
std::optional<RemovalNote> parse_removal_note(std::string_view text);

}  // namespace sluice::recordings
