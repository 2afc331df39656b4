// Every way to change, cut or take away a chunk is noticed.
#include "recordings/check.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "fixture.h"

namespace sluice::recordings {
namespace {

/// A small recording of three chunks that is over.
void make_recording(RecordingWorld& world) {
  auto recorder = world.start();
  Feed& feed = recorder->feed(0);
  const Handle handle = feed.open(sample_subject);
  const std::string text(900, 's');
  for (int i = 1; i <= 3; ++i) {
    feed.add(handle, {ItemKind::statement, i * 1'000'000'000LL, 1, as_bytes(text)});
  }
  feed.close(handle);
  feed.finish();
  recorder.reset();
  REQUIRE(world.count(chunk_event) == 3);
  REQUIRE(world.check().fault.empty());
}

std::vector<std::filesystem::path> chunk_paths(const RecordingWorld& world) {
  const auto folder = world.directory() / sample_subject.recording;
  std::vector<std::filesystem::path> out;
  for (const ChunkFile& chunk : test::must(list_chunks(folder))) {
    out.push_back(folder / chunk_name(chunk));
  }
  return out;
}

void write(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

TEST_CASE("Every changed bit of a chunk is noticed, by verify and by whoever opens it") {
  RecordingWorld world;
  make_recording(world);
  const auto identity = world.identity();
  for (const auto& path : chunk_paths(world)) {
    const auto whole = test::must(read_chunk(path));
    auto changed = whole;
    for (std::size_t bit = 0; bit < 8 * whole.size(); bit += 5) {
      changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      CHECK_FALSE(identity.open(changed).has_value());
      if (bit % 31 == 0) {
        write(path, changed);
        CHECK(world.check().fault == "the chunk is not the one that was recorded");
      }
      changed[bit / 8] = whole[bit / 8];
    }
    write(path, whole);
  }
  CHECK(world.check().fault.empty());
}

TEST_CASE("Every truncation of a chunk is noticed") {
  RecordingWorld world;
  make_recording(world);
  const auto path = chunk_paths(world)[1];
  const auto whole = test::must(read_chunk(path));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<std::uint8_t> cut(whole.begin(),
                                        whole.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_FALSE(world.identity().open(cut).has_value());
    if (size % 29 != 0) continue;
    write(path, cut);
    CHECK(world.check().fault == "the chunk is not the one that was recorded");
  }
}

TEST_CASE("A chunk that is missing, the last one too, added or swapped is noticed") {
  RecordingWorld world;
  make_recording(world);
  const auto paths = chunk_paths(world);
  const auto first = test::must(read_chunk(paths[0]));
  const auto last = test::must(read_chunk(paths[2]));
  SECTION("missing") {
    const std::size_t which = GENERATE(0U, 1U, 2U);
    std::filesystem::remove(paths[which]);
    CHECK(world.check().fault == "the chunk is missing");
  }
  SECTION("swapped") {
    write(paths[0], last);
    write(paths[2], first);
    CHECK(world.check().fault == "the chunk is not the one that was recorded");
    CHECK_FALSE(world.open().has_value());
  }
  SECTION("added") {
    write(paths[0].parent_path() / chunk_name({4, {1}, {2}}), last);
    CHECK(world.check().fault == "no record tells of the chunk");
  }
  SECTION("another recording") {
    const auto other = world.directory() / "00000000000000ff-8-1";
    std::filesystem::create_directory(other);
    write(other / paths[0].filename(), first);
    CHECK(world.check().fault == "no record tells of it");
  }
  SECTION("other times in the name") {
    std::filesystem::rename(paths[0], paths[0].parent_path() / chunk_name({1, {1}, {2}}));
    CHECK(world.check().fault == "the chunk's name has other times than its record");
  }
  SECTION("all") {
    std::filesystem::remove_all(paths[0].parent_path());
    CHECK(world.check().fault == "the chunk is missing");
  }
}

TEST_CASE("Records that do not follow one another are a fault") {
  RecordingWorld world;
  make_recording(world);
  SECTION("a chunk's record is gone") {
    world.notes.erase(world.notes.begin() + 1);
    CHECK(world.check().fault == "the record of chunk 3 does not follow the one before");
  }
  SECTION("the last chunk's record is gone") {
    world.notes.erase(world.notes.begin() + 2);
    CHECK(world.check().fault == "its end is not that of its last chunk");
  }
  SECTION("one is malformed") {
    world.notes[0].detail += " or so";
    CHECK(world.check().fault == "a record of a chunk is malformed");
  }
  SECTION("a chunk behind the end") {
    world.notes.push_back(world.notes[0]);
    CHECK_FALSE(world.check().fault.empty());
  }
}

TEST_CASE("Who has another identity opens nothing") {
  RecordingWorld world;
  make_recording(world);
  const auto other = test::must(audit::AgeIdentity::parse(
      "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"));
  const auto opened = other.open(test::must(read_chunk(chunk_paths(world)[0])));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message == "it is not encrypted to this identity");
}

}  // namespace sluice::recordings
