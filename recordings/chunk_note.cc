#include "recordings/chunk_note.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text_codec.h"
#include "base/timestamp.h"

namespace sluice::recordings {
namespace {

constexpr std::size_t hash_characters = 2 * sizeof(audit::Hash);
constexpr std::size_t time_decimals = 9;

bool skip(std::string_view& in, std::string_view expected) {
  if (!in.starts_with(expected)) return false;
  in.remove_prefix(expected.size());
  return true;
}

/// What its caller writes back and compares, so it need not be strict.
bool take_number(std::string_view& in, std::uint64_t& out) {
  const auto [end, fault] = std::from_chars(in.data(), in.data() + in.size(), out);
  if (fault != std::errc()) return false;
  in.remove_prefix(static_cast<std::size_t>(end - in.data()));
  return true;
}

bool take_hash(std::string_view& in, audit::Hash& out) {
  const auto bytes = from_hex(in.substr(0, hash_characters));
  if (!bytes || bytes->size() != out.size()) return false;
  std::ranges::copy(*bytes, out.begin());
  in.remove_prefix(hash_characters);
  return true;
}

bool take_time(std::string_view& in, WallTime& out) {
  const std::string_view word = in.substr(0, in.find(' '));
  const auto time = parse_timestamp(word);
  if (!time) return false;
  out = *time;
  in.remove_prefix(word.size());
  return true;
}

}  // namespace

std::string text_of(const ChunkNote& note) {
  return fmt::format("chunk {}, {} bytes, SHA-256 {}, behind {}, from {} to {}", note.chunk,
                     note.bytes, to_hex(note.sha256), to_hex(note.before),
                     timestamp_text(note.first, time_decimals),
                     timestamp_text(note.last, time_decimals));
}

std::optional<ChunkNote> parse_chunk_note(std::string_view text) {
  ChunkNote note;
  std::string_view in = text;
  const bool is_one = skip(in, "chunk ") && take_number(in, note.chunk) && skip(in, ", ") &&
                      take_number(in, note.bytes) && skip(in, " bytes, SHA-256 ") &&
                      take_hash(in, note.sha256) && skip(in, ", behind ") &&
                      take_hash(in, note.before) && skip(in, ", from ") &&
                      take_time(in, note.first) && skip(in, " to ") && take_time(in, note.last);
  if (!is_one || text_of(note) != text) return std::nullopt;
  return note;
}

std::string text_of(const EndNote& note, std::string_view why) {
  return fmt::format("{} chunks, the last {}{}{}", note.chunks, to_hex(note.last),
                     why.empty() ? "" : "; ", why);
}

std::optional<EndNote> parse_end_note(std::string_view text) {
  EndNote note;
  std::string_view in = text;
  const bool is_one = take_number(in, note.chunks) && skip(in, " chunks, the last ") &&
                      take_hash(in, note.last) && (in.empty() || in.starts_with("; "));
  if (!is_one || !text.starts_with(text_of(note))) return std::nullopt;
  return note;
}

std::string text_of(const RemovalNote& note, std::string_view why) {
  return fmt::format("{} chunks, {} bytes, from {} to {}; {}", note.chunks, note.bytes,
                     timestamp_text(note.first, time_decimals),
                     timestamp_text(note.last, time_decimals), why);
}

std::optional<RemovalNote> parse_removal_note(std::string_view text) {
  RemovalNote note;
  const std::size_t end = std::min(text.find("; "), text.size());
  std::string_view in = text.substr(0, end);
  const bool is_one = take_number(in, note.chunks) && skip(in, " chunks, ") &&
                      take_number(in, note.bytes) && skip(in, " bytes, from ") &&
                      take_time(in, note.first) && skip(in, " to ") && take_time(in, note.last);
  if (!is_one || !text.starts_with(text_of(note, {}))) return std::nullopt;
  return note;
}

}  // namespace sluice::recordings
