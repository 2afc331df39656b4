// A package proves its range, and whatever is changed in it is found.
#include "evidence/package.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <functional>

#include "audit/cbor.h"
#include "audit/checkpoint.h"
#include "audit/compact_range.h"
#include "audit/policy_store.h"
#include "base/timestamp.h"
#include "evidence/archive.h"
#include "evidence/manifest.h"
#include "evidence/ssh_signature.h"
#include "log_fixture.h"
#include "made_package.h"

namespace sluice::evidence {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr WallTime begin{1'790'000'000 * second_ns};

std::string at(std::int64_t seconds) {
  return timestamp_text({begin.ns + seconds * second_ns}, 9);
}

using Files = std::vector<Member>;

std::string& content(Files& files, std::string_view name) {
  return std::ranges::find(files, name, &Member::name)->content;
}

/// A log with an operation each second, of ann and of bob in turn.
struct PackageFolder : audit::LogFolder {
  PackageFolder() : LogFolder(2) {
    const auto log = open();
    for (std::size_t i = 0; i < policies.size(); ++i) {
      const std::string text = policy_text(i);
      REQUIRE(audit::keep_policy(options.directory, text));
      policies[i] = audit::sha256(as_bytes(text));
    }
    for (std::int64_t i = 0; i < 20; ++i) {
      audit::WorkerLog& worker = log->worker(static_cast<std::uint32_t>(i % 2));
      audit::Record record = audit::sample_intent(static_cast<std::uint64_t>(i));
      record.subject = i % 2 == 0 ? "ann" : "bob";
      record.time.wall = {begin.ns + i * second_ns};
      record.policy = i < 10 ? policies[0] : policies[1];
      const auto sequence = worker.append_single(record);
      worker.request_flush();
      while (worker.durable_through() < *sequence) {
      }
    }
  }

  [[nodiscard]] PackageSummary make(PackageOptions package = {}) {
    package.directory = options.directory;
    package.made = begin;
    const auto made = make_package_at(path(), package, options.signing_key);
    REQUIRE(made);
    return *made;
  }
  /// Shows records of ann only.
  [[nodiscard]] PackageSummary make_filtered() {
    PackageOptions package;
    package.filter = {{"principal", "ann"}};
    package.wants = [](const audit::RecordFields& record) { return record.subject == "ann"; };
    return make(package);
  }
  static std::string policy_text(std::size_t i) {
    return "{\"policy\": " + std::to_string(i) + "}";
  }
  std::array<audit::Hash, 2> policies{};

  [[nodiscard]] fs::path path() const { return folder.path() / "package.zip"; }

  [[nodiscard]] PackageReport check(const std::string& key) const {
    const auto report = verify_package(path(), key);
    REQUIRE(report);
    return *report;
  }
  [[nodiscard]] PackageReport check() const { return check(verifier); }

