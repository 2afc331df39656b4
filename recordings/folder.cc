#include "recordings/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>

namespace sluice::recordings {
namespace {

constexpr std::string_view chunk_suffix = ".age";
constexpr std::size_t epoch_characters = 16;
constexpr std::size_t chunk_bytes_max = std::size_t{1} << 30;

tl::unexpected<Error> unreadable(const std::filesystem::path& path, const std::error_code& code) {
  return fail(fmt::format("cannot read {}: {}", path.string(), code.message()));
}

/// Names of what lies in a folder.
Result<std::vector<std::string>> names_in(const std::filesystem::path& path) {
  std::vector<std::string> out;
  std::error_code fault;
  std::filesystem::directory_iterator entry(path, fault);
  for (; !fault && entry != std::filesystem::directory_iterator(); entry.increment(fault)) {
    out.push_back(entry->path().filename().string());
  }
  if (fault) return unreadable(path, fault);
  return out;
}

bool take_number(std::string_view& in, std::uint64_t& out) {
  const auto [end, fault] = std::from_chars(in.data(), in.data() + in.size(), out);
  if (fault != std::errc()) return false;
  in.remove_prefix(static_cast<std::size_t>(end - in.data()));
  return true;
}

bool skip(std::string_view& in, char expected) {
  if (!in.starts_with(expected)) return false;
  in.remove_prefix(1);
  return true;
}

/// The session; nothing when it is no recording's name.
std::optional<std::uint64_t> parse_name(std::string_view text) noexcept {
  if (text.size() < epoch_characters) return std::nullopt;
  const bool is_hex = std::ranges::all_of(text.substr(0, epoch_characters), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  std::string_view rest = text.substr(epoch_characters);
  std::uint64_t session = 0;
  std::uint64_t part = 0;
  const bool is_one = is_hex && skip(rest, '-') && take_number(rest, session) && skip(rest, '-') &&
                      take_number(rest, part) && rest.empty();
  return is_one ? std::optional(session) : std::nullopt;
}

/// A recording in any state, or what the recorder leaves behind; also what a file system
/// has of its own where it is mounted here.
bool is_ours(std::string_view name) noexcept {
  for (const std::string_view suffix : {open_suffix, removed_suffix}) {
    if (!name.ends_with(suffix)) continue;
    name.remove_suffix(suffix.size());
    break;
  }
  return is_recording_name(name) || name == probe_name || name == "lost+found";
}

}  // namespace

std::string recording_name(std::uint64_t epoch, std::uint64_t session, std::uint64_t part) {
  return fmt::format("{:016x}-{}-{}", epoch, session, part);
}

bool is_recording_name(std::string_view text) noexcept {
  return parse_name(text).has_value();
}

std::uint64_t session_of(std::string_view recording_name) noexcept {
  return parse_name(recording_name).value_or(0);
}

std::string chunk_name(const ChunkFile& chunk) {
  return fmt::format("{:08}-{:019}-{:019}{}", chunk.chunk, chunk.first.ns, chunk.last.ns,
                     chunk_suffix);
}

std::optional<ChunkFile> parse_chunk_name(std::string_view name) {
  std::string_view rest = name;
  ChunkFile chunk;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  const bool is_one = take_number(rest, chunk.chunk) && skip(rest, '-') &&
                      take_number(rest, first) && skip(rest, '-') && take_number(rest, last) &&
                      first <= INT64_MAX && last <= INT64_MAX;
  if (!is_one) return std::nullopt;
  chunk.first = {static_cast<std::int64_t>(first)};
  chunk.last = {static_cast<std::int64_t>(last)};
  if (chunk_name(chunk) != name) return std::nullopt;
  return chunk;
}

std::optional<std::filesystem::path> find_recording(const std::filesystem::path& directory,
                                                    std::string_view name) {
  if (!is_recording_name(name)) return std::nullopt;
  std::error_code ignored;
  // In the order in which it has them, so that one that ends meanwhile is found.
  for (const std::string_view suffix : {open_suffix, std::string_view()}) {
    const auto path = directory / fmt::format("{}{}", name, suffix);
    if (std::filesystem::is_directory(path, ignored)) return path;
  }
  return std::nullopt;
}

Result<std::vector<ChunkFile>> list_chunks(const std::filesystem::path& recording) {
  const auto names = names_in(recording);
  if (!names) return tl::unexpected(names.error());
  std::vector<ChunkFile> out;
  for (const std::string& name : *names) {
    if (const auto chunk = parse_chunk_name(name)) out.push_back(*chunk);
  }
  std::ranges::sort(out, {}, &ChunkFile::chunk);
  return out;
}

Result<std::vector<SizedChunk>> list_sized_chunks(const std::filesystem::path& recording) {
  const auto chunks = list_chunks(recording);
  if (!chunks) return tl::unexpected(chunks.error());
  std::vector<SizedChunk> out;
  for (const ChunkFile& chunk : *chunks) {
    std::error_code fault;
    const auto path = recording / chunk_name(chunk);
    const std::uint64_t bytes = std::filesystem::file_size(path, fault);
    if (fault) return unreadable(path, fault);
    out.push_back({chunk, bytes});
  }
  return out;
}

Result<std::vector<RecordingFolder>> list_recordings(const std::filesystem::path& directory) {
  std::error_code fault;
  if (!std::filesystem::exists(directory, fault)) {
    if (fault) return unreadable(directory, fault);
    return std::vector<RecordingFolder>();
  }
  const auto names = names_in(directory);
  if (!names) return tl::unexpected(names.error());
  std::vector<RecordingFolder> out;
  for (std::string_view name : *names) {
    const bool is_open = name.ends_with(open_suffix);
    if (is_open) name.remove_suffix(open_suffix.size());
    if (is_recording_name(name)) out.push_back({std::string(name), is_open});
  }
  return out;
}

Result<void> check_own_folder(const std::filesystem::path& directory) {
  std::error_code fault;
  if (!std::filesystem::exists(directory, fault)) {
    if (fault) return unreadable(directory, fault);
    return {};
  }
  const auto names = names_in(directory);
  if (!names) return tl::unexpected(names.error());
  const auto other = std::ranges::find_if_not(*names, is_ours);
  if (other == names->end()) return {};
  return fail(fmt::format("recordings need a folder of their own: '{}' in {} is none of theirs",
                          *other, directory.string()));
}

std::uint64_t bytes_in(const std::filesystem::path& directory) {
  std::uint64_t out = 0;
  std::error_code fault;
  std::filesystem::recursive_directory_iterator entry(directory, fault);
  for (; !fault && entry != std::filesystem::recursive_directory_iterator();
       entry.increment(fault)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored)) out += entry->file_size(ignored);
  }
  return out;
}

Result<std::vector<std::uint8_t>> read_chunk(const std::filesystem::path& path) {
  const auto refuse = [&path] {
    return fail(fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)));
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose);
  if (!file) return refuse();
  std::error_code fault;
  const std::uint64_t size = std::filesystem::file_size(path, fault);
  if (fault) return unreadable(path, fault);
  if (size > chunk_bytes_max) return fail(path.string() + " is longer than any chunk");
  std::vector<std::uint8_t> out(size);
  const std::size_t got = std::fread(out.data(), 1, out.size(), file.get());
  if (std::ferror(file.get()) != 0) return refuse();
  out.resize(got);
  return out;
}

}  // namespace sluice::recordings
