// The index of a sealed segment, a file beside the log. It only says where to look:
// whatever it leads to is read in the segment and judged there, so a search with an
// index finds what reading the whole segment finds. It is a cache: it can be deleted,
// and what does not fit its checksums is built again.
//
// The segment in use has one for each part of it that is long enough, of the same form.
//
//   head       fixed size, with a checksum and the place of each section
//   blocks     of 1024 records each: where they begin, and their times
//   origins    for each epoch and worker, the first and last sequence
//   orphans    outcomes whose intents are in segments before
//   pages      for each page of entries, its first key and its checksum
//   entries    sorted by key: where the list of a value is, and its checksum
//   lists      offsets of records in the segment, as differences
//
// Keys are fingerprints of a dimension and a value. Two values that share one cost a
// look at a record too many, nothing else. Numbers are little-endian.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "audit/record_filter.h"
#include "base/fingerprint.h"

namespace sluice::audit::index {

static_assert(std::endian::native == std::endian::little);

inline constexpr std::array<char, 16> magic{"sluice-index-2\n"};
inline constexpr std::size_t block_records = 1024;
inline constexpr std::size_t page_entries = 256;
inline constexpr std::string_view folder = "index";

enum class Dimension : char { subject, target, rule, ruling, session };

enum class SectionName : std::size_t { blocks, origins, orphans, pages, entries, lists };
inline constexpr std::size_t sections = 6;

struct Section {
  std::uint64_t offset = 0;  ///< In the file.
  std::uint64_t bytes = 0;
  /// Of the first four sections; pages and lists bring the others'.
  std::uint64_t crc = 0;
};
struct Head {
  std::array<char, 16> magic{};
  std::uint64_t crc = 0;  ///< Of all behind it.
  std::uint64_t segment = 0;
  std::uint64_t begin = 0;  ///< Offset in the segment of what it is about;
  std::uint64_t end = 0;    ///< and where that ends: of a sealed one the file's size.
  std::uint64_t first_record = 0;
  std::uint64_t records = 0;
  std::array<Section, sections> section{};
};
struct Block {
  std::uint64_t offset = 0;
  std::uint64_t first_record = 0;
  std::uint64_t time_first_ns = 0;  ///< Earliest.
  std::uint64_t time_last_ns = 0;
};
struct Origin {
  std::uint64_t epoch = 0;
  std::uint64_t worker = 0;
  std::uint64_t first_sequence = 0;
  std::uint64_t last_sequence = 0;
};
struct Orphan {
  std::uint64_t epoch = 0;
  std::uint64_t worker = 0;
  std::uint64_t session = 0;
  std::uint64_t operation = 0;
  std::uint64_t offset = 0;

  [[nodiscard]] OperationName name() const noexcept { return {epoch, worker, session, operation}; }
};
struct Page {
  std::uint64_t first_key = 0;
  std::uint64_t crc = 0;
};
struct Entry {
  std::uint64_t key = 0;
  std::uint64_t offset = 0;  ///< In `lists`.
  std::uint32_t bytes = 0;
  std::uint32_t crc = 0;
};

std::uint64_t key_of(Dimension dimension, std::string_view value) noexcept;
std::uint64_t key_of(Dimension dimension, std::uint64_t value) noexcept;

}  // namespace sluice::audit::index