  [[nodiscard]] Files files() const {
    const auto archive = Archive::open(path());
    REQUIRE(archive);
    Files out;
    for (const std::string& name : archive->names()) {
      out.push_back({name, *archive->read(name, 1 << 20)});
    }
    return out;
  }
  void write(const Files& files) const {
    const fs::path last = folder.path() / "last";
    audit::write_file(last, files.back().content);
    REQUIRE(write_archive_at(path(), files, last));
  }
  /// As a forger would who has another key: all that can be made to fit is.
  void sign_again(Files& files, const fs::path& key) const {
    audit::LocalSigner signer(*audit::Signer::load(key));
    Manifest manifest = *parse_manifest(content(files, manifest_name));
    for (FileDigest& file : manifest.files) {
      const std::string& now = content(files, file.name);
      file = {file.name, now.size(), audit::sha256(as_bytes(now))};
    }
    manifest.key = signer.verifier().line();
    content(files, manifest_name) = to_json(manifest);
    content(files, signature_name) = *ssh_sign(signer, to_json(manifest));
  }
  void check_fault(const std::string& words) const {
    const PackageReport report = check();
    INFO(report.fault << " | " << report.where);
    CHECK_FALSE(report.ok);
    CHECK(report.fault.find(words) != std::string::npos);
  }
};

TEST_CASE_METHOD(PackageFolder, "A package of the whole log verifies") {
  const PackageSummary made = make();
  CHECK(made.first_record == 0);
  CHECK(made.end_record == made.log_records);
  CHECK(made.records_shown == made.log_records);
  const PackageReport report = check();
  INFO(report.fault << " | " << report.where);
  CHECK(report.ok);
  CHECK(report.root_hex == verify_with_key().root_hex);
  CHECK(check("").ok);
}

TEST_CASE_METHOD(PackageFolder,
                 "A range has all records between its times, and one on either side") {
  PackageOptions package;
  package.from = at(5);
  package.until = at(9);
  const PackageSummary made = make(package);
  CHECK(made.end_record - made.first_record == 4 + 2);
  const PackageReport report = check();
  INFO(report.fault << " | " << report.where);
  CHECK(report.ok);
  CHECK(report.from == at(5));
}

TEST_CASE_METHOD(PackageFolder, "A range in which nothing happened shows that nothing did") {
  PackageOptions package;
  package.from = timestamp_text({begin.ns + 5 * second_ns + 1}, 9);
  package.until = timestamp_text({begin.ns + 6 * second_ns - 1}, 9);
  const PackageSummary made = make(package);
  CHECK(made.end_record - made.first_record == 2);
  CHECK(check().ok);
}

TEST_CASE_METHOD(PackageFolder,
                 "A filtered package shows what it is about and keeps the rest to itself") {
  const PackageSummary made = make_filtered();
  CHECK(made.records_shown == 10);
  CHECK(made.end_record - made.first_record == made.log_records);
  CHECK(check().ok);
  CHECK(check().is_filtered);
  for (const Member& file : files()) CHECK(file.content.find("bob") == std::string::npos);
}

TEST_CASE_METHOD(PackageFolder, "A package has the policies that its records name, and no others") {
  static_cast<void>(make());
  Files all = files();
  CHECK(content(all, policy_member(policies[0])) == policy_text(0));
  CHECK(content(all, policy_member(policies[1])) == policy_text(1));
  PackageOptions package;
  package.from = at(12);
  static_cast<void>(make(package));
  CHECK(check().ok);
  const Files late = files();
  CHECK(std::ranges::count(late, policy_member(policies[0]), &Member::name) == 0);
  CHECK(std::ranges::count(late, policy_member(policies[1]), &Member::name) == 1);
}

TEST_CASE_METHOD(PackageFolder, "A policy that is not the one a record names is found") {
  static_cast<void>(make());
  Files bad = files();
  content(bad, policy_member(policies[1])) += ' ';
  sign_again(bad, options.signing_key);
  write(bad);
  check_fault("is not in the package");
}

TEST_CASE_METHOD(PackageFolder, "A policy that is not kept any more is told, not left out") {
  fs::remove(options.directory / policy_member(policies[1]));
  PackageOptions package;
  package.directory = options.directory;
  const auto made = make_package_at(path(), package, options.signing_key);
  REQUIRE_FALSE(made);
  CHECK(made.error().message.find("is missing") != std::string::npos);
}

TEST_CASE_METHOD(PackageFolder, "A package of another key is none") {
  static_cast<void>(make());
  const audit::LogFolder other;
  CHECK_FALSE(check(other.verifier).ok);
}

TEST_CASE_METHOD(PackageFolder, "A changed bit is found in any file") {
  static_cast<void>(make_filtered());
  const Files good = files();
  for (std::size_t file = 0; file < good.size(); ++file) {
    for (std::size_t byte = 0; byte < good[file].content.size(); byte += 1 + byte / 256) {
      Files bad = good;
      char& changed = bad[file].content[byte];
      changed = static_cast<char>(changed ^ (1 << (byte % 8)));
      write(bad);
      if (check().ok) FAIL(good[file].name << ", byte " << byte);
    }
  }
}

TEST_CASE_METHOD(PackageFolder, "A file that is missing, added or cut is found") {
  static_cast<void>(make());
  const Files good = files();
  for (std::size_t i = 0; i < good.size(); ++i) {
    Files bad = good;
    bad.erase(bad.begin() + static_cast<std::ptrdiff_t>(i));
    write(bad);
    if (check().ok) FAIL("without " << good[i].name);
    bad = good;
    bad[i].content.pop_back();
    write(bad);
    if (check().ok) FAIL("cut: " << good[i].name);
  }
  Files more = good;
  more.insert(more.begin(), {"evidence.txt", "nothing happened"});
  write(more);
  check_fault("other files");
}

// The manifest alone proves little: a forger with another key can sign any.
TEST_CASE_METHOD(PackageFolder, "Who has another key cannot forge, whatever is signed again") {
  static_cast<void>(make());
  Files bad = files();
  const audit::LogFolder other;
  sign_again(bad, other.options.signing_key);
  write(bad);
  check_fault("another key");
  CHECK_FALSE(check("").ok);  // the checkpoint is not of that key
}

// The gateway's own key, in a hand that cannot change the log.
TEST_CASE_METHOD(PackageFolder, "Even with the key, records that the log never had are found") {
  PackageOptions range;
  range.from = at(5);
  range.until = at(12);
  static_cast<void>(make(range));
  Files bad = files();
  std::string& records = content(bad, records_name);
  Manifest manifest = *parse_manifest(content(bad, manifest_name));
  SECTION("one is changed") {
    records[records.find("cards")] ^= 1;
    sign_again(bad, options.signing_key);
    write(bad);
    check_fault("not those that the checkpoint signs");
  }
  SECTION("two change places") {
    const std::size_t half = records.size() / 2;
    std::rotate(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(half),
                records.end());
    sign_again(bad, options.signing_key);
    write(bad);
    CHECK_FALSE(check().ok);
  }
  SECTION("all are there twice") {
    records += std::string(records);
    sign_again(bad, options.signing_key);
    write(bad);
    CHECK_FALSE(check().ok);
  }
  SECTION("the times are widened") {
    manifest.until = at(15);
    content(bad, manifest_name) = to_json(manifest);
    sign_again(bad, options.signing_key);
    write(bad);
    check_fault("does not reach");
  }
  SECTION("the range is moved") {
    ++manifest.first_record;
    ++manifest.end_record;
    content(bad, manifest_name) = to_json(manifest);
    sign_again(bad, options.signing_key);
    write(bad);
    CHECK_FALSE(check().ok);
  }
  SECTION("the root is another") {
    manifest.log_root[0] ^= 1;
    content(bad, manifest_name) = to_json(manifest);
    sign_again(bad, options.signing_key);
    write(bad);
    check_fault("another state of the log");
  }
}

TEST_CASE_METHOD(PackageFolder,
                 "A package shows that its log continues a checkpoint that was kept") {
  const auto with = [&](const std::string& seen) {
    const auto report = verify_package(path(), verifier, "", seen);
    REQUIRE(report);
    return *report;
  };
  auto signer = *audit::Signer::load(options.signing_key);
  PackageOptions range;
  range.from = at(5);
  range.until = at(12);
  const PackageSummary made = make(range);
  // What somebody may have seen: each state of the log.
  audit::CompactRange tree(0);
  std::uint64_t shown = 0;
  REQUIRE(audit::read_records(options.directory, 0, [&](std::uint64_t index, ByteView record) {
    tree.append_leaf(audit::leaf_hash(record));
    const std::uint64_t size = index + 1;
    const PackageReport good = with(*audit::sign_checkpoint(signer, size, tree.root()));
    const bool is_shown =
        (size >= made.first_record && size <= made.end_record) || size == made.log_records;
    CHECK(good.ok == is_shown);
    if (!good.ok) CHECK(good.fault.find("does not show the log at") != std::string::npos);
    shown += good.ok ? 1U : 0U;
    // Of another past none passes.
    CHECK_FALSE(with(*audit::sign_checkpoint(signer, size, audit::Hash{})).ok);
    return true;
  }));
  CHECK(shown == made.end_record - made.first_record + 2);
  const PackageReport back =
      with(*audit::sign_checkpoint(signer, made.log_records + 1, tree.root()));
  CHECK(back.fault.find("the package is of a log of") != std::string::npos);
  const audit::LogFolder stranger;
  auto another = *audit::Signer::load(stranger.options.signing_key);
  CHECK_FALSE(with(*audit::sign_checkpoint(another, made.log_records, tree.root())).ok);
  CHECK_FALSE(verify_package(path(), verifier, "", "nothing"));
}

TEST_CASE_METHOD(
    PackageFolder,
    "Each record that is removed, doubled or swapped is found, though all is signed again") {
  static_cast<void>(make_filtered());
  const Files good = files();
  std::vector<std::string> items;
  Files copy = good;
  for (ByteView rest = as_bytes(content(copy, records_name)); !rest.empty();) {
    audit::cbor::Reader reader(rest);
    REQUIRE(reader.skip());
    items.emplace_back(as_text(rest.first(rest.size() - reader.left())));
    rest = rest.last(reader.left());
  }
  REQUIRE(items.size() > 20);
  const auto check_found = [&](const std::vector<std::string>& changed, const char* how,
                               std::size_t i) {
    Files bad = good;
    std::string& records = content(bad, records_name);
    records.clear();
    for (const std::string& item : changed) records += item;
    sign_again(bad, options.signing_key);
    write(bad);
    if (check().ok) FAIL_CHECK(how << " " << i);
  };
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto at = static_cast<std::ptrdiff_t>(i);
    auto changed = items;
    changed.erase(changed.begin() + at);
    check_found(changed, "removed", i);
    changed = items;
    changed.insert(changed.begin() + at, items[i]);
    check_found(changed, "doubled", i);
    if (i + 1 == items.size()) continue;
    changed = items;
    std::swap(changed[i], changed[i + 1]);
    check_found(changed, "swapped", i);
  }
}

// Dates and attributes in a zip file's headers say nothing; whatever else is read is signed.
TEST_CASE_METHOD(PackageFolder,
                 "A flipped bit anywhere in the zip file is found, or changes no file in it") {
  static_cast<void>(make());
  const std::string good = audit::read_file(path());
  const auto as_pairs = [](const Files& files) {
    std::vector<std::pair<std::string, std::string>> out;
    for (const Member& file : files) out.emplace_back(file.name, file.content);
    return out;
  };
  const auto whole = as_pairs(files());
  std::size_t found = 0;
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      audit::write_byte(path(), i, static_cast<unsigned char>(good[i]) ^ (1U << bit));
      const auto report = verify_package(path(), verifier);
      const bool is_found = !report || !report->ok;
      found += is_found ? 1U : 0U;
      if (!is_found && as_pairs(files()) != whole) FAIL_CHECK("byte " << i << " bit " << bit);
    }
    audit::write_byte(path(), i, static_cast<unsigned char>(good[i]));
  }
  CHECK(found > good.size() * 8 / 10 * 9);
  CHECK(check().ok);
}

