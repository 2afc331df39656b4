// The audit log, searched page by page.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/timestamp.h"
#include "control/api/handlers.h"
#include "control/api/shapes.h"

namespace sluice::control::api {
namespace {

constexpr std::size_t limit_usual = 100;

std::uint64_t ns_of(const std::string& time) {
  // It was checked to be one when the call was read.
  return static_cast<std::uint64_t>(std::max<std::int64_t>(parse_timestamp(time)->ns, 0));
}

Outcome<audit::RecordQuery> query_of(const Asked& asked) {
  audit::RecordQuery query;
  if (asked.has("from")) query.from_ns = ns_of(asked.text("from"));
  if (asked.has("until")) query.until_ns = ns_of(asked.text("until"));
  if (asked.has("record")) {
    query.record = audit::RecordId::parse(asked.text("record"));
    if (!query.record) return refuse(400, "'record' is no record's id, as refusals show it");
  }
  query.subject = asked.text("subject");
  query.target = asked.text("target");
  query.rule = asked.text("rule");
  if (asked.has("ruling")) query.ruling = audit::ruling_of(asked.text("ruling"));
  if (asked.has("session")) query.session = asked.count("session");
  return query;
}

}  // namespace

Outcome<std::string> search_records(const Actions& actions, const Asked& asked) {
  auto query = query_of(asked);
  if (!query) return tl::unexpected(query.error());
  std::optional<audit::SearchMark> mark;
  if (asked.has("after")) {
    mark = audit::SearchMark::parse(asked.text("after"));
    if (!mark) return refuse(400, "'after' is not the 'next' of a page");
  }
  const std::uint64_t limit = asked.has("limit") ? asked.count("limit") : limit_usual;
  const auto page = actions.records(std::move(*query), mark, std::max<std::size_t>(limit, 1));
  if (!page) return refuse(503, page.error().message);
  return fmt::format(R"({{"records":[{}]{},"has_more":{}}})", fmt::join(page->records, ","),
                     page->next ? fmt::format(R"(,"next":"{}")", page->next->text()) : "",
                     page->has_more);
}

}  // namespace sluice::control::api
