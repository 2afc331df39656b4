#include "evidence/recorded_chunks.h"

#include <fmt/format.h>

#include <algorithm>

#include "evidence/package.h"

namespace sluice::evidence {

std::string chunk_member(std::string_view recording, const recordings::ChunkFile& chunk) {
  return fmt::format("{}{}/{}", recordings_folder, recording, chunk_name(chunk));
}

Result<RecordedChunks> RecordedChunks::from(const std::filesystem::path& folder) {
  RecordedChunks out;
  out.folder_ = folder;
  // The range may begin, and end, within a recording.
  out.check_.allow_missing_before();
  out.check_.allow_missing_behind();
  if (folder.empty()) return out;
  auto source = recordings::ChunkSource::of_directory(folder);
  if (!source) return tl::unexpected(source.error());
  out.source_ = std::move(*source);
  return out;
}

void RecordedChunks::look(std::uint64_t index, const audit::RecordFields& record) {
  if (record.event == recordings::removed_event) removed_[std::string(record.recording)] = index;
}

Result<void> RecordedChunks::collect(std::vector<FileMember>& members, Manifest& manifest,
                                     const Room& room) {
  if (folder_.empty()) return {};
  for (const std::string& name : check_.names()) {
    const auto removal = removed_.find(name);
    if (removal == removed_.end()) continue;
    check_.note_removed(name);
    manifest.removed_recordings.insert(*removal);
  }
  // Each chunk is read twice, which may take long.
  recordings::ChunkSource source = source_;
  source.digest = [&](const std::string& name, const recordings::ChunkFile& chunk) {
    auto goes_on = room.goes_on();
    return goes_on ? source_.digest(name, chunk) : tl::unexpected(goes_on.error());
  };
  const recordings::CheckReport found = check_.compare(source);
  if (auto goes_on = room.goes_on(); !goes_on) return goes_on;
  if (!found.fault.empty()) {
    return fail(fmt::format("{}: {}; see sluice verify --recordings", found.where, found.fault));
  }
  for (const std::string& name : check_.names()) {
    const auto path = recordings::find_recording(folder_, name);
    const auto files = source_.recordings.find(name);
    if (!path || files == source_.recordings.end()) continue;
    for (const recordings::ChunkFile& chunk : files->second) {
      if (!check_.knows(name, chunk.chunk)) continue;
      const auto digest = source.digest(name, chunk);
      if (!digest) return tl::unexpected(digest.error());
      const std::string member = chunk_member(name, chunk);
      members.push_back({member, *path / chunk_name(chunk)});
      manifest.files.push_back({member, digest->bytes, digest->sha256});
    }
  }
  return {};
}

recordings::ChunkSource chunks_of(const Manifest& manifest) {
  recordings::ChunkSource out;
  for (const FileDigest& file : manifest.files) {
    std::string_view rest = file.name;
    if (!rest.starts_with(recordings_folder)) continue;
    rest.remove_prefix(recordings_folder.size());
    const std::size_t slash = rest.find('/');
    const auto chunk =
        slash == rest.npos ? std::nullopt : recordings::parse_chunk_name(rest.substr(slash + 1));
    if (chunk) out.recordings[std::string(rest.substr(0, slash))].push_back(*chunk);
  }
  for (auto& [name, chunks] : out.recordings) {
    std::ranges::sort(chunks, {}, &recordings::ChunkFile::chunk);
  }
  out.digest = [&manifest](const std::string& recording,
                           const recordings::ChunkFile& chunk) -> Result<recordings::FileDigest> {
    const auto file =
        std::ranges::find(manifest.files, chunk_member(recording, chunk), &FileDigest::name);
    if (file == manifest.files.end()) return fail("it is not in the manifest");
    return recordings::FileDigest{file->bytes, file->sha256};
  };
  return out;
}

}  // namespace sluice::evidence
