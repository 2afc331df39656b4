// Segments go when they are old, not before and not when somebody needs them; what is left
// proves itself, also where whatever interrupted the removal; and nothing else passes for it.
#include "audit/retention.h"

#include <catch2/catch.hpp>

#include <algorithm>

#include "audit/checkpoint.h"
#include "audit/consistency.h"
#include "audit/search.h"
#include "audit/segment_reader.h"
#include "faulty_disk.h"
#include "log_fixture.h"

namespace sluice::audit {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t begin_ns = 1'790'000'000'000'000'000;
const std::atomic<bool> never = false;

/// A log whose records are a second apart, and what removes segments from it.
class OldLog : public LogFolder {
 public:
  OldLog() {
    options.segment_bytes = std::size_t{4} << 10;
    options.has_thread = false;
    log = open();
    fill(200);
  }

  /// Batches of three, each with its checkpoint.
  void fill(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      ++now_s;
      Record record = sample_intent(now_s);
      record.time.wall.ns = time_ns(now_s);
      const std::string resource = "/accounts/" + std::to_string(now_s) + "/";
      record.resource = resource;
      REQUIRE(log->worker(0).append_single(record));
      if (i % 3 == 2) commit();
    }
    commit();
  }
  void commit() {
    log->turn();
    notes.push_back(read_file(options.directory / "checkpoint"));
  }

  [[nodiscard]] RetentionOptions retention_options(Disk* disk = nullptr) {
    return {
        .directory = options.directory,
        .keep = [this] { return keep; },
        .followers = [this] { return followers; },
        .record = [this](std::string_view event,
                         std::string_view detail) { return note(event, detail); },
        .alarm = [this](std::string_view event, std::string_view) { alarms.emplace_back(event); },
        .clock = [this]() -> Now {
          return {{++ticks * 3'600'000'000'000}, {time_ns(now_s)}};
        },
        .disk = disk};
  }
  Result<void> note(std::string_view event, std::string_view detail) {
    if (!may_record) return fail("the log is full");
    Record record;
    record.phase = Phase::control;
    record.time.wall.ns = time_ns(now_s);
    record.event = event;
    record.detail = detail;
    const auto sequence = log->control().append_single(record);
    commit();
    if (log->control().durable_through() < *sequence) return fail("not durable");
    return {};
  }

  void pass() { Retention(retention_options()).pass(never); }

  [[nodiscard]] static std::int64_t time_ns(std::uint64_t second) {
    return begin_ns + static_cast<std::int64_t>(second) * 1'000'000'000;
  }
  [[nodiscard]] fs::path segment(std::uint64_t number) const {
    return segment_path(options.directory, number);
  }
  [[nodiscard]] std::uint64_t segments() const { return *count_segments(options.directory); }
  [[nodiscard]] bool is_removed(std::uint64_t number) const {
    return fs::exists(stand_in_path(segment(number))) && !fs::exists(segment(number));
  }
  [[nodiscard]] std::uint64_t removed() const {
    std::uint64_t count = 0;
    for (std::uint64_t i = 1; i <= segments(); ++i) count += is_removed(i) ? 1U : 0U;
    return count;
  }
  /// Whether any file of the log has it; rings keep what they had for a while.
  [[nodiscard]] bool holds(std::string_view text) const {
    return std::any_of(fs::recursive_directory_iterator(options.directory), {},
                       [text](const fs::directory_entry& entry) {
                         return entry.is_regular_file() &&
                                !entry.path().filename().string().starts_with("ring-") &&
                                read_file(entry.path()).find(text) != std::string::npos;
                       });
  }
  [[nodiscard]] std::string fault() const { return verify_with_key().fault; }

  std::unique_ptr<Log> log;
  std::optional<Duration> keep = seconds(100);
  std::vector<LogFollower> followers;
  std::vector<std::string> alarms;
  std::vector<std::string> notes;  ///< Each checkpoint there was.
  std::uint64_t now_s = 0;
  std::int64_t ticks = 0;
  bool may_record = true;
};

}  // namespace

