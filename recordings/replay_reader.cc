#include "recordings/replay_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace sluice::recordings {

Result<ReplayReader> ReplayReader::open(const std::filesystem::path& directory,
                                        const std::string& name,
                                        const audit::AgeIdentity& identity) {
  const auto folder = find_recording(directory, name);
  if (!folder) return fail(fmt::format("there is no recording {} in {}", name, directory.string()));
  ReplayReader reader(*folder, name, identity);
  auto chunks = list_chunks(*folder);
  if (!chunks) return tl::unexpected(chunks.error());
  if (chunks->empty()) return fail(fmt::format("recording {} has no chunk yet", name));
  reader.chunks_ = std::move(*chunks);
  const ChunkFile& first = reader.chunks_.front();
  const auto plain = reader.open_chunk(first);
  if (!plain) return tl::unexpected(plain.error());
  ByteView items = *plain;
  auto head = reader.take_head(first, items);
  if (!head) return tl::unexpected(head.error());
  reader.subject_ = std::move(head->subject);
  return reader;
}

Result<std::vector<std::uint8_t>> ReplayReader::open_chunk(const ChunkFile& chunk) const {
  const auto path = folder_ / chunk_name(chunk);
  const auto sealed = read_chunk(path);
  if (!sealed) return sealed;
  auto plain = identity_.open(*sealed);
  if (!plain) return fail(fmt::format("{}: {}", path.string(), plain.error().message));
  return plain;
}

/// A chunk says itself which it is, so that none is taken for another.
Result<ChunkHead> ReplayReader::take_head(const ChunkFile& chunk, ByteView& items) const {
  const auto item = take_item(items);
  auto head = item && item->kind == ItemKind::head ? parse_head(item->content) : std::nullopt;
  if (head && head->subject.recording == name_ && head->chunk == chunk.chunk) return *head;
  return fail(fmt::format("{} is not chunk {} of recording {}",
                          (folder_ / chunk_name(chunk)).string(), chunk.chunk, name_));
}

Result<void> ReplayReader::read(WallTime from, const std::function<bool(const Item&)>& each) const {
  // The last one that begins before, or at, that time.
  auto start = std::ranges::upper_bound(chunks_, from, {}, &ChunkFile::first);
  if (start != chunks_.begin()) --start;
  std::uint64_t expected = start->chunk;
  bool has_begun = false;
  for (auto chunk = start; chunk != chunks_.end(); ++chunk, ++expected) {
    if (chunk->chunk != expected) {
      return fail(fmt::format("chunk {} of recording {} is missing", expected, name_));
    }
    const auto plain = open_chunk(*chunk);
    if (!plain) return tl::unexpected(plain.error());
    ByteView items = *plain;
    if (auto head = take_head(*chunk, items); !head) return tl::unexpected(head.error());
    while (!items.empty()) {
      const auto item = take_item(items);
      if (!item) return fail(fmt::format("chunk {} of recording {} is malformed", expected, name_));
      const bool is_repeated = item->time_ns == 0;
      if (is_repeated && chunk != start) continue;
      if (!is_repeated && !has_begun) {
        // The rest of a message says nothing without its beginning; of a body it does.
        has_begun = item->time_ns >= from.ns && item->kind != ItemKind::messages_rest;
        if (!has_begun && !is_context(item->kind)) continue;
      }
      if (!each(*item)) return {};
    }
  }
  return {};
}

}  // namespace sluice::recordings
