#include "recordings/replay_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace sluice::recordings {

Result<ReplaySource> ReplaySource::of_directory(const std::filesystem::path& directory,
                                                const std::string& name) {
  const auto folder = find_recording(directory, name);
  if (!folder) return fail(fmt::format("there is no recording {} in {}", name, directory.string()));
  auto chunks = list_chunks(*folder);
  if (!chunks) return tl::unexpected(chunks.error());
  return ReplaySource{.place = folder->string(),
                      .chunks = std::move(*chunks),
                      .read = [folder = *folder](const ChunkFile& chunk) {
                        return recordings::read_chunk(folder / chunk_name(chunk));
                      }};
}

Result<ReplayReader> ReplayReader::open(ReplaySource source, const std::string& name,
                                        const audit::AgeIdentity& identity, WallTime from) {
  if (source.chunks.empty()) return fail(fmt::format("recording {} has no chunk yet", name));
  ReplayReader reader(std::move(source), name, identity, from);
  // The last one that begins before, or at, that time.
  const auto& chunks = reader.source_.chunks;
  const auto behind = std::ranges::upper_bound(chunks, from, {}, &ChunkFile::first);
  if (behind != chunks.begin()) {
    reader.start_ = static_cast<std::size_t>(behind - chunks.begin()) - 1;
  }
  const ChunkFile& chunk = chunks[reader.start_];
  auto plain = reader.open_chunk(chunk);
  if (!plain) return tl::unexpected(plain.error());
  reader.plain_ = std::move(*plain);
  ByteView items = reader.plain_;
  auto head = reader.take_head(chunk, items);
  if (!head) return tl::unexpected(head.error());
  reader.subject_ = std::move(head->subject);
  return reader;
}

Result<std::vector<std::uint8_t>> ReplayReader::open_chunk(const ChunkFile& chunk) const {
  const auto sealed = source_.read(chunk);
  if (!sealed) return sealed;
  auto plain = identity_.open(*sealed);
  if (plain) return plain;
  return fail(fmt::format("{}/{}: {}", source_.place, chunk_name(chunk), plain.error().message));
}

/// A chunk says itself which it is, so that none is taken for another.
Result<ChunkHead> ReplayReader::take_head(const ChunkFile& chunk, ByteView& items) const {
  const auto item = take_item(items);
  auto head = item && item->kind == ItemKind::head ? parse_head(item->content) : std::nullopt;
  if (head && head->subject.recording == name_ && head->chunk == chunk.chunk) return *head;
  return fail(fmt::format("{}/{} is not chunk {} of recording {}", source_.place, chunk_name(chunk),
                          chunk.chunk, name_));
}

Result<void> ReplayReader::read(const std::function<bool(const Item&)>& each) && {
  std::uint64_t expected = source_.chunks[start_].chunk;
  for (std::size_t i = start_; i < source_.chunks.size(); ++i, ++expected) {
    const ChunkFile& chunk = source_.chunks[i];
    if (chunk.chunk != expected) {
      return fail(fmt::format("chunk {} of recording {} is missing", expected, name_));
    }
    if (i != start_) {
      auto plain = open_chunk(chunk);
      if (!plain) return tl::unexpected(plain.error());
      plain_ = std::move(*plain);
    }
    ByteView items = plain_;
    if (auto head = take_head(chunk, items); !head) return tl::unexpected(head.error());
    const auto goes_on = read_chunk(items, chunk.chunk, each);
    if (!goes_on) return tl::unexpected(goes_on.error());
    if (!*goes_on) return {};
  }
  return {};
}

/// returns  false when no more is wanted.
Result<bool> ReplayReader::read_chunk(ByteView items, std::uint64_t chunk,
                                      const std::function<bool(const Item&)>& each) {
  const bool is_start = chunk == source_.chunks[start_].chunk;
  while (!items.empty()) {
    const auto item = take_item(items);
    if (!item) return fail(fmt::format("chunk {} of recording {} is malformed", chunk, name_));
    const bool is_repeated = item->time_ns == 0;
    if (is_repeated && !is_start) continue;
    if (!is_repeated && !has_begun_) {
      // The rest of a message says nothing without its beginning; of a body it does.
      has_begun_ = item->time_ns >= from_.ns && item->kind != ItemKind::messages_rest;
      if (!has_begun_ && !is_context(item->kind)) continue;
    }
    if (!each(*item)) return false;
  }
  return true;
}

}  // namespace sluice::recordings
