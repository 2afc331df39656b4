// Search: reads of the log what a query can be about, with the help of the sealed
// segments' indexes, and all of what has none.
#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "audit/record_filter.h"
#include "base/result.h"

namespace sluice::audit {

/// Where a record begins. Records are removed with their segments, and never moved.
struct RecordPlace {
  std::uint64_t segment = 0;  ///< From 1 on.
  std::uint64_t offset = 0;   ///< In the segment, when it is not compressed.
  auto operator<=>(const RecordPlace&) const = default;
};

struct SearchEvents {
  /// A record that the filter wants, in the order of the log. False ends the search.
  std::function<bool(ByteView record, RecordPlace at)> found;
  /// Asked before each record that is looked at, with its place; false ends the search. Empty: it
  /// goes on.
  std::function<bool(RecordPlace at)> goes_on = {};
  /// An index was damaged, and was built again; or could not be, and the segment was read.
  std::function<void(const std::string& note)> index_note = {};
};

/// What a search came to.
struct SearchEnd {
  std::uint64_t next = 0;  ///< The index of the first record that it didn't look at.
  RecordPlace behind;      ///< Where that is, or will be: there a later search goes on.
  bool is_whole = true;    ///< It saw all that is committed.
};

/// from     nothing before it is looked at: the beginning, or the end of a search before.
Result<SearchEnd> search(const std::filesystem::path& directory, RecordFilter& filter,
                         const SearchEvents& events, RecordPlace from = {});

}  // namespace sluice::audit
