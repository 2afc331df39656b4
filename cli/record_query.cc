#include "cli/record_query.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/times.h"

namespace sluice::cli {
namespace {

Result<void> read_bound(const std::string& text, WallTime now, std::uint64_t& ns) {
  if (text.empty()) return {};
  const auto time = parse_time(text, now, false);
  if (!time) return tl::unexpected(time.error());
  ns = static_cast<std::uint64_t>(std::max<std::int64_t>(time->ns, 0));
  return {};
}

}  // namespace

Result<audit::RecordQuery> parse_query(const QueryWords& words, WallTime now) {
  audit::RecordQuery query;
  if (auto done = read_bound(words.from, now, query.from_ns); !done) {
    return tl::unexpected(done.error());
  }
  if (auto done = read_bound(words.until, now, query.until_ns); !done) {
    return tl::unexpected(done.error());
  }
  if (!words.record.empty()) {
    query.record = audit::RecordId::parse(words.record);
    if (!query.record) {
      return fail(
          fmt::format("'{}' is no record's id, such as 9f3c5e1d7a2b4c60-0-17", words.record));
    }
  }
  query.subject = words.principal;
  query.target = words.target;
  query.rule = words.rule;
  query.ruling = audit::ruling_of(words.ruling);
  query.session = words.session;
  return query;
}

}  // namespace sluice::cli
