// Recordings go when they are old or when somebody deletes them, not while they are being made
// or held; the log says so first, and only what it says may be missing.
#include "recordings/retention.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "fixture.h"

namespace sluice::recordings {
namespace {

namespace fs = std::filesystem;

const std::atomic<bool> never = false;
constexpr std::int64_t item_ns = 1'000'000'000'000;

/// A recording that is over, and what removes it.
class Shelf : public RecordingWorld {
 public:
  Shelf() {
    fs::create_directory(folder.path() / "log");
    record(sample_subject, 3);
  }

  void record(const Subject& subject, int chunks) {
    auto recorder = start();
    Feed& feed = recorder->feed(0);
    const Handle handle = feed.open(subject);
    const std::string text(900, 's');
    for (int i = 1; i <= chunks; ++i) {
      feed.add(handle, {ItemKind::statement, item_ns * i, 1, as_bytes(text)});
    }
    feed.close(handle);
    feed.finish();
  }
  std::unique_ptr<Retention> retention(Duration keep = seconds(10)) {
    return std::make_unique<Retention>(RetentionOptions{
        .directory = directory(),
        .keep = keep,
        .log = &log,
        .record = [this](const Event& event) -> Result<void> {
          CHECK(fs::exists(path()));  // Nothing goes before its record.
          if (!takes_records) return fail("the audit log cannot take a record");
          notes.push_back(
              {std::string(event.event), std::string(event.detail), std::string(event.recording)});
          sessions.push_back(event.session);
          return {};
        },
        .alarm = [this](std::string_view event, std::string_view) { alarms.emplace_back(event); },
        .discount = [this](const auto& removal) { freed += removal(); },
        .clock = [this]() -> Now {
          return {{now_ns}, {now_ns}};
        },
        .disk = disk});
  }
  [[nodiscard]] fs::path path() const { return directory() / sample_subject.recording; }
  void hold(std::uint64_t from_ns, std::uint64_t until_ns) {
    audit::LegalHold wanted;
    wanted.from_ns = from_ns;
    wanted.until_ns = until_ns;
    wanted.reason = "case 17";
    REQUIRE(log.add_legal_hold(wanted, "user 7"));
  }

