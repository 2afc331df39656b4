#include "recordings/catalog.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sluice::recordings {
namespace {

constexpr std::uint64_t piece_bytes = 256 << 10;

/// What `look` finds in a recording's folder, which loses its ".open" when the recording ends and
/// its name when it is removed: so whoever fails looks once more where it is then.
template <class Found, class Look>
Result<std::optional<Found>> look_into(const std::filesystem::path& directory,
                                       std::string_view name, Look look) {
  Result<std::optional<Found>> found = std::optional<Found>();
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto path = find_recording(directory, name);
    if (!path) return std::optional<Found>();
    found = look(*path);
    if (found) return found;
  }
  if (!find_recording(directory, name)) return std::optional<Found>();
  return found;
}

Result<std::optional<RecordingDetail>> detail_of(const std::filesystem::path& path,
                                                 std::string_view name) {
  auto chunks = list_sized_chunks(path);
  if (!chunks) return tl::unexpected(chunks.error());
  RecordingDetail out{.summary = {.name = std::string(name),
                                  .is_open = path.native().ends_with(open_suffix),
                                  .chunks = chunks->size()},
                      .chunks = std::move(*chunks)};
  for (const SizedChunk& chunk : out.chunks) out.summary.bytes += chunk.bytes;
  if (!out.chunks.empty()) {
    out.summary.first = out.chunks.front().file.first;
    out.summary.last = out.chunks.back().file.last;
  }
  return std::optional(std::move(out));
}

/// One that is being made goes on.
bool wants(const CatalogQuery& query, const RecordingSummary& summary) noexcept {
  if (query.from && !summary.is_open && (!summary.last || *summary.last < *query.from)) {
    return false;
  }
  return !query.until || (summary.first && *summary.first < *query.until);
}

}  // namespace

Result<ChunkStream> ChunkStream::open(const std::filesystem::path& path) {
  const auto refuse = [&path](int fault) {
    return fail(fmt::format("cannot read {}: {}", path.string(), std::strerror(fault)));
  };
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return refuse(errno);
  std::FILE* const opened = ::fdopen(descriptor, "rb");
  if (opened == nullptr) {
    const int fault = errno;
    ::close(descriptor);
    return refuse(fault);
  }
  std::shared_ptr<std::FILE> file(opened, &std::fclose);
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return refuse(errno);
  if (!S_ISREG(status.st_mode)) return refuse(EINVAL);
  return ChunkStream(std::move(file), static_cast<std::uint64_t>(status.st_size));
}

std::optional<std::string> ChunkStream::next() {
  if (left_ == 0) return std::nullopt;
  std::string piece(static_cast<std::size_t>(std::min(left_, piece_bytes)), '\0');
  if (std::fread(piece.data(), 1, piece.size(), file_.get()) != piece.size()) return std::nullopt;
  left_ -= piece.size();
  return piece;
}

Result<CatalogPage> Catalog::list(const CatalogQuery& query,
                                  const std::function<bool()>& goes_on) const {
  auto all = list_recordings(directory_);
  if (!all) return tl::unexpected(all.error());
  std::erase_if(*all, [&](const RecordingFolder& one) { return one.name <= query.after; });
  std::ranges::sort(*all, {}, &RecordingFolder::name);
  CatalogPage page;
  std::string last;
  for (const RecordingFolder& one : *all) {
    if (!last.empty() && (page.recordings.size() >= query.limit || !goes_on())) {
      page.next = std::move(last);
      break;
    }
    auto detail = show(one.name);
    if (!detail) return tl::unexpected(detail.error());
    last = one.name;
    if (!*detail || !wants(query, (*detail)->summary)) continue;
    page.recordings.push_back(std::move((*detail)->summary));
  }
  return page;
}

Result<std::optional<RecordingDetail>> Catalog::show(std::string_view name) const {
  return look_into<RecordingDetail>(directory_, name, [name](const std::filesystem::path& path) {
    return detail_of(path, name);
  });
}

Result<std::optional<ChunkStream>> Catalog::open(std::string_view name, std::uint64_t chunk) const {
  return look_into<ChunkStream>(
      directory_, name,
      [chunk](const std::filesystem::path& path) -> Result<std::optional<ChunkStream>> {
        const auto chunks = list_chunks(path);
        if (!chunks) return tl::unexpected(chunks.error());
        const auto found = std::ranges::find(*chunks, chunk, &ChunkFile::chunk);
        if (found == chunks->end()) return std::optional<ChunkStream>();
        auto stream = ChunkStream::open(path / chunk_name(*found));
        if (!stream) return tl::unexpected(stream.error());
        return std::optional(std::move(*stream));
      });
}

}  // namespace sluice::recordings
