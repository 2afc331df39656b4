// A search page by page finds what it finds at once.
#include "audit/record_page.h"

#include <catch2/catch.hpp>

#include "many_segments.h"

namespace sluice::audit {
namespace {

/// All pages, each asked for by what the one before said.
Found by_pages(const fs::path& directory, const RecordQuery& query, std::size_t limit) {
  Found out;
  std::optional<SearchMark> mark;
  for (bool has_more = true; has_more;) {
    const auto page = search_page(directory, query, mark, limit);
    REQUIRE(page);
    REQUIRE(page->records.size() <= limit);
    out.insert(out.end(), page->records.begin(), page->records.end());
    has_more = page->has_more;
    REQUIRE((!has_more || page->records.size() == limit));
    if (!page->next) return out;
    // As it comes back over the wire.
    mark = SearchMark::parse(page->next->text());
    REQUIRE(mark);
  }
  return out;
}

RecordQuery of_subject(std::string subject) {
  RecordQuery query;
  query.subject = std::move(subject);
  return query;
}

}  // namespace

TEST_CASE_METHOD(ManySegments, "Pages together are what a search finds, however long they are") {
  for (const std::size_t limit : {1UL, 2UL, 7UL, 64UL, 5'000UL}) {
    for (int i = 0; i < (limit < 7 ? 4 : 20); ++i) {
      const RecordQuery query = random_query();
      INFO(limit << " " << i);
      CHECK(by_pages(options.directory, query, limit) == by_reading(query));
    }
  }
}

TEST_CASE_METHOD(ManySegments, "An outcome is found on a later page than its intent") {
  const RecordQuery query = of_subject("ann");
  std::size_t pages_between = 0;
  auto page = search_page(options.directory, query, std::nullopt, 1);
  REQUIRE(page);
  while (page->has_more) {
    if (page->next->reread < page->next->shown) ++pages_between;
    page = search_page(options.directory, query, page->next, 1);
    REQUIRE(page);
  }
  CHECK(pages_between > 10);
}

TEST_CASE_METHOD(ManySegments, "Pages that are cut short come to the same end") {
  const RecordQuery query = of_subject("ann");
  Found found;
  std::optional<SearchMark> mark;
  for (int pages = 0;; ++pages) {
    REQUIRE(pages < 5'000);
    int looks = 0;
    const auto page =
        search_page(options.directory, query, mark, 100, [&looks] { return ++looks <= 3; });
    REQUIRE(page);
    found.insert(found.end(), page->records.begin(), page->records.end());
    mark = page->next;
    if (!page->has_more) break;
  }
  CHECK(found == by_reading(query));
}

TEST_CASE_METHOD(ManySegments, "Behind the last page is what comes later") {
  const RecordQuery query = of_subject("zoe");
  const auto before = search_page(options.directory, query, std::nullopt, 10);
  REQUIRE(before);
  CHECK(before->records.empty());
  CHECK_FALSE(before->has_more);
  REQUIRE(before->next);

  const auto last = search_page(options.directory, RecordQuery{}, std::nullopt, 100'000);
  REQUIRE(last);
  CHECK_FALSE(last->has_more);
  {
    const auto log = open();
    Record record;
    record.time.wall = {static_cast<std::int64_t>(begin_ns + 1)};
    record.subject = "zoe";
    record.ruling = RulingKind::deny;
    REQUIRE(log->worker(0).append_single(record));
  }
  // Whoever found nothing does not look through all of it again.
  CHECK(search_page(options.directory, query, before->next, 10)->records.size() == 1);
  int looks = 0;
  const auto counted = [&looks] { return ++looks > 0; };
  REQUIRE(search_page(options.directory, RecordQuery{}, before->next, 10, counted));
  CHECK(looks < 10);

  const auto found = search_page(options.directory, query, last->next, 10);
  REQUIRE(found);
  CHECK(found->records.size() == 1);
  CHECK(by_pages(options.directory, query, 10).size() == 1);
  // Asked again, the same page is there again, and behind it nothing.
  const auto behind = search_page(options.directory, query, found->next, 10);
  REQUIRE(behind);
  CHECK(behind->records.empty());
  CHECK(behind->next->text() == found->next->text());
}

TEST_CASE("A mark is read back as it was written, and nothing else is one") {
  for (const char* const text : {"1.0", "17.4096", "3.512~17.4096", "3.512~3.513"}) {
    INFO(text);
    const auto mark = SearchMark::parse(text);
    REQUIRE(mark);
    CHECK(mark->text() == text);
  }
  for (const char* const text :
       {"", ".", "1", "1.", ".1", "1.2.3", "-1.2", "1.-2", "1.2~", "~1.2", "1.2~1.3~1.4", "1.2 ",
        "0x1.2", "1.2~1", "99999999999999999999.1"}) {
    INFO(text);
    CHECK_FALSE(SearchMark::parse(text));
  }
}

}  // namespace sluice::audit