  std::int64_t now_ns = item_ns * 1'000;
  bool takes_records = true;
  std::vector<std::uint64_t> sessions;
  std::vector<std::string> alarms;
  std::uint64_t freed = 0;
  audit::Retention log{{.directory = folder.path() / "log",
                        .keep = [] { return std::nullopt; },
                        .followers = [] { return std::vector<audit::LogFollower>(); },
                        .record = [](auto, auto) { return Result<void>(); },
                        .alarm = [](auto, auto) {},
                        .clock = [] { return Now{}; }}};
};

}  // namespace

TEST_CASE_METHOD(Shelf, "A recording goes when its last item is old enough, and a record says so") {
  const std::uint64_t bytes = bytes_in(path());
  auto retention = this->retention(seconds(10));
  now_ns = 3 * item_ns + seconds(10).ns;
  retention->pass(never);
  CHECK(count(removed_event) == 0);  // Not older, but as old.
  now_ns += seconds(1).ns;
  retention->pass(never);
  REQUIRE(count(removed_event) == 1);
  CHECK_FALSE(fs::exists(path()));
  CHECK(fs::is_empty(directory()));
  CHECK(freed == bytes);
  CHECK(retention->status().removed == 1);
  CHECK(sessions == std::vector{sample_subject.session});
  const Noted& note = notes.back();
  CHECK(note.recording == sample_subject.recording);
  const auto parsed = parse_removal_note(note.detail);
  REQUIRE(parsed);
  CHECK(*parsed == RemovalNote{3, bytes, {item_ns}, {3 * item_ns}});
  CHECK(note.detail.ends_with("; older than 10 s (recordings.retention.keep)"));
  const CheckReport report = check();
  CHECK(report.fault.empty());
  CHECK(report.removed == 1);
  CHECK(report.chunks == 0);
}

TEST_CASE_METHOD(Shelf, "What is removed without a record is missing") {
  fs::remove_all(path());
  CHECK(check().fault == "the chunk is missing");
}

TEST_CASE_METHOD(Shelf, "What was missing before does not pass for removed") {
  const auto chunks = test::must(list_chunks(path()));
  fs::remove(path() / chunk_name(chunks.back()));
  retention()->pass(never);
  REQUIRE(count(removed_event) == 1);
  CHECK(check().fault.starts_with("it had 3 chunks of "));
}

TEST_CASE_METHOD(Shelf,
                 "A legal hold keeps a recording of its time, from retention and from people") {
  hold(2 * item_ns, 2 * item_ns + 1);
  auto retention = this->retention();
  retention->pass(never);
  CHECK(fs::exists(path()));
  CHECK(retention->status().held == 1);
  const auto deleted = retention->remove(sample_subject.recording, "request 88", "user 7");
  REQUIRE_FALSE(deleted);
  CHECK(deleted.error().message.ends_with("is under a legal hold"));
  CHECK(count(removed_event) == 0);

  REQUIRE(log.release_legal_hold(1, "user 7"));
  now_ns += seconds(10).ns;
  retention->pass(never);
  CHECK_FALSE(fs::exists(path()));
  CHECK(retention->status().held == 0);
}

TEST_CASE_METHOD(Shelf, "Holds that cannot be read keep everything") {
  auto retention = this->retention();
  std::ofstream(folder.path() / "log" / audit::legal_holds_name) << "scribble";
  retention->pass(never);
  CHECK(fs::exists(path()));
  CHECK(alarms == std::vector<std::string>{"retention-failed"});
  CHECK(retention->status().failures == 1);
}

TEST_CASE_METHOD(Shelf, "Somebody deletes a recording, young as it is, for a reason") {
  now_ns = item_ns;
  auto retention = this->retention();
  for (const std::string& reason :
       {std::string(), std::string("two\nlines"), std::string(201, 'x')}) {
    CHECK_FALSE(retention->remove(sample_subject.recording, reason, "user 7"));
  }
  CHECK_FALSE(retention->remove("../log", "request 88", "user 7"));
  CHECK_FALSE(retention->remove("00000000000000ff-8-1", "request 88", "user 7"));
  REQUIRE(count(removed_event) == 0);
  REQUIRE(retention->remove(sample_subject.recording, "request 88", "user 7")->chunks == 3);
  CHECK_FALSE(fs::exists(path()));
  CHECK(notes.back().detail.ends_with("; by user 7: request 88"));
  CHECK(check().removed == 1);
  CHECK_FALSE(retention->remove(sample_subject.recording, "request 88", "user 7"));
}

TEST_CASE_METHOD(Shelf, "A recording that is being made stays") {
  auto open = path();
  open += open_suffix;
  fs::rename(path(), open);
  auto retention = this->retention();
  retention->pass(never);
  const auto deleted = retention->remove(sample_subject.recording, "request 88", "user 7");
  REQUIRE_FALSE(deleted);
  CHECK(deleted.error().message.ends_with("its session must end first"));
  CHECK(fs::exists(open));
}

TEST_CASE_METHOD(Shelf, "Without its record nothing goes, and it is tried again") {
  takes_records = false;
  auto retention = this->retention();
  retention->pass(never);
  CHECK(fs::exists(path()));
  now_ns += seconds(10).ns;
  retention->pass(never);
  CHECK(alarms.size() == 1);
  takes_records = true;
  now_ns += seconds(10).ns;
  retention->pass(never);
  CHECK_FALSE(fs::exists(path()));
}

TEST_CASE_METHOD(Shelf,
                 "Wherever a removal ends, what is there verifies, and the next start ends it") {
  // The record, and then a kill.
  auto aside = folder.path() / "aside";
  fs::copy(path(), aside, fs::copy_options::recursive);
  retention()->pass(never);
  REQUIRE(count(removed_event) == 1);
  SECTION("before the name") {
    fs::copy(aside, path(), fs::copy_options::recursive);
    CHECK(check().fault.empty());
    CHECK(check().chunks == 3);
    fs::remove(path() / chunk_name(test::must(list_chunks(path()))[1]));
    CHECK(check().fault == "the chunk is missing");  // It was not the gateway that did that.
  }
  SECTION("among the files") {
    auto gone = path();
    gone += removed_suffix;
    fs::copy(aside, gone, fs::copy_options::recursive);
    fs::remove(gone / chunk_name(test::must(list_chunks(gone))[1]));
    CHECK(check().fault.empty());
    CHECK(check().removed == 1);
    start();  // It is a folder of the gateway's own.
    retention()->pass(never);
    CHECK_FALSE(fs::exists(gone));
    CHECK(count(removed_event) == 1);
  }
}

TEST_CASE_METHOD(Shelf, "Recordings have a folder of their own") {
  fs::create_directory(directory() / "lost+found");
  start();
  std::ofstream(directory() / "payroll.db") << "mine";
  const auto started = Recorder::start(options());
  REQUIRE_FALSE(started);
  CHECK(started.error().message.starts_with(
      "recordings need a folder of their own: 'payroll.db' in "));
}

}  // namespace sluice::recordings
