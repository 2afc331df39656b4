// What recordings there are, while they come, end and go.
#include "recordings/catalog.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "fixture.h"

namespace sluice::recordings {
namespace {

namespace fs = std::filesystem;

/// A folder with files that look like recordings.
class Shelf {
 public:
  void add(const std::string& folder, const std::vector<ChunkFile>& chunks) {
    fs::create_directories(path() / folder);
    for (const ChunkFile& chunk : chunks) {
      std::ofstream(path() / folder / chunk_name(chunk)) << "chunk " << chunk.chunk;
    }
  }
  [[nodiscard]] fs::path path() const { return folder_.path() / "recordings"; }
  [[nodiscard]] Catalog catalog() const { return Catalog(path()); }
  [[nodiscard]] CatalogPage list(const CatalogQuery& query) const {
    return test::must(catalog().list(query, [] { return true; }));
  }
  [[nodiscard]] std::vector<std::string> names(CatalogQuery query) const {
    query.limit = 100;
    std::vector<std::string> out;
    for (const RecordingSummary& one : list(query).recordings) out.push_back(one.name);
    return out;
  }

 private:
  test::TemporaryFolder folder_;
};

const std::string a = "00000000000000aa-1-1";
const std::string b = "00000000000000aa-2-1";
const std::string c = "00000000000000aa-3-1";
const std::string d = "00000000000000aa-4-1";

class Filled : public Shelf {
 public:
  Filled() {
    add(a, {{1, {100}, {200}}, {2, {200}, {300}}});
    add(b + ".open", {{1, {500}, {600}}});
    add(c + ".open", {});
    add(d, {{1, {700}, {800}}});
    add(d + "x", {});
    add("00000000000000aa-9-1.removed", {{1, {1}, {2}}});
    std::ofstream(path() / a / "00000003-0000000000000000300-0000000000000000400.age.part") << "x";
  }
};

std::string all_of(ChunkStream stream) {
  std::string out;
  while (const auto piece = stream.next()) out += *piece;
  return out;
}

}  // namespace

TEST_CASE_METHOD(Filled, "Recordings are listed by name, with what is there of them") {
  const auto all = list({.limit = 100}).recordings;
  REQUIRE(all.size() == 4);
  CHECK(all[0].name == a);
  CHECK_FALSE(all[0].is_open);
  CHECK(all[0].chunks == 2);
  CHECK(all[0].bytes == 14);
  CHECK(all[0].first == WallTime{100});
  CHECK(all[0].last == WallTime{300});
  CHECK(all[1].name == b);
  CHECK(all[1].is_open);
  CHECK(all[2].name == c);
  CHECK_FALSE(all[2].first);
  CHECK(all[3].name == d);
  CHECK(Catalog(path() / "nowhere").list({}, [] { return true; })->recordings.empty());
}

TEST_CASE_METHOD(Filled, "Times leave out what was over before, or began later") {
  using Names = std::vector<std::string>;
  CHECK(names({.until = WallTime{500}}) == Names{a});
  CHECK(names({.until = WallTime{501}}) == Names{a, b});
  CHECK(names({.from = WallTime{300}}) == Names{a, b, c, d});
  // What is being made may have something of then.
  CHECK(names({.from = WallTime{301}}) == Names{b, c, d});
  CHECK(names({.from = WallTime{801}}) == Names{b, c});
  CHECK(names({.from = WallTime{301}, .until = WallTime{700}}) == Names{b});
}

TEST_CASE_METHOD(Filled, "Pages come to all of them, however short they are cut") {
  const bool has_time = GENERATE(true, false);
  std::vector<std::string> seen;
  std::string after;
  for (int pages = 0; pages < 10; ++pages) {
    const auto page =
        test::must(catalog().list({.after = after, .limit = 2}, [&] { return has_time; }));
    CHECK(page.recordings.size() <= (has_time ? 2 : 1));
    for (const RecordingSummary& one : page.recordings) seen.push_back(one.name);
    if (page.next.empty()) break;
    after = page.next;
  }
  CHECK(seen == std::vector{a, b, c, d});
  // A page that found nothing goes on behind what it looked at.
  const auto nothing =
      test::must(catalog().list({.limit = 2, .from = WallTime{400}}, [] { return false; }));
  CHECK(nothing.recordings.empty());
  CHECK(nothing.next == a);
}

TEST_CASE_METHOD(Filled, "A chunk is read by its number, and by nothing else") {
  CHECK(all_of(*test::must(catalog().open(a, 2))) == "chunk 2");
  CHECK(test::must(catalog().open(a, 2))->bytes() == 7);
  CHECK(all_of(*test::must(catalog().open(b, 1))) == "chunk 1");
  CHECK_FALSE(test::must(catalog().open(a, 3)));
  CHECK_FALSE(test::must(catalog().open(a, 0)));
  CHECK_FALSE(test::must(catalog().open("00000000000000aa-9-1", 1)));
  for (const char* const name :
       {"", ".", "..", "../recordings/00000000000000aa-1-1", "/etc", "00000000000000aa-1-1/",
        "00000000000000aa-2-1.open", "00000000000000aa-9-1.removed", "00000000000000aa-1-1\n"}) {
    CAPTURE(name);
    CHECK_FALSE(test::must(catalog().show(name)));
    CHECK_FALSE(test::must(catalog().open(name, 1)));
  }
}

TEST_CASE_METHOD(Filled, "A link in a chunk's place is not followed") {
  const fs::path secret = path().parent_path() / "secret";
  std::ofstream(secret) << "secret";
  fs::create_symlink(secret, path() / a / chunk_name({3, {300}, {400}}));
  CHECK_FALSE(catalog().open(a, 3));
}

TEST_CASE_METHOD(Shelf, "A chunk that is being read is read to its end when its recording goes") {
  const std::string large(1'000'000, 'x');
  add(a + ".open", {{1, {1}, {2}}});
  std::ofstream(path() / (a + ".open") / chunk_name({1, {1}, {2}})) << large;
  auto stream = *test::must(catalog().open(a, 1));
  std::string seen = *stream.next();
  CHECK(seen.size() < large.size());
  fs::rename(path() / (a + ".open"), path() / a);
  CHECK(test::must(catalog().open(a, 1)));
  fs::remove_all(path() / a);
  CHECK_FALSE(test::must(catalog().show(a)));
  CHECK(seen + all_of(std::move(stream)) == large);
}

TEST_CASE_METHOD(Shelf, "A chunk that is shorter than it was ends early") {
  add(a, {{1, {1}, {2}}});
  auto stream = *test::must(catalog().open(a, 1));
  fs::resize_file(path() / a / chunk_name({1, {1}, {2}}), 3);
  CHECK(stream.bytes() == 7);
  CHECK_FALSE(stream.next());
}

}  // namespace sluice::recordings
