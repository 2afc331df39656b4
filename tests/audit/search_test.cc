// A search with indexes finds what reading everything finds, whatever the indexes hold.
#include "audit/search.h"

#include <catch2/catch.hpp>

#include <chrono>
#include <thread>

#include "audit/compressed_segment.h"
#include "audit/index_writer.h"
#include "audit/segment.h"
#include "audit/segment_file.h"
#include "audit/upkeep.h"
#include "many_segments.h"

namespace sluice::audit {
namespace {

/// All of the same in a segment that is still in use, and indexed part by part.
class OneSegment : public ManySegments {
 public:
  OneSegment() : ManySegments(std::size_t{1} << 30) {
    IndexedParts done{.segment = 1};
    for (;;) {
      const auto more = write_index_part(options.directory, done, 16 << 10);
      REQUIRE(more);
      if (!*more) break;
      ends.push_back(done.end);
    }
  }
  [[nodiscard]] fs::path part(std::uint64_t number) const {
    return index_part_path(options.directory, 1, number);
  }
  void check_searches(int count) {
    for (int i = 0; i < count; ++i) {
      const RecordQuery query = random_query();
      REQUIRE(by_index(query) == by_reading(query));
    }
  }

  std::vector<std::uint64_t> ends;
};

RecordQuery of_subject(std::string_view subject) {
  RecordQuery query;
  query.subject = subject;
  return query;
}

}  // namespace

TEST_CASE_METHOD(ManySegments, "Random searches find with indexes what they find without") {
  REQUIRE(segments() > 8);
  std::size_t answers = 0;
  for (int i = 0; i < 300; ++i) {
    const RecordQuery query = random_query();
    const Found found = by_index(query);
    REQUIRE(found == by_reading(query));
    answers += found.empty() ? 0U : 1U;
  }
  CHECK(answers > 100);
  CHECK(notes.empty());
}

TEST_CASE_METHOD(ManySegments, "A record is found by the id that a refusal shows") {
  std::vector<RecordId> ids;
  REQUIRE(read_records(options.directory, 0, [&](std::uint64_t, ByteView bytes) {
    const auto record = *fields_of(bytes);
    ids.push_back({record.epoch, record.worker, record.sequence});
    return true;
  }));
  for (std::size_t i = 0; i < ids.size(); i += 97) {
    RecordQuery query;
    query.record = ids[i];
    const Found found = by_index(query);
    CHECK(found == by_reading(query));
    CHECK(found.size() <= 2);
  }
}

TEST_CASE_METHOD(ManySegments, "Whatever happens to an index, searches find the same") {
  const RecordQuery query = of_subject("ann");
  const Found expected = by_reading(query);
  REQUIRE(by_index(query) == expected);
  REQUIRE(fs::exists(index(2)));

  SECTION("It is deleted") {
    fs::remove_all(index(2).parent_path());
    CHECK(by_index(query) == expected);
    CHECK(notes.empty());
    CHECK(fs::exists(index(2)));
  }
  SECTION("Its bytes are flipped") {
    const std::string good = read_file(index(2));
    std::size_t noticed = 0;
    for (std::size_t byte = 0; byte < good.size(); byte += 41) {
      std::string bad = good;
      bad[byte] = static_cast<char>(bad[byte] ^ 0x10);
      write_file(index(2), bad);
      REQUIRE(by_index(query) == expected);
      noticed += notes.size();
      if (!notes.empty()) CHECK(read_file(index(2)) == good);
    }
    CHECK(noticed > 10);  // the other bytes are of lists that this search does not read
  }
  SECTION("It is cut") {
    const std::string good = read_file(index(2));
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{10}, good.size() / 2}) {
      write_file(index(2), good.substr(0, bytes));
      CHECK(by_index(query) == expected);
      CHECK(notes.size() == 1);
    }
  }
  SECTION("It is another segment's") {
    fs::copy_file(index(3), index(2), fs::copy_options::overwrite_existing);
    CHECK(by_index(query) == expected);
    CHECK(notes.size() == 1);
  }
  SECTION("It cannot be written") {
    fs::remove_all(index(2).parent_path());
    write_file(index(2).parent_path(), "a file where a folder should be");
    CHECK(by_index(query) == expected);
    CHECK(notes.size() == segments() - 1);
  }
}

