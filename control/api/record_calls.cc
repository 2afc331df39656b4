// The audit log, searched page by page.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "control/api/handlers.h"
#include "control/api/record_query.h"
#include "control/api/shapes.h"
#include "control/json_text.h"

namespace sluice::control::api {
namespace {

constexpr std::size_t limit_usual = 100;

std::uint64_t ns_of(WallTime time) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(time.ns, 0));
}

}  // namespace

Outcome<audit::RecordQuery> query_of(const Asked& asked) {
  audit::RecordQuery query;
  if (const auto from = asked.time("from")) query.from_ns = ns_of(*from);
  if (const auto until = asked.time("until")) query.until_ns = ns_of(*until);
  if (asked.has("record")) {
    query.record = audit::RecordId::parse(asked.text("record"));
    if (!query.record) return refuse(400, "'record' is no record's id, as refusals show it");
  }
  query.subject = asked.text("subject");
  query.target = asked.text("target");
  query.rule = asked.text("rule");
  if (asked.has("ruling")) query.ruling = audit::ruling_of(asked.text("ruling"));
  auto session = session_of(asked);
  if (!session) return tl::unexpected(session.error());
  query.session = *session;
  return query;
}

Outcome<std::optional<std::uint64_t>> session_of(const Asked& asked) {
  if (!asked.has("session")) return std::nullopt;
  const std::string text = asked.text("session");
  std::uint64_t number = 0;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault == std::errc{} && stop == text.data() + text.size()) return number;
  return refuse(400, "'session' is no session's number");
}

Outcome<std::optional<audit::SearchMark>> mark_of(const Asked& asked) {
  if (!asked.has("after")) return std::nullopt;
  const auto mark = audit::SearchMark::parse(asked.text("after"));
  if (!mark) return refuse(400, "'after' is not the 'next' of a page");
  return mark;
}

namespace {

/// Server-sent events (HTML Living Standard §9.2.5), each a record.
class RecordEvents {
 public:
  RecordEvents(decltype(Actions::records) records, audit::RecordQuery query,
               std::optional<audit::SearchMark> mark)
      : records_(std::move(records)), query_(std::move(query)), mark_(mark) {}

  /// What was found since it was asked last; nothing at the end.
  std::optional<std::string> operator()() {
    if (++asked_ > asked_max) return std::nullopt;
    const auto page = records_(query_, mark_, page_max);
    if (!page) {
      asked_ = asked_max;
      return fmt::format("event: failed\ndata: {}\n\n", json_text(page.error().message));
    }
    std::string out = asked_ == 1 ? "retry: 1000\n\n" : "";
    for (std::size_t i = 0; i < page->records.size(); ++i) {
      // Whoever lost the stream asks on behind the last place that it was told of.
      if (i + 1 == page->records.size()) out += fmt::format("id: {}\n", page->next->text());
      out += fmt::format("data: {}\n\n", page->records[i]);
    }
    mark_ = page->next;
    // A comment, so that nobody between takes the connection for dead.
    if (out.empty() && asked_ % comment_every == 0) out = ":\n\n";
    return out;
  }

 private:
  static constexpr std::size_t page_max = 1'000;
  /// A minute; then it is asked for again, by somebody who may still do so.
  static constexpr std::size_t asked_max =
      static_cast<std::size_t>(seconds(60).ns / HttpServer::pieces_pause.ns);
  static constexpr std::size_t comment_every = asked_max / 6;

  decltype(Actions::records) records_;
  audit::RecordQuery query_;
  std::optional<audit::SearchMark> mark_;
  std::size_t asked_ = 0;
};

}  // namespace

Outcome<HttpStream> follow_records(const Actions& actions, const Asked& asked) {
  auto query = query_of(asked);
  if (!query) return tl::unexpected(query.error());
  const auto mark = mark_of(asked);
  if (!mark) return tl::unexpected(mark.error());
  return HttpStream{.pieces = RecordEvents(actions.records, std::move(*query), *mark)};
}

Outcome<std::string> search_records(const Actions& actions, const Asked& asked) {
  auto query = query_of(asked);
  if (!query) return tl::unexpected(query.error());
  const auto mark = mark_of(asked);
  if (!mark) return tl::unexpected(mark.error());
  const std::uint64_t limit = asked.has("limit") ? asked.count("limit") : limit_usual;
  const auto page = actions.records(std::move(*query), *mark, std::max<std::size_t>(limit, 1));
  if (!page) return refuse(503, page.error().message);
  return fmt::format(R"({{"records":[{}]{},"has_more":{}}})", fmt::join(page->records, ","),
                     page->next ? fmt::format(R"(,"next":"{}")", page->next->text()) : "",
                     page->has_more);
}

}  // namespace sluice::control::api
