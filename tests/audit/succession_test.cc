// A log that is put aside, and what begins behind it.
#include "audit/succession.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "audit/legal_holds.h"
#include "audit/worker_log.h"
#include "log_fixture.h"

using namespace sluice;
using namespace sluice::audit;
namespace fs = std::filesystem;

namespace {

constexpr WallTime noon{1'790'000'000'000'000'000};

/// A key of another origin, named in the folder's options from now on.
Verifier change_key(LogFolder& folder, const std::string& origin) {
  folder.options.signing_key = folder.folder.path() / "second.key";
  folder.verifier = *create_signing_key(folder.options.signing_key, origin);
  return *Verifier::parse(folder.verifier);
}

void fill(const LogFolder& folder) {
  const auto log = folder.open();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    REQUIRE(log->worker(0).append_intent(sample_intent(i)));
    REQUIRE(log->worker(0).append_outcome(sample_outcome(i)));
  }
}

void damage(const LogFolder& folder) {
  const fs::path segment = folder.options.directory / "segment-00000001.log";
  write_byte(segment, read_file(segment).size() / 2, 0xAA);
}

std::map<std::string, std::string> files_of(const fs::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& file : fs::recursive_directory_iterator(directory)) {
    if (!file.is_regular_file() || file.path().filename() == "lock") continue;
    files[file.path().lexically_relative(directory).string()] = read_file(file.path());
  }
  return files;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("A damaged log is put aside as it lies, and the new one's first record says so") {
  LogFolder folder;
  fill(folder);
  damage(folder);
  const auto refused = folder.try_open();
  REQUIRE_FALSE(refused);
  CHECK(contains(refused.error().message, "sluice begin-epoch"));
  const auto before_files = files_of(folder.options.directory);

  const Verifier next = change_key(folder, "gateway.test/audit-2");
  const auto before = begin_epoch(folder.options.directory, next, "the disk failed", noon);
  REQUIRE(before);
  CHECK(before->place == "log.until-20260921T141320.000Z");
  CHECK(before->condition.starts_with("it does not add up: "));
  CHECK(files_of(folder.folder.path() / before->place) == before_files);

  { const auto log = folder.open(); }
  const auto report = folder.verify_with_key();
  CHECK(report.ok);
  const auto records = folder.records();
  REQUIRE(records.size() >= 2);
  for (const char* part :
       {R"("phase":"discontinuity")", R"("event":"epoch-began")", R"("reason":"the disk failed")",
        R"("resource":"log.until-20260921T141320.000Z")", R"("result":"it does not add up: )"}) {
    INFO(part);
    CHECK(contains(records.front(), part));
  }
  // Whoever has the old key can check up to where the old log went.
  CHECK(contains(records.front(), R"("detail":"gateway.test/audit\u000a)"));

  // Later starts go on, and say nothing of it again.
  { const auto log = folder.open(); }
  const auto all = folder.records();
  CHECK(std::count_if(all.begin(), all.end(), [](const std::string& record) {
          return contains(record, "discontinuity");
        }) == 1);
}

TEST_CASE("A log that adds up may end, too, for its key to change") {
  LogFolder folder;
  fill(folder);
  const std::string root = folder.verify_with_key().root_hex;
  const auto before = begin_epoch(folder.options.directory.string() + "/",
                                  change_key(folder, "second"), "yearly", noon);
  REQUIRE(before);
  CHECK(before->condition.starts_with("it adds up: "));
  CHECK(contains(before->condition, root));
  const auto known = predecessor_of(folder.options.directory);
  REQUIRE(known);
  REQUIRE(*known);
  CHECK((*known)->checkpoint == read_file(folder.folder.path() / before->place / "checkpoint"));
}

TEST_CASE("An epoch does not begin") {
  LogFolder folder;
  fill(folder);
  const fs::path& directory = folder.options.directory;
  std::string fault;
  SECTION("under the same origin") {
    fault = "under one origin there are no two logs";
    const Verifier same = change_key(folder, std::string(test_origin));
    const auto begun = begin_epoch(directory, same, "why", noon);
    REQUIRE_FALSE(begun);
    CHECK(contains(begun.error().message, fault));
  }
  SECTION("while a gateway has the log open") {
    const auto log = folder.open();
    const auto begun = begin_epoch(directory, change_key(folder, "second"), "why", noon);
    REQUIRE_FALSE(begun);
    CHECK(contains(begun.error().message, "in use by another gateway"));
  }
  SECTION("over records that a start would find in the rings") {
    write_file(directory / "ring-0", "left behind");
    const auto begun = begin_epoch(directory, change_key(folder, "second"), "why", noon);
    REQUIRE_FALSE(begun);
    CHECK(contains(begun.error().message, "start the gateway once more"));
  }
  SECTION("where there is no log") {
    const auto begun = begin_epoch(folder.folder.path(), change_key(folder, "second"), "why", noon);
    REQUIRE_FALSE(begun);
    CHECK(contains(begun.error().message, "there is no log"));
  }
  SECTION("without a reason in one line") {
    const Verifier next = change_key(folder, "second");
    for (const std::string& reason : {std::string(), std::string("a\nb"), std::string(1001, 'x')}) {
      CHECK_FALSE(begin_epoch(directory, next, reason, noon));
    }
  }
  CHECK(fs::exists(directory / "segment-00000001.log"));
  CHECK_FALSE(fs::exists(directory / "predecessor"));
  CHECK_FALSE(fs::exists(folder.folder.path() / "log.until-20260921T141320.000Z"));
}

TEST_CASE("Legal holds stay in force") {
  LogFolder folder;
  fill(folder);
  LegalHold hold;
  hold.id = 3;
  hold.reason = "case 17";
  const LegalHolds holds{4, {hold}};
  REQUIRE(write_legal_holds(real_disk(), folder.options.directory, holds));
  REQUIRE(begin_epoch(folder.options.directory, change_key(folder, "second"), "why", noon));
  CHECK(read_legal_holds(folder.options.directory) == holds);
}

TEST_CASE("A link to the directory goes on leading to the log in use") {
  LogFolder folder;
  fill(folder);
  const fs::path link = folder.folder.path() / "link";
  fs::create_directory_symlink(folder.options.directory, link);
  const auto before = begin_epoch(link, change_key(folder, "second"), "why", noon);
  REQUIRE(before);
  CHECK(before->place.starts_with("log.until-"));
  CHECK(fs::is_symlink(link));
  CHECK(fs::exists(link / "predecessor"));
  CHECK(fs::exists(folder.folder.path() / before->place / "segment-00000001.log"));
}

TEST_CASE("What is aside already is left alone") {
  LogFolder folder;
  fill(folder);
  const auto first = begin_epoch(folder.options.directory, change_key(folder, "second"), "1", noon);
  REQUIRE(first);
  fill(folder);
  const auto aside = files_of(folder.folder.path() / first->place);
  const auto now = files_of(folder.options.directory);
  folder.options.signing_key = folder.folder.path() / "third.key";
  const auto line = create_signing_key(folder.options.signing_key, "third");
  const auto again = begin_epoch(folder.options.directory, *Verifier::parse(*line), "2", noon);
  REQUIRE_FALSE(again);
  CHECK(contains(again.error().message, "is there already"));
  CHECK(files_of(folder.folder.path() / first->place) == aside);
  CHECK(files_of(folder.options.directory) == now);
}

TEST_CASE("Rings that a damaged log cannot take over lie with it, and the record says so") {
  LogFolder folder;
  fill(folder);
  damage(folder);
  write_file(folder.options.directory / "ring-0", "left behind");
  const auto before =
      begin_epoch(folder.options.directory, change_key(folder, "second"), "why", noon);
  REQUIRE(before);
  CHECK(before->condition.ends_with("; rings lie with it"));
  CHECK(read_file(folder.folder.path() / before->place / "ring-0") == "left behind");
}