TEST_CASE_METHOD(ManySegments, "A search ends when it is told to") {
  RecordFilter filter(of_subject("ann"));
  int found = 0;
  REQUIRE(
      search(options.directory, filter, {[&found](ByteView, RecordPlace) { return ++found < 3; }}));
  CHECK(found == 3);
}

TEST_CASE_METHOD(ManySegments, "Damage in a segment is told, not passed over") {
  write_byte(segment_path(options.directory, 2), 2'000, 0xff);
  RecordFilter filter{RecordQuery{}};
  const auto next = search(options.directory, filter, {[](ByteView, RecordPlace) { return true; }});
  REQUIRE_FALSE(next);
  CHECK(next.error().message.find("see sluice verify") != std::string::npos);
}

TEST_CASE_METHOD(ManySegments, "Upkeep indexes and compresses each sealed segment, and no other") {
  const RecordQuery query = of_subject("ann");
  const Found expected = by_reading(query);
  const std::uint64_t last = segments();
  {
    const Upkeep upkeep(options.directory);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (fs::exists(segment_path(options.directory, last - 1)) &&
           std::chrono::steady_clock::now() < deadline) {
      // Whatever it is at.
      REQUIRE(segments() == last);
      REQUIRE(by_index(query) == expected);
    }
  }
  for (std::uint64_t segment = 1; segment <= last; ++segment) {
    const bool is_sealed = segment < last;
    const fs::path path = segment_path(options.directory, segment);
    CHECK(fs::exists(index(segment)) == is_sealed);
    CHECK(fs::exists(compressed_path(path)) == is_sealed);
    CHECK(fs::exists(path) != is_sealed);
  }
  CHECK(by_index(query) == expected);
  CHECK(by_reading(query) == expected);
}

TEST_CASE_METHOD(OneSegment,
                 "The segment in use is searched by its parts and what is behind them") {
  REQUIRE(segments() == 1);
  REQUIRE(ends.size() > 8);
  CHECK(ends.back() < *bytes_of_segment(segment_path(options.directory, 1)));
  check_searches(300);

  SECTION("and by reading where a part is damaged, missing or of another place") {
    const std::string good = read_file(part(3));
    for (std::size_t at = 0; at < good.size(); at += 211) {
      write_byte(part(3), at, static_cast<unsigned char>(good[at]) ^ 1U);
      check_searches(2);
      write_byte(part(3), at, static_cast<unsigned char>(good[at]));
    }
    fs::copy_file(part(4), part(3), fs::copy_options::overwrite_existing);
    check_searches(20);
    fs::remove(part(3));
    check_searches(20);
  }
  SECTION("and what is not committed yet has no index") {
    const auto log = open();  // Begins the next one.
    CHECK_FALSE(fs::exists(part(ends.size())));
    IndexedParts done{.segment = 2};
    CHECK(write_index_part(options.directory, done, 1 << 20).value() == false);
  }
  SECTION("until it is sealed") {
    { const auto log = open(); }
    REQUIRE(write_index(options.directory, 1));
    for (std::uint64_t number = 0; number < ends.size(); ++number) {
      CHECK_FALSE(fs::exists(part(number)));
    }
    check_searches(20);
  }
}

TEST_CASE_METHOD(ManySegments, "A compressed segment's index is made as any other") {
  const RecordQuery query = of_subject("eve");
  const Found expected = by_reading(query);
  REQUIRE(by_index(query) == expected);
  std::vector<std::string> indexes;
  const std::atomic<bool> stop = false;
  for (std::uint64_t segment = 1; segment < segments(); ++segment) {
    indexes.push_back(read_file(index(segment)));
    REQUIRE(compress_segment(real_disk(), segment_path(options.directory, segment), stop));
  }
  CHECK(by_index(query) == expected);  // with the indexes from before
  fs::remove_all(index(1).parent_path());
  CHECK(by_index(query) == expected);
  for (std::uint64_t segment = 1; segment < segments(); ++segment) {
    CHECK(read_file(index(segment)) == indexes[segment - 1]);
  }
}

}  // namespace sluice::audit
