#include "audit/segment.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <span>

#include "audit/cbor.h"
#include "base/assert.h"

namespace sluice::audit {
namespace {

enum class HeaderKey : std::uint8_t {
  format = 1,
  origin = 2,
  segment = 3,
  first_record = 4,
  commits = 5,
  frontier = 6,
  positions = 7,
};
constexpr std::uint64_t header_keys = 7;
enum class RemovedKey : std::uint8_t { end = 1, hashes = 2, positions = 3 };
constexpr std::uint64_t removed_keys = 3;
constexpr std::uint64_t segment_format = 1;
/// Of the subtrees of any range: one of each size at its beginning and at its end.
constexpr std::size_t hashes_max = 128;
constexpr std::string_view name_prefix = "segment-";
constexpr std::string_view name_suffix = ".log";
constexpr std::string_view compressed_suffix = ".zst";
constexpr std::string_view stand_in_suffix = ".removed";
constexpr std::size_t name_digits = 8;
constexpr std::size_t small_file_bytes_max = std::size_t{16} << 10;

template <class MapKey>
bool expect_key(cbor::Reader& in, MapKey key) {
  return in.unsigned_integer() == static_cast<std::uint64_t>(key);
}

std::optional<std::vector<Hash>> parse_hashes(cbor::Reader& in) {
  const auto count = in.expect(cbor::Major::array);
  if (!count || *count > hashes_max) return std::nullopt;
  std::vector<Hash> out(static_cast<std::size_t>(*count));
  for (auto& hash : out) {
    const auto bytes = in.string(cbor::Major::bytes);
    if (!bytes || bytes->size() != hash.size()) return std::nullopt;
    std::copy(bytes->begin(), bytes->end(), hash.begin());
  }
  return out;
}

std::optional<std::vector<Position>> parse_positions(cbor::Reader& in) {
  const auto count = in.expect(cbor::Major::array);
  if (!count || *count > in.left()) return std::nullopt;
  std::vector<Position> out(static_cast<std::size_t>(*count));
  for (auto& position : out) {
    const auto size = in.expect(cbor::Major::array);
    if (size != 3U) return std::nullopt;
    const auto epoch = in.unsigned_integer();
    const auto worker = epoch ? in.unsigned_integer() : std::nullopt;
    const auto sequence = worker ? in.unsigned_integer() : std::nullopt;
    if (!sequence) return std::nullopt;
    position = {*epoch, *worker, *sequence};
  }
  return out;
}

std::size_t bytes_max_of(std::span<const Hash> hashes, std::span<const Position> positions) {
  return hashes.size() * (cbor::head_bytes_max + sizeof(Hash)) +
         positions.size() * 4 * cbor::head_bytes_max;
}

void write_hashes(cbor::Writer& writer, std::span<const Hash> hashes) {
  writer.array(hashes.size());
  for (const auto& hash : hashes) writer.bytes(hash);
}

void write_positions(cbor::Writer& writer, std::span<const Position> positions) {
  writer.array(positions.size());
  for (const auto& position : positions) {
    writer.array(3);
    writer.unsigned_integer(position.epoch);
    writer.unsigned_integer(position.worker);
    writer.unsigned_integer(position.sequence);
  }
}

/// The number in a segment's name; nothing when it is no segment's.
std::optional<std::uint64_t> number_in(std::string_view name) {
  if (name.ends_with(stand_in_suffix)) {
    name.remove_suffix(stand_in_suffix.size());
  } else {
    if (name.ends_with(compressed_suffix)) name.remove_suffix(compressed_suffix.size());
    if (!name.ends_with(name_suffix)) return std::nullopt;
    name.remove_suffix(name_suffix.size());
  }
  if (!name.starts_with(name_prefix)) return std::nullopt;
  name.remove_prefix(name_prefix.size());
  if (name.size() < name_digits) return std::nullopt;
  std::uint64_t number = 0;
  const auto [stop, bad] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (bad != std::errc{} || stop != name.data() + name.size()) return std::nullopt;
  return number;
}

bool has_segment(const std::filesystem::path& directory, std::uint64_t number) {
  const std::filesystem::path path = segment_path(directory, number);
  std::error_code ignored;
  return std::filesystem::exists(path, ignored) ||
         std::filesystem::exists(compressed_path(path), ignored) ||
         std::filesystem::exists(stand_in_path(path), ignored);
}

}  // namespace

std::vector<std::uint8_t> encode_header(const SegmentHeader& header) {
  const std::size_t bytes_max = 16 * cbor::head_bytes_max + header.origin.size() +
                                bytes_max_of(header.frontier, header.positions);
  std::vector<std::uint8_t> out(bytes_max);
  ASSERT(out.data() != nullptr);
  cbor::Writer writer(out.data());
  const auto key = [&writer](HeaderKey k) {
    writer.unsigned_integer(static_cast<std::uint64_t>(k));
  };
  writer.map(header_keys);
  key(HeaderKey::format), writer.unsigned_integer(segment_format);
  key(HeaderKey::origin), writer.text(header.origin);
  key(HeaderKey::segment), writer.unsigned_integer(header.segment);
  key(HeaderKey::first_record), writer.unsigned_integer(header.first_record);
  key(HeaderKey::commits), writer.unsigned_integer(header.commits);
  key(HeaderKey::frontier), write_hashes(writer, header.frontier);
  key(HeaderKey::positions), write_positions(writer, header.positions);
  out.resize(static_cast<std::size_t>(writer.at() - out.data()));
  return out;
}

std::optional<SegmentHeader> parse_header(ByteView payload) {
  cbor::Reader in(payload);
  SegmentHeader out;
  if (in.expect(cbor::Major::map) != header_keys) return std::nullopt;
  if (!expect_key(in, HeaderKey::format) || in.unsigned_integer() != segment_format) {
    return std::nullopt;
  }
  if (!expect_key(in, HeaderKey::origin)) return std::nullopt;
  const auto origin = in.string(cbor::Major::text);
  if (!origin) return std::nullopt;
  out.origin = as_text(*origin);
  const auto number = [&in](HeaderKey key, std::uint64_t& value) {
    if (!expect_key(in, key)) return false;
    const auto found = in.unsigned_integer();
    value = found.value_or(0);
    return found.has_value();
  };
  if (!number(HeaderKey::segment, out.segment) ||
      !number(HeaderKey::first_record, out.first_record) ||
      !number(HeaderKey::commits, out.commits) || !expect_key(in, HeaderKey::frontier)) {
    return std::nullopt;
  }
  auto frontier = parse_hashes(in);
  if (!frontier || !expect_key(in, HeaderKey::positions)) return std::nullopt;
  auto positions = parse_positions(in);
  if (!positions || !in.at_end()) return std::nullopt;
  out.frontier = std::move(*frontier);
  out.positions = std::move(*positions);
  return out;
}

std::vector<std::uint8_t> encode_removed(const RemovedRecords& removed) {
  std::vector<std::uint8_t> out(8 * cbor::head_bytes_max +
                                bytes_max_of(removed.hashes, removed.positions));
  ASSERT(out.data() != nullptr);
  cbor::Writer writer(out.data());
  const auto key = [&writer](RemovedKey k) {
    writer.unsigned_integer(static_cast<std::uint64_t>(k));
  };
  writer.map(removed_keys);
  key(RemovedKey::end), writer.unsigned_integer(removed.end);
  key(RemovedKey::hashes), write_hashes(writer, removed.hashes);
  key(RemovedKey::positions), write_positions(writer, removed.positions);
  out.resize(static_cast<std::size_t>(writer.at() - out.data()));
  return out;
}

std::optional<RemovedRecords> parse_removed(ByteView payload) {
  cbor::Reader in(payload);
  if (in.expect(cbor::Major::map) != removed_keys || !expect_key(in, RemovedKey::end)) {
    return std::nullopt;
  }
  const auto end = in.unsigned_integer();
  if (!end || !expect_key(in, RemovedKey::hashes)) return std::nullopt;
  auto hashes = parse_hashes(in);
  if (!hashes || !expect_key(in, RemovedKey::positions)) return std::nullopt;
  auto positions = parse_positions(in);
  if (!positions || !in.at_end()) return std::nullopt;
  return RemovedRecords{*end, std::move(*hashes), std::move(*positions)};
}

std::filesystem::path segment_path(const std::filesystem::path& directory, std::uint64_t segment) {
  return directory / fmt::format("{}{:08}{}", name_prefix, segment, name_suffix);
}

std::filesystem::path compressed_path(const std::filesystem::path& segment) {
  return segment.string() + std::string(compressed_suffix);
}

std::filesystem::path stand_in_path(const std::filesystem::path& segment) {
  std::filesystem::path path = segment;
  return path.replace_extension(stand_in_suffix);
}

Result<std::uint64_t> count_segments(const std::filesystem::path& directory) {
  std::error_code error;
  std::set<std::uint64_t> numbers;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    if (const auto number = number_in(at->path().filename().string())) numbers.insert(*number);
  }
  if (error) {
    return fail(fmt::format("cannot list {}: {}", directory.string(), error.message()));
  }
  const std::uint64_t last = numbers.empty() ? 0 : *numbers.rbegin();
  for (std::uint64_t number = 1; number <= last; ++number) {
    // One that took its compressed name meanwhile may have been listed under neither.
    if (!numbers.contains(number) && !has_segment(directory, number)) {
      return fail(
          fmt::format("{} is missing", segment_path(directory, number).filename().string()));
    }
  }
  return last;
}

Result<std::optional<std::string>> read_small_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::error_code error;
    if (!std::filesystem::exists(path, error) && !error) return std::optional<std::string>();
    return fail("cannot read " + path.string());
  }
  std::string text(small_file_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return fail("cannot read " + path.string());
  text.resize(static_cast<std::size_t>(file.gcount()));
  return std::optional(std::move(text));
}

Result<std::optional<std::string>> read_stable_file(const std::filesystem::path& path) {
  auto last = read_small_file(path);
  for (int attempts = 0; last && attempts < 1000; ++attempts) {
    auto again = read_small_file(path);
    if (!again || *again == *last) return again;
    last = std::move(again);
  }
  return last;
}

}  // namespace sluice::audit
