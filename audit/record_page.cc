#include "audit/record_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "audit/record_fields.h"
#include "audit/verify.h"

namespace sluice::audit {
namespace {

std::optional<std::uint64_t> take_number(std::string_view text) noexcept {
  std::uint64_t value = 0;
  const auto [stop, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (bad != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "17.4096"
std::optional<RecordPlace> parse_place(std::string_view text) noexcept {
  const std::size_t dot = text.find('.');
  if (dot == text.npos) return std::nullopt;
  const auto segment = take_number(text.substr(0, dot));
  const auto offset = take_number(text.substr(dot + 1));
  if (!segment || !offset) return std::nullopt;
  return RecordPlace{*segment, *offset};
}

std::string place_text(const RecordPlace& at) {
  return fmt::format("{}.{}", at.segment, at.offset);
}

/// Takes what is found behind a mark, until the page is full.
class Pager {
 public:
  Pager(const RecordFilter& filter, RecordPlace shown, std::size_t limit)
      : filter_(filter), shown_(shown), limit_(limit) {}

  /// False when nothing more is wanted.
  bool take(ByteView record, RecordPlace at) {
    note_open(record, at);
    if (at <= shown_) return true;
    if (page_.records.size() == limit_) {
      page_.has_more = true;
      return false;
    }
    auto text = to_json(record);
    if (!text) {
      fault_ = text.error().message;
      return false;
    }
    page_.records.push_back(std::move(*text));
    page_.next = SearchMark{first_open(at), at};
    return true;
  }

  /// end  that the search came to.
  Result<RecordPage> finish(const SearchEnd& end) && {
    if (!fault_.empty()) return fail(std::move(fault_));
    if (page_.has_more || end.behind == RecordPlace{}) return std::move(page_);
    // What was looked at in vain need not be looked at again.
    const std::uint64_t before = end.behind.offset == 0 ? 0 : end.behind.offset - 1;
    page_.next = SearchMark{first_open(end.behind), {end.behind.segment, before}};
    page_.has_more = !end.is_whole;
    return std::move(page_);
  }

 private:
  /// The filter knows an operation's outcome by its intent: who goes on must read that again.
  void note_open(ByteView record, RecordPlace at) {
    const auto fields = fields_of(record);
    if (!fields) return;
    const OperationName name = operation_of(*fields);
    if (!filter_.open().contains(name)) {
      open_.erase(name);
    } else if (is_phase(*fields, Phase::intent)) {
      open_.emplace(name, at);
    }
  }
  [[nodiscard]] RecordPlace first_open(RecordPlace at) const {
    for (const auto& [name, since] : open_) at = std::min(at, since);
    return at;
  }

  const RecordFilter& filter_;
  const RecordPlace shown_;
  const std::size_t limit_;
  std::map<OperationName, RecordPlace> open_;
  RecordPage page_;
  std::string fault_;
};

}  // namespace

std::optional<SearchMark> SearchMark::parse(std::string_view text) noexcept {
  const std::size_t tilde = text.find('~');
  const auto first = parse_place(text.substr(0, tilde));
  if (!first) return std::nullopt;
  if (tilde == text.npos) return SearchMark{*first, *first};
  const auto second = parse_place(text.substr(tilde + 1));
  if (!second) return std::nullopt;
  return SearchMark{*first, *second};
}

std::string SearchMark::text() const {
  if (reread == shown) return place_text(shown);
  return fmt::format("{}~{}", place_text(reread), place_text(shown));
}

Result<RecordPage> search_page(const std::filesystem::path& directory, RecordQuery query,
                               const std::optional<SearchMark>& mark, std::size_t limit,
                               const std::function<bool()>& goes_on) {
  RecordFilter filter(std::move(query));
  Pager pager(filter, mark ? mark->shown : RecordPlace{}, limit);
  const auto done = search(
      directory, filter,
      {.found = [&pager](ByteView record, RecordPlace at) { return pager.take(record, at); },
       .goes_on =
           [&](RecordPlace at) { return !goes_on || (mark && at <= mark->shown) || goes_on(); },
       .index_note = {}},
      mark ? mark->reread : RecordPlace{});
  if (!done) return tl::unexpected(done.error());
  auto page = std::move(pager).finish(*done);
  // The log is never behind where it was.
  if (page && (!page->next || (mark && page->next->shown < mark->shown))) page->next = mark;
  return page;
}

}  // namespace sluice::audit
