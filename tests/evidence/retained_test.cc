// A package of a log that retention has removed segments from.
#include <catch2/catch.hpp>

#include "audit/retention.h"
#include "base/timestamp.h"
#include "evidence/archive.h"
#include "evidence/package.h"
#include "log_fixture.h"
#include "made_package.h"

namespace sluice::evidence {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t begin_ns = 1'790'000'000 * second_ns;

std::string at(std::int64_t seconds) {
  return timestamp_text({begin_ns + seconds * second_ns}, 9);
}

/// Two hundred records, one a second, in small segments, of which the older half went.
struct RetainedLog : audit::LogFolder {
  RetainedLog() {
    options.segment_bytes = std::size_t{4} << 10;
    options.has_thread = false;
    log = open();
    for (std::int64_t second = 1; second <= 200; ++second) {
      audit::Record record = audit::sample_intent(1);
      record.time.wall.ns = begin_ns + second * second_ns;
      record.subject = second % 2 == 0 ? "ann" : "bob";
      REQUIRE(log->worker(0).append_single(record));
      log->turn();
    }
    const std::atomic<bool> never = false;
    audit::Retention({.directory = options.directory,
                      .keep = [] { return seconds(100); },
                      .followers = [] { return std::vector<audit::LogFollower>(); },
                      .record = [this](auto event, auto detail) { return note(event, detail); },
                      .alarm = [](auto, auto) {},
                      .clock =
                          [] {
                            return Now{{1}, {begin_ns + 200 * second_ns}};
                          },
                      .disk = nullptr})
        .pass(never);
    const audit::VerifyReport report = verify_with_key();
    REQUIRE(report.ok);
    REQUIRE(report.removals.size() >= 2);
    first_left = report.removals.back().end_record;
  }
  Result<void> note(std::string_view event, std::string_view detail) {
    audit::Record record;
    record.phase = audit::Phase::control;
    record.time.wall.ns = begin_ns + 200 * second_ns;
    record.event = event;
    record.detail = detail;
    REQUIRE(log->control().append_single(record));
    log->turn();
    return {};
  }
  [[nodiscard]] fs::path path() const { return folder.path() / "package.zip"; }
  Result<PackageSummary> make(const std::string& from, const std::string& until = {},
                              bool filters = false) const {
    PackageOptions package;
    package.directory = options.directory;
    package.made = {begin_ns};
    package.from = from;
    package.until = until;
    if (filters) package.filter = {{"principal", "ann"}};
    package.wants = [](const audit::RecordFields& record) { return record.subject == "ann"; };
    return make_package_at(path(), package, options.signing_key);
  }
  [[nodiscard]] PackageReport check() const {
    const auto report = verify_package(path(), verifier);
    REQUIRE(report);
    return *report;
  }

  std::unique_ptr<audit::Log> log;
  std::uint64_t first_left = 0;
};

}  // namespace

TEST_CASE_METHOD(RetainedLog, "Without a beginning, a package begins behind what was removed") {
  const auto made = make("");
  REQUIRE(made);
  CHECK(made->first_record == first_left);
  CHECK(made->end_record == made->log_records);
  const PackageReport report = check();
  INFO(report.fault << " at " << report.where);
  CHECK(report.ok);
  CHECK(report.from > at(1));

  const auto archive = Archive::open(path());
  REQUIRE(archive);
  const std::string page = *archive->read(std::string(report_name), 1 << 20);
  CHECK(page.find("segment-removed") != std::string::npos);
  CHECK(page.find("Retention and legal holds") != std::string::npos);
}

TEST_CASE_METHOD(RetainedLog, "A range of what is left is as good as ever") {
  for (const bool filters : {false, true}) {
    const auto made = make(at(150), at(160), filters);
    REQUIRE(made);
    CHECK(made->end_record - made->first_record == 12);
    const PackageReport report = check();
    INFO(report.fault << " at " << report.where);
    CHECK(report.ok);
  }
}

TEST_CASE_METHOD(RetainedLog,
                 "A range that touches what was removed is refused, with what there is") {
  for (const auto& [from, until] : {std::pair{at(1), std::string()},
                                    {at(20), at(30)},
                                    {std::string(), at(30)},
                                    {at(0), at(150)}}) {
    const auto made = make(from, until);
    REQUIRE_FALSE(made);
    INFO(made.error().message);
    const std::size_t words = made.error().message.find("a range may begin behind ");
    REQUIRE(words != std::string::npos);
    // What it says is so.
    const std::string told = made.error().message.substr(words + 25);
    const auto behind = parse_timestamp(told);
    REQUIRE(behind);
    CHECK(make(timestamp_text({behind->ns + 1}, 9)));
    CHECK(check().ok);
  }
}

}  // namespace sluice::evidence
