#include "recordings/check.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::recordings {
namespace {

std::string place(const std::string& recording, std::uint64_t chunk) {
  return fmt::format("recording {}, chunk {}", recording, chunk);
}

CheckReport removed() {
  CheckReport report;
  report.recordings = 1;
  report.removed = 1;
  return report;
}

}  // namespace

Result<ChunkSource> ChunkSource::of_directory(const std::filesystem::path& directory) {
  const auto folders = list_recordings(directory);
  if (!folders) return tl::unexpected(folders.error());
  ChunkSource out;
  for (const RecordingFolder& folder : *folders) {
    // One may be finished meanwhile.
    const auto path = find_recording(directory, folder.name);
    auto chunks = path ? list_chunks(*path) : std::vector<ChunkFile>();
    if (!chunks) return tl::unexpected(chunks.error());
    out.recordings.emplace(folder.name, std::move(*chunks));
  }
  out.digest = [directory](const std::string& recording,
                           const ChunkFile& chunk) -> Result<FileDigest> {
    const auto path = find_recording(directory, recording);
    if (!path) return fail("it is not there");
    const auto bytes = read_chunk(*path / chunk_name(chunk));
    if (!bytes) return tl::unexpected(bytes.error());
    return FileDigest{bytes->size(), audit::sha256(*bytes)};
  };
  return out;
}

void RecordingCheck::add(const audit::RecordFields& record) {
  if (record.recording.empty()) return;
  Known& known = recordings_[std::string(record.recording)];
  if (!known.fault.empty()) return;
  if (record.event == chunk_event) {
    const auto note = parse_chunk_note(record.detail);
    note ? add_chunk(known, *note) : void(known.fault = "a record of a chunk is malformed");
  } else if (record.event == closed_event || record.event == cut_event ||
             record.event == stopped_event) {
    const auto note = parse_end_note(record.detail);
    note ? add_end(known, *note) : void(known.fault = "the record of its end is malformed");
  } else if (record.event == removed_event) {
    const auto note = parse_removal_note(record.detail);
    note ? add_removal(known, *note) : void(known.fault = "the record of its removal is malformed");
  }
}

void RecordingCheck::add_chunk(Known& known, const ChunkNote& note) const {
  // A start after a kill names the last one again.
  if (!known.chunks.empty() && known.chunks.back() == note) return;
  const bool follows = known.chunks.empty()
                           ? !has_all_before_ || (note.chunk == 1 && note.before == audit::Hash{})
                           : note.chunk == known.chunks.back().chunk + 1 &&
                                 note.before == known.chunks.back().sha256;
  if (!follows || known.has_end) {
    known.fault = fmt::format("the record of chunk {} does not follow the one before", note.chunk);
    return;
  }
  known.chunks.push_back(note);
}

void RecordingCheck::add_end(Known& known, const EndNote& note) const {
  const bool is_last = known.chunks.empty() ? !has_all_before_ || note.chunks == 0
                                            : note.chunks == known.chunks.back().chunk &&
                                                  note.last == known.chunks.back().sha256;
  if (!is_last) known.fault = "its end is not that of its last chunk";
  known.has_end = true;
}

/// What was missing already must not pass for removed.
void RecordingCheck::add_removal(Known& known, const RemovalNote& note) const {
  known.is_removed = true;
  if (known.chunks.empty() || known.chunks.front().chunk != 1) return;  // not all is known
  std::uint64_t bytes = 0;
  for (const ChunkNote& chunk : known.chunks) bytes += chunk.bytes;
  if (note.chunks == known.chunks.size() && note.bytes == bytes) return;
  known.fault = fmt::format("it had {} chunks of {} bytes, and {} of {} when it was removed",
                            known.chunks.size(), bytes, note.chunks, note.bytes);
}

std::vector<std::string> RecordingCheck::names() const {
  std::vector<std::string> out;
  for (const auto& [name, known] : recordings_) out.push_back(name);
  return out;
}

bool RecordingCheck::knows(const std::string& recording, std::uint64_t chunk) const {
  const auto found = recordings_.find(recording);
  return found != recordings_.end() &&
         std::ranges::find(found->second.chunks, chunk, &ChunkNote::chunk) !=
             found->second.chunks.end();
}

CheckReport RecordingCheck::compare(const ChunkSource& source) const {
  CheckReport report;
  for (const auto& [name, known] : recordings_) {
    CheckReport one = compare(name, known, source);
    if (!one.fault.empty()) return one;
    report.recordings += one.recordings;
    report.chunks += one.chunks;
    report.unfinished += one.unfinished;
    report.removed += one.removed;
  }
  if (!has_all_before_ || !has_all_behind_) return report;
  for (const auto& [name, chunks] : source.recordings) {
    if (chunks.empty() || recordings_.contains(name)) continue;
    return {"no record tells of it", fmt::format("recording {}", name)};
  }
  return report;
}

CheckReport RecordingCheck::compare(const std::string& name, const Known& known,
                                    const ChunkSource& source) const {
  if (!known.fault.empty()) return {known.fault, fmt::format("recording {}", name)};
  const auto found = source.recordings.find(name);
  // One whose removal was interrupted is whole, or out of sight.
  if (known.is_removed && (found == source.recordings.end() || found->second.empty())) {
    return removed();
  }
  CheckReport report{{}, {}, 1, known.chunks.size(), known.has_end ? 0U : 1U};
  static const std::vector<ChunkFile> none;
  const std::vector<ChunkFile>& files = found == source.recordings.end() ? none : found->second;
  for (const ChunkNote& note : known.chunks) {
    const auto file = std::ranges::find(files, note.chunk, &ChunkFile::chunk);
    if (file == files.end()) return {"the chunk is missing", place(name, note.chunk)};
    if (file->first != note.first || file->last != note.last) {
      return {"the chunk's name has other times than its record", place(name, note.chunk)};
    }
    const auto digest = source.digest(name, *file);
    if (!digest && known.is_removed) return removed();  // meanwhile
    if (!digest) return {digest.error().message, place(name, note.chunk)};
    if (digest->bytes != note.bytes || digest->sha256 != note.sha256) {
      return {"the chunk is not the one that was recorded", place(name, note.chunk)};
    }
  }
  const std::uint64_t last = known.chunks.empty() ? 0 : known.chunks.back().chunk;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::uint64_t chunk = files[i].chunk;
    if (i != 0 && files[i - 1].chunk == chunk)
      return {"the chunk is there twice", place(name, chunk)};
    // The next one's record may be on its way, and an earlier one's among those not shown.
    const bool is_next = chunk > last && (chunk == last + 1 || !has_all_behind_);
    const bool is_earlier = last == 0 || chunk < known.chunks.front().chunk;
    const bool may_be = (!known.has_end && is_next) || (!has_all_before_ && is_earlier);
    if (!knows(name, chunk) && !may_be) {
      return {"no record tells of the chunk", place(name, chunk)};
    }
  }
  return report;
}

}  // namespace sluice::recordings