TEST_CASE_METHOD(OldLog, "What is too old goes, and what is left proves all that was ever signed") {
  const std::uint64_t records = verify_with_key().records;
  pass();
  const VerifyReport report = verify_with_key();
  INFO(report.fault << " at " << report.where);
  REQUIRE(report.ok);
  REQUIRE(removed() >= 3);
  CHECK(report.removals.size() == removed());
  CHECK(report.records == records + removed());
  CHECK(report.removals.front().first_record == 0);
  CHECK(alarms.empty());

  // Nothing of what they said is left; what is younger than 100 s is.
  CHECK_FALSE(holds("/accounts/20/"));
  CHECK(holds("/accounts/101/"));
  const std::vector<std::string> left = this->records();
  CHECK(std::ranges::count_if(left, [](const std::string& json) {
          return json.find("\"resource\"") != std::string::npos;
        }) >= 100);
  CHECK(left.front().find("\"resource\":\"/accounts/") != std::string::npos);

  // Every checkpoint that somebody may have kept is still a state of this log.
  for (const std::string& note : notes) {
    const auto seen = verify(options.directory, verifier, {}, note);
    REQUIRE(seen);
    INFO(note << seen->fault);
    CHECK(seen->ok);
    const auto checkpoint = parse_checkpoint(note)->checkpoint;
    const auto proof = prove_consistency(options.directory, checkpoint.size, report.records);
    REQUIRE(proof);
    const Checkpoint newest = parse_checkpoint(notes.back())->checkpoint;
    CHECK(is_consistent({checkpoint.size, checkpoint.root}, {newest.size, newest.root},
                        proof->hashes));
  }
}

TEST_CASE_METHOD(OldLog, "A search passes removed records over and finds what stands for them") {
  pass();
  const auto found = [this](const RecordQuery& query) {
    std::vector<std::string> out;
    RecordFilter filter(query);
    REQUIRE(search(options.directory, filter, {[&out](ByteView record, RecordPlace) {
                     out.push_back(*to_json(record));
                     return true;
                   }}));
    return out;
  };
  CHECK(found({}) == records());
  RecordQuery old;
  old.until_ns = static_cast<std::uint64_t>(time_ns(30));
  CHECK(found(old).empty());
  RecordQuery subject;
  subject.subject = "service:billing";
  CHECK(found(subject).size() >= 100);
}

TEST_CASE_METHOD(OldLog, "Without a limit, or where the log takes no record, nothing goes") {
  keep.reset();
  pass();
  CHECK(removed() == 0);
  keep = seconds(100);
  may_record = false;
  Retention retention(retention_options());
  retention.pass(never);
  CHECK(removed() == 0);
  CHECK(retention.status().failures > 0);
  CHECK(alarms == std::vector<std::string>{"retention-failed"});
  CHECK(fault().empty());
  may_record = true;
  retention.pass(never);
  CHECK(removed() > 0);
}

TEST_CASE_METHOD(OldLog, "The segment in use stays, however old") {
  now_s += 10'000;
  const std::uint64_t before = segments();
  pass();
  CHECK(removed() == before - 1);
  CHECK(fault().empty());
  log.reset();
  log = open();
  CHECK(verify_with_key().ok);
}

TEST_CASE_METHOD(OldLog, "A legal hold keeps what retention would remove, until its release") {
  Retention retention(retention_options());
  LegalHold wanted;
  wanted.from_ns = static_cast<std::uint64_t>(time_ns(30));
  wanted.until_ns = static_cast<std::uint64_t>(time_ns(40));
  wanted.reason = "case 17";
  const auto hold = retention.add_legal_hold(wanted, "user 7");
  REQUIRE(hold);
  CHECK(records().back().find("legal hold 1 by user 7, from 2026-09-21") != std::string::npos);
  retention.pass(never);
  CHECK(removed() >= 2);
  CHECK_FALSE(holds("/accounts/1/"));
  CHECK(holds("/accounts/35/"));
  CHECK(retention.status().held_segments >= 1);
  CHECK(verify_with_key().removals.size() == removed());
  CHECK(fault().empty());

  // It is there after a restart, too.
  CHECK(Retention(retention_options()).legal_holds()->list == std::vector{*hold});
  CHECK_FALSE(retention.release_legal_hold(7, "user 7"));
  const std::uint64_t before = removed();
  REQUIRE(retention.release_legal_hold(hold->id, "user 7"));
  retention.pass(never);
  CHECK(removed() > before);
  CHECK_FALSE(holds("/accounts/35/"));
  CHECK(retention.status().held_segments == 0);
  CHECK(fault().empty());
}

