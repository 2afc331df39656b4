#include "recordings/recorder.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>

#include "fixture.h"

namespace sluice::recordings {
namespace {

/// Statements one to `count`, each at its second.
void record_statements(Feed& feed, const Handle& handle, int first, int count) {
  for (int i = first; i < first + count; ++i) {
    const std::string text = fmt::format("statement {} {}", i, std::string(90, '.'));
    feed.add(handle, {ItemKind::statement, i * 1'000'000'000LL, static_cast<std::uint64_t>(i),
                      as_bytes(text)});
  }
}

std::vector<std::uint64_t> operations(const RecordingWorld& world, WallTime from = {}) {
  std::vector<std::uint64_t> out;
  test::must(test::must(world.open(from)).read([&out](const Item& item) {
    out.push_back(item.operation);
    return true;
  }));
  return out;
}

}  // namespace

TEST_CASE("What is recorded reads back from any time on, and the log tells of every chunk") {
  RecordingWorld world;
  auto recorder = world.start();
  Feed& feed = recorder->feed(0);
  const Handle handle = feed.open(sample_subject);
  record_statements(feed, handle, 1, 40);
  feed.close(handle);
  feed.finish();
  recorder.reset();

  CHECK(world.count(chunk_event) >= 4);
  CHECK(world.count(closed_event) == 1);
  const CheckReport report = world.check();
  CHECK(report.fault.empty());
  CHECK(report.recordings == 1);
  CHECK(report.unfinished == 0);
  const auto all = operations(world);
  REQUIRE(all.size() == 40);
  CHECK(std::ranges::is_sorted(all));
  for (const int from : {1, 2, 17, 39, 40}) {
    const auto later = operations(world, {from * 1'000'000'000LL});
    CHECK(later.front() == static_cast<std::uint64_t>(from));
    CHECK(later.back() == 40);
  }
}

TEST_CASE("A chunk that begins within a result has the result's columns again") {
  RecordingWorld world;
  auto recorder = world.start();
  Feed& feed = recorder->feed(0);
  const Handle handle = feed.open(sample_subject);
  feed.add(handle, {ItemKind::columns, 1'000'000'000, 1, as_bytes("columns")});
  const std::string row(400, 'r');
  for (int i = 2; i < 20; ++i) {
    feed.add(handle, {ItemKind::messages, i * 1'000'000'000LL, 1, as_bytes(row)});
  }
  feed.close(handle);
  feed.finish();
  recorder.reset();

  std::vector<Item> seen;
  test::must(test::must(world.open({15'000'000'000})).read([&seen](const Item& item) {
    seen.push_back({item.kind, item.time_ns, item.operation, {}});
    return true;
  }));
  REQUIRE(seen.size() == 6);
  CHECK(seen[0].kind == ItemKind::columns);
  CHECK(seen[0].time_ns == 0);
  CHECK(seen[1].time_ns == 15'000'000'000);
  std::size_t columns = 0;
  test::must(test::must(world.open()).read([&columns](const Item& item) {
    columns += item.kind == ItemKind::columns ? 1 : 0;
    return true;
  }));
  CHECK(columns == 1);
}

TEST_CASE("A long item is cut, and its rest is not where a replay begins") {
  RecordingWorld world;
  auto recorder = world.start();
  Feed& feed = recorder->feed(0);
  const Handle handle = feed.open(sample_subject);
  const std::string long_row(300'000, 'x');
  feed.add(handle, {ItemKind::messages, 1'000'000'000, 1, as_bytes(long_row)});
  feed.add(handle, {ItemKind::messages, 2'000'000'000, 2, as_bytes("end")});
  feed.close(handle);
  feed.finish();
  recorder.reset();
  CHECK(world.check().fault.empty());
  std::string all;
  test::must(test::must(world.open()).read([&all](const Item& item) {
    if (item.operation == 1) all += as_text(item.content);
    return true;
  }));
  CHECK(all == long_row);
}

TEST_CASE("What a killed gateway left is finished by the next start, with records") {
  RecordingWorld world;
  {
    auto recorder = world.start();
    Feed& feed = recorder->feed(0);
    record_statements(feed, feed.open(sample_subject), 1, 40);
    feed.finish();
    recorder.reset();
  }
  // As if it had been killed behind its third chunk: that has a name and no record.
  const auto folder = world.directory() / sample_subject.recording;
  const auto chunks = test::must(list_chunks(folder));
  REQUIRE(chunks.size() >= 3);
  const bool has_record = GENERATE(true, false);
  std::size_t seen = 0;
  std::erase_if(world.notes, [&](const Noted& note) {
    if (note.event == chunk_event) ++seen;
    return note.event == closed_event ||
           (note.event == chunk_event && seen > (has_record ? 3U : 2U));
  });
  for (std::size_t i = 3; i < chunks.size(); ++i) {
    std::filesystem::remove(folder / chunk_name(chunks[i]));
  }
  std::filesystem::rename(folder, folder.string() + ".open");
  std::ofstream(folder.string() + ".open/00000004.age.part") << "torn";

  CHECK(world.check().fault.empty());
  CHECK(world.check().unfinished == 1);
  world.start().reset();
  const CheckReport report = world.check();
  CHECK(report.fault.empty());
  CHECK(report.chunks == 3);
  CHECK(report.unfinished == 0);
  CHECK(world.count(cut_event) == 1);
  CHECK_FALSE(std::filesystem::exists(folder / "00000004.age.part"));
  CHECK(operations(world).size() < 40);
}

TEST_CASE("Beyond max_bytes nothing new may begin, and what is under way is kept") {
  RecordingWorld world;
  world.bytes_max = 2'000;
  auto recorder = world.start();
  Feed& feed = recorder->feed(0);
  const Handle handle = feed.open(sample_subject);
  record_statements(feed, handle, 1, 40);
  feed.finish();
  world.await("recordings-full");
  CHECK(feed.state() == Intake::State::full);
  CHECK(feed.lives(handle));
  record_statements(feed, handle, 41, 10);
  feed.close(handle);
  feed.finish();
  recorder.reset();
  CHECK(world.check().fault.empty());
  CHECK(operations(world).size() == 50);
}

TEST_CASE("With on_full: stop a recording ends with a record beyond max_bytes") {
  RecordingWorld world;
  world.bytes_max = 2'000;
  world.stops_when_full = true;
  auto recorder = world.start();
  Feed& feed = recorder->feed(0);
  const Handle handle = feed.open(sample_subject);
  record_statements(feed, handle, 1, 40);
  feed.finish();
  world.await(stopped_event);
  CHECK(feed.state() == Intake::State::stopped);
  CHECK_FALSE(feed.lives(handle));
  record_statements(feed, handle, 41, 10);
  feed.close(handle);
  feed.finish();
  recorder.reset();
  CHECK(world.check().fault.empty());
  CHECK(operations(world).size() == 40);
}

}  // namespace sluice::recordings