TEST_CASE_METHOD(PackageFolder, "A zip file that is cut anywhere is none") {
  static_cast<void>(make());
  const std::string good = audit::read_file(path());
  for (std::size_t length = 0; length < good.size(); ++length) {
    audit::write_file(path(), std::string_view(good).substr(0, length));
    const auto report = verify_package(path(), verifier);
    if (report && report->ok) FAIL_CHECK("cut to " << length);
  }
}

TEST_CASE_METHOD(PackageFolder, "A log that does not add up is not packed") {
  const fs::path segment = options.directory / "segment-00000001.log";
  const std::string bytes = audit::read_file(segment);
  audit::write_byte(segment, bytes.find("/cards") + 1, 'x');
  PackageOptions package;
  package.directory = options.directory;
  CHECK_FALSE(make_package_at(path(), package, options.signing_key));
}

namespace {

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST_CASE_METHOD(PackageFolder, "A package is made in files that nobody finds") {
  const fs::path place = folder.path() / "place";
  fs::create_directory(place);
  PackageOptions package;
  package.directory = options.directory;
  package.place.folder = place;
  std::size_t asked = 0;
  package.place.goes_on = [&]() -> Result<void> {
    ++asked;
    if (files_in(place) != 0) return fail("there is one");
    return {};
  };
  package.recipients = {*audit::AgeRecipient::parse(
      "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p")};
  audit::LocalSigner signer(*audit::Signer::load(options.signing_key));
  const auto made = make_package(package, signer);
  INFO((made ? std::string() : made.error().message));
  REQUIRE(made);
  CHECK(asked > 2 * made->summary.log_records);
  CHECK(files_in(place) == 0);
  CHECK(made->file.bytes() == fs::file_size(made->file.path()));
  CHECK(made->file.read(0, 22).value() == "age-encryption.org/v1\n");
  CHECK(made->file.read(made->file.bytes(), 1).value().empty());
}

TEST_CASE_METHOD(PackageFolder, "A package is made within its limits, or not at all") {
  PackageOptions package;
  package.directory = options.directory;
  package.place.folder = folder.path();
  audit::LocalSigner signer(*audit::Signer::load(options.signing_key));
  const auto fault = [&] {
    const auto made = make_package(package, signer);
    return made ? std::string() : made.error().message;
  };
  const auto whole = make_package(package, signer);
  REQUIRE(whole);
  SECTION("of bytes, whichever file they are in") {
    // Its records lie there, too.
    for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{100}, whole->file.bytes()}) {
      package.place.bytes_max = bytes;
      CHECK(fault().find("takes more than") != std::string::npos);
    }
    package.place.bytes_max = 2 * whole->file.bytes();
    CHECK(fault().empty());
  }
  SECTION("of time, whenever it is over") {
    std::size_t left = 0;
    package.place.goes_on = [&left]() -> Result<void> {
      if (left-- == 0) return fail("it is over");
      return {};
    };
    std::size_t ended = 0;
    for (std::size_t limit = 0;; ++limit) {
      left = limit;
      const std::string why = fault();
      if (why.empty()) break;
      CHECK(why == "it is over");
      ++ended;
    }
    CHECK(ended > 2 * whole->summary.log_records);
  }
}

TEST_CASE_METHOD(PackageFolder, "What is no zip file is an error, not a verdict") {
  audit::write_file(path(), "not a zip");
  CHECK_FALSE(verify_package(path(), ""));
}

}  // namespace
}  // namespace sluice::evidence
