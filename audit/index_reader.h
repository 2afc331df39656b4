// Reads the index of a segment, or of a part of it, in place: a search touches the pages
// it needs.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "audit/index_format.h"
#include "base/result.h"

namespace sluice::audit {

class IndexReader {
 public:
  /// segment_bytes   size of the segment's file: an index of another is stale.
  /// errors          it cannot be read, or is not what its checksums say.
  static Result<IndexReader> open(const std::filesystem::path& path, std::uint64_t segment,
                                  std::uint64_t segment_bytes);
  /// Of a part of the segment in use.
  /// begin   where the part before it ended.
  static Result<IndexReader> open_part(const std::filesystem::path& path, std::uint64_t segment,
                                       std::uint64_t begin, std::uint64_t segment_bytes);
  ~IndexReader();
  IndexReader(IndexReader&& other) noexcept;
  IndexReader& operator=(IndexReader&&) = delete;

  [[nodiscard]] std::uint64_t first_record() const noexcept { return head().first_record; }
  [[nodiscard]] std::uint64_t records() const noexcept { return head().records; }
  /// Offset in the segment behind what it is about.
  [[nodiscard]] std::uint64_t end() const noexcept { return head().end; }

  struct Stretch {
    std::uint64_t begin = 0;  ///< Offset of its first record's frame.
    std::uint64_t end = 0;    ///< Not included.
  };
  /// Where records may lie that the query is about: all that are, and some more.
  struct Places {
    std::optional<Stretch> stretch;      ///< Anywhere in it; or
    std::vector<std::uint64_t> offsets;  ///< at these, ascending.
  };
  /// open     operations whose outcomes are wanted, too.
  /// errors   the index is damaged.
  [[nodiscard]] Result<Places> places(const RecordQuery& query,
                                      const std::set<OperationName>& open) const;

 private:
  IndexReader(const std::uint8_t* data, std::size_t bytes) noexcept : data_(data), bytes_(bytes) {}
  static Result<IndexReader> map(const std::filesystem::path& path);
  [[nodiscard]] bool is_whole() const noexcept;
  [[nodiscard]] const index::Head& head() const noexcept {
    return *reinterpret_cast<const index::Head*>(data_);
  }
  template <class T>
  [[nodiscard]] std::span<const T> items(index::SectionName name) const noexcept {
    const index::Section& section = head().section[static_cast<std::size_t>(name)];
    return {reinterpret_cast<const T*>(data_ + section.offset), section.bytes / sizeof(T)};
  }
  /// What is within the query's times; nothing when nothing is.
  [[nodiscard]] std::optional<Stretch> stretch_of(const RecordQuery& query) const noexcept;
  [[nodiscard]] bool has(const RecordId& record) const noexcept;
  void add_orphans(const std::set<OperationName>& open, std::vector<std::uint64_t>& offsets) const;
  /// Within the stretch. Nothing when damaged.
  [[nodiscard]] std::optional<std::vector<std::uint64_t>> list_of(std::uint64_t key,
                                                                  const Stretch& stretch) const;

  const std::uint8_t* data_;
  std::size_t bytes_;
};

}  // namespace sluice::audit