TEST_CASE_METHOD(OldLog,
                 "A hold that the log does not take is not in force, and no number comes twice") {
  Retention retention(retention_options());
  LegalHold wanted;
  wanted.reason = "why";
  may_record = false;
  CHECK_FALSE(retention.add_legal_hold(wanted, "user 7"));
  CHECK(retention.legal_holds()->list.empty());
  may_record = true;
  CHECK(retention.add_legal_hold(wanted, "user 7")->id == 1);
  CHECK(retention.release_legal_hold(1, "user 7"));
  CHECK(retention.add_legal_hold(wanted, "user 7")->id == 2);
  for (const char* reason : {"", "two\nlines", "\xff"}) {
    wanted.reason = reason;
    CHECK_FALSE(retention.add_legal_hold(wanted, "user 7"));
  }
  wanted.reason = std::string(legal_hold_reason_bytes_max, 'x');
  wanted.until_ns = 0;
  CHECK_FALSE(retention.add_legal_hold(wanted, "user 7"));
  wanted.until_ns = 1;
  for (std::size_t i = 1; i < legal_holds_max; ++i)
    CHECK(retention.add_legal_hold(wanted, "user 7"));
  CHECK_FALSE(retention.add_legal_hold(wanted, "user 7"));
  CHECK(retention.legal_holds()->list.size() == legal_holds_max);
}

TEST_CASE_METHOD(OldLog, "Legal holds that cannot be read keep everything") {
  const fs::path file = options.directory / "legal-holds";
  for (const char* content : {"", "sluice-legal-holds1", "sluice-legal-holds1\n1\n1 0 9 why\n",
                              "sluice-legal-holds1\n2\n1 0 9 why"}) {
    write_file(file, content);
    pass();
    CHECK(removed() == 0);
  }
  fs::remove(file);
  pass();
  CHECK(removed() > 0);
}

TEST_CASE_METHOD(OldLog, "What an export has not passed stays, and somebody is told") {
  followers = {{"quick", 1'000'000}, {"slow", 10}};
  Retention retention(retention_options());
  retention.pass(never);
  retention.pass(never);
  CHECK(removed() == 0);
  CHECK(retention.status().awaited_segments >= 3);
  CHECK(alarms == std::vector<std::string>{"retention-waits"});
  // Up to the segment's end is not enough: the cursor is checked by the record before it.
  followers[1].next = read_header(segment(2))->first_record;
  retention.pass(never);
  CHECK(removed() == 0);
  ++followers[1].next;
  retention.pass(never);
  CHECK(removed() == 1);
  followers.clear();
  retention.pass(never);
  CHECK(removed() >= 3);
  CHECK(retention.status().awaited_segments == 0);
}

TEST_CASE_METHOD(OldLog, "Records of removals and holds outlive the segments that they are in") {
  LegalHold wanted;
  wanted.reason = "case 17";
  Retention retention(retention_options());
  wanted.until_ns = 1;
  REQUIRE(retention.add_legal_hold(wanted, "user 7"));
  retention.pass(never);
  const std::uint64_t first = removed();
  fill(400);
  retention.pass(never);
  REQUIRE(removed() > first + 3);
  CHECK(holds("case 17"));
  const VerifyReport report = verify_with_key();
  INFO(report.fault << " at " << report.where);
  CHECK(report.ok);
  CHECK(report.removals.size() == removed());
  // The first removal's own record is in a segment that went.
  CHECK(report.removals.front().named_by < report.removals.back().first_record);
}

TEST_CASE(
    "What says that a log stands behind another outlives its segment, an operation does not") {
  RecordFields fields;
  fields.phase = static_cast<std::uint64_t>(Phase::discontinuity);
  CHECK(outlives_segment(fields));
  fields.phase = static_cast<std::uint64_t>(Phase::intent);
  CHECK_FALSE(outlives_segment(fields));
}

TEST_CASE_METHOD(OldLog, "A segment that does not add up is kept, to be looked at") {
  write_byte(segment(1), 600, 0xff);
  const std::string before = read_file(segment(1));
  pass();
  CHECK(read_file(segment(1)) == before);
  CHECK(alarms == std::vector<std::string>{"retention-failed"});
  CHECK_FALSE(is_removed(1));
}

