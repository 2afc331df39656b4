// A search that is answered page by page, each time anew: the log may grow, and who asks may go.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/record_filter.h"
#include "audit/search.h"
#include "base/result.h"

namespace sluice::audit {

/// How far a search has come, for who asks on: "17.4096", or "16.512~17.4096" while the outcome of
/// an operation is wanted that was found as early as that, or where nothing was found last.
struct SearchMark {
  RecordPlace reread;  ///< From here on records are looked at again.
  RecordPlace shown;   ///< Up to here they were shown.

  static std::optional<SearchMark> parse(std::string_view text) noexcept;
  [[nodiscard]] std::string text() const;
};

struct RecordPage {
  std::vector<std::string> records;  ///< JSON objects, in the order of the log.
  /// Where the next page begins, now or when there is more; nothing when the log is empty.
  std::optional<SearchMark> next;
  bool has_more = false;  ///< It is known to have something.
};

/// mark    of the page before; nothing: from the log's beginning.
/// limit   of records, from 1 on.
/// goes_on  asked before each record behind the mark; what it ends is a page that is not full, and
///         has more. What must be read again before is read: else there might be no end of pages.
/// errors  the log cannot be read, or is damaged.
Result<RecordPage> search_page(const std::filesystem::path& directory, RecordQuery query,
                               const std::optional<SearchMark>& mark, std::size_t limit,
                               const std::function<bool()>& goes_on = {});

}  // namespace sluice::audit