TEST_CASE_METHOD(OldLog, "A removal that no record names is refused") {
  pass();
  const std::uint64_t next = removed() + 1;
  REQUIRE(draft_stand_in(real_disk(), options.directory, next, never));
  REQUIRE(place_stand_in(real_disk(), options.directory, next));
  CHECK(fault().find("were removed, and no record says so") != std::string::npos);

  SECTION("also where one says so that no checkpoint signs") {
    StandIn stand_in{next,
                     read_header(segment(next))->first_record,
                     read_header(segment(next + 1))->first_record,
                     {},
                     {}};
    Tree tree;
    const auto header = *read_header(segment(next + 1));
    REQUIRE(Tree::from_frontier(header.first_record, header.frontier, tree));
    stand_in.root = tree.root();
    stand_in.digest = *digest_of_stand_in(options.directory, next);
    const std::string last = read_file(segment(segments()));
    REQUIRE(note("segment-removed", name_of(stand_in) + "; of our own accord"));
    CHECK(fault().empty());
    // Without the commit behind it.
    const fs::path path = segment(segments());
    const std::string now = read_file(path);
    const std::string tail = last.size() < now.size() ? now.substr(last.size()) : now;
    write_file(path, now.substr(0, now.size() - 40));
    write_file(options.directory / "checkpoint", notes[notes.size() - 2]);
    CHECK(fault().find("were removed, and no record says so") != std::string::npos);
  }
  SECTION("and so is a segment that is just missing") {
    fs::remove(stand_in_path(segment(next)));
    CHECK(fault().find("is missing") != std::string::npos);
  }
}

TEST_CASE_METHOD(OldLog, "Each changed byte of what stays is found") {
  pass();
  const fs::path path = stand_in_path(segment(2));
  const std::string good = read_file(path);
  for (std::size_t at = 0; at < good.size(); at += 7) {
    write_byte(path, at, static_cast<unsigned char>(good[at]) ^ 0x10U);
    INFO("byte " << at);
    CHECK_FALSE(verify_with_key().ok);
    write_byte(path, at, static_cast<unsigned char>(good[at]));
  }
  write_file(path, good.substr(0, good.size() / 2));
  CHECK_FALSE(verify_with_key().ok);
  // Under a segment's own name it is damage.
  write_file(segment(2), good);
  CHECK_FALSE(verify_with_key().ok);
}

TEST_CASE_METHOD(OldLog, "A start whose checkpoint is older than a removal goes on") {
  pass();
  log.reset();
  write_file(options.directory / "checkpoint", notes[1]);
  log = open();
  fill(3);
  CHECK(fault().empty());
  CHECK(verify_with_key().removals.size() == removed());
}

TEST_CASE("A removal that is interrupted at any operation is undone or ended by the next start") {
  for (const bool is_power_cut : {false, true}) {
    for (std::uint64_t at = 1;; ++at) {
      INFO("operation " << at << (is_power_cut ? ", power cut" : ", kill"));
      OldLog old;
      FaultyDisk disk(at, FaultyDisk::Fault::stopped);
      Retention(old.retention_options(&disk)).pass(never);
      std::mt19937_64 random(at);
      if (is_power_cut) disk.cut_power(random);
      const VerifyReport torn = old.verify_with_key();
      INFO(torn.fault << " at " << torn.where);
      CHECK(torn.ok);
      CHECK(old.segments() >= 8);
      old.log.reset();
      old.log = old.open();
      old.pass();
      CHECK(old.fault().empty());
      CHECK(old.removed() >= 3);
      for (std::uint64_t i = 1; i <= old.removed(); ++i) CHECK(old.is_removed(i));
      if (!disk.has_failed()) break;
    }
  }
}

TEST_CASE_METHOD(OldLog, "A segment that came back with the power beside its stand-in goes again") {
  const std::string first = read_file(segment(1));
  pass();
  write_file(segment(1), first);
  CHECK(verify_with_key().ok);
  pass();
  CHECK(is_removed(1));
  CHECK(verify_with_key().ok);
}

}  // namespace sluice::audit
