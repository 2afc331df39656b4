// What witnesses say travels with a package, and is checked with it.
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <functional>

#include "audit/cosignature.h"
#include "audit/segment.h"
#include "base/timestamp.h"
#include "evidence/archive.h"
#include "evidence/manifest.h"
#include "evidence/package.h"
#include "evidence/ssh_signature.h"
#include "log_fixture.h"
#include "made_package.h"

namespace sluice::evidence {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t seen_at = 1'790'000'000;

/// A log that a witness saw at some time, and that went on.
struct WitnessedLog : audit::LogFolder {
  void operate(std::size_t count) {
    const auto log = open();
    for (std::size_t i = 0; i < count; ++i) {
      REQUIRE(log->worker(0).append_single(audit::sample_intent(i + 1)).has_value());
    }
  }
  [[nodiscard]] audit::SignedCheckpoint checkpoint() const {
    return *audit::parse_checkpoint(note());
  }
  [[nodiscard]] std::string note() const {
    return audit::read_file(options.directory / audit::checkpoint_name);
  }
  /// The witness signs what is there now.
  void show() const {
    auto signer = *audit::Signer::load(witness.options.signing_key);
    const auto line = audit::cosign(signer, checkpoint().signed_text, seen_at);
    REQUIRE(line);
    audit::write_file(options.directory / audit::cosigned_name, note() + *line);
  }
  [[nodiscard]] static std::string key_of(const audit::LogFolder& folder) {
    return audit::WitnessVerifier::of(*audit::Verifier::parse(folder.verifier)).line();
  }
  [[nodiscard]] std::string policy() const {
    return "witness w1 " + key_of(witness) + " http://127.0.0.1:1\nquorum w1\n";
  }
  /// Of two witnesses, so many must have seen it.
  [[nodiscard]] std::string policy_of_two(std::string_view threshold) const {
    return "witness w1 " + key_of(witness) + " http://127.0.0.1:1\nwitness w2 " + key_of(stranger) +
           " http://127.0.0.1:2\ngroup both " + std::string(threshold) + " w1 w2\nquorum both\n";
  }
  [[nodiscard]] fs::path path() const { return folder.path() / "package.zip"; }
  Result<PackageSummary> make(const std::string& from = "", const std::string& until = "") const {
    PackageOptions package;
    package.directory = options.directory;
    package.from = from;
    package.until = until;
    package.witness_policy = policy();
    return make_package_at(path(), package, options.signing_key);
  }
  [[nodiscard]] PackageReport check(const std::string& witness_key) const {
    const auto report = verify_package(path(), verifier, witness_key);
    REQUIRE(report);
    return *report;
  }
  void check_seen(std::uint64_t records) const {
    for (const std::string& wanted : {std::string(), key_of(witness)}) {
      const PackageReport report = check(wanted);
      INFO(report.fault << " | " << report.where);
      CHECK(report.ok);
      REQUIRE(report.witnesses.size() == 1);
      CHECK(report.witnesses[0].when.ns == static_cast<std::int64_t>(seen_at) * 1'000'000'000);
      CHECK(report.witnessed_records == records);
    }
    CHECK(check(key_of(stranger)).fault == "the witness did not sign this checkpoint");
  }
  /// Changes a member and has the gateway sign the manifest again.
  void change(std::string_view name, const std::function<void(std::string&)>& edit) const {
    const auto archive = *Archive::open(path());
    std::vector<Member> files;
    for (const std::string& one : archive.names()) {
      files.push_back({one, *archive.read(one, 1 << 20)});
    }
    const auto content = [&files](std::string_view wanted) -> std::string& {
      return std::ranges::find(files, wanted, &Member::name)->content;
    };
    edit(content(name));
    Manifest manifest = *parse_manifest(content(manifest_name));
    for (FileDigest& file : manifest.files) {
      const std::string& now = content(file.name);
      file = {file.name, now.size(), audit::sha256(as_bytes(now))};
    }
    audit::LocalSigner signer(*audit::Signer::load(options.signing_key));
    content(manifest_name) = to_json(manifest);
    content(signature_name) = *ssh_sign(signer, to_json(manifest));
    const fs::path last = folder.path() / "last";
    audit::write_file(last, files.back().content);
    REQUIRE(write_archive_at(path(), files, last));
  }

  audit::LogFolder witness;
  audit::LogFolder stranger;
};

}  // namespace

TEST_CASE_METHOD(WitnessedLog, "A package says what witnesses saw, wherever that is") {
  operate(10);
  show();
  const std::uint64_t seen = checkpoint().checkpoint.size;
  SECTION("at its end") {
    REQUIRE(make());
  }
  SECTION("within it") {
    operate(10);
    REQUIRE(make());
  }
  SECTION("behind it") {
    // All records have the time of the sample: the range ends with the first record.
    REQUIRE(make("", "2000-01-01T00:00:00.000000000Z"));
    CHECK(check("").records.end_record < seen);
  }
  check_seen(seen);
}

TEST_CASE_METHOD(WitnessedLog, "A package of records that no witness saw says so") {
  operate(10);
  SECTION("because none saw the log") {}
  SECTION("because none saw so much of it") {
    show();
    operate(10);
  }
  REQUIRE(make("2100-01-01T00:00:00.000000000Z"));
  CHECK(check("").ok);
  CHECK(check("").witnesses.empty());
  CHECK(check(key_of(witness)).fault == "no witness saw any of the range");
}

TEST_CASE_METHOD(WitnessedLog, "Lines of who is not in the policy stay out of the package") {
  operate(10);
  show();
  auto signer = *audit::Signer::load(stranger.options.signing_key);
  const fs::path cosigned = options.directory / audit::cosigned_name;
  audit::write_file(cosigned, audit::read_file(cosigned) +
                                  *audit::cosign(signer, checkpoint().signed_text, seen_at));
  REQUIRE(make());
  check_seen(checkpoint().checkpoint.size);
}

TEST_CASE_METHOD(WitnessedLog, "A package has the word of as many witnesses as the policy wants") {
  operate(10);
  show();
  REQUIRE(make());
  for (const std::string_view enough : {"any", "1"}) {
    change(witness_policy_member, [&](std::string& text) { text = policy_of_two(enough); });
    CHECK(check(key_of(witness)).ok);
  }
  for (const std::string_view more : {"all", "2"}) {
    change(witness_policy_member, [&](std::string& text) { text = policy_of_two(more); });
    CHECK(check("").fault == "not as many witnesses signed it as the policy wants");
  }
  change(witness_policy_member, [&](std::string& text) { text += "quorum none\n"; });
  CHECK_FALSE(check("").ok);
}

TEST_CASE_METHOD(WitnessedLog, "Who holds the log's key cannot make witnesses say something else") {
  operate(10);
  show();
  const std::string before = note();
  operate(10);
  REQUIRE(make());
  SECTION("about another checkpoint of the log") {
    change(cosigned_member, [&](std::string& text) {
      text = note() + text.substr(text.find('\n', text.find("\n\n") + 2) + 1);
    });
  }
  SECTION("at another time") {
    change(cosigned_member, [](std::string& text) { text[text.size() - 90] ^= 1; });
  }
  SECTION("of the policy's name, but another key") {
    change(witness_policy_member, [&](std::string& text) {
      text = "witness w1 " + key_of(stranger) + " http://127.0.0.1:1\nquorum w1\n";
    });
  }
  SECTION("than as many as the policy wants") {
    change(witness_policy_member, [&](std::string& text) { text = policy_of_two("all"); });
  }
  SECTION("by leaving their lines out") {
    change(cosigned_member, [&](std::string& text) { text = before; });
  }
  CHECK_FALSE(check(key_of(witness)).ok);
  CHECK_FALSE(check("").ok);
}

TEST_CASE_METHOD(WitnessedLog,
                 "A log that was rolled back behind what witnesses saw is not packed") {
  operate(10);
  const fs::path early = folder.path() / "early";
  fs::copy(options.directory, early, fs::copy_options::recursive);
  operate(10);
  show();
  const std::string cosigned = audit::read_file(options.directory / audit::cosigned_name);
  fs::remove_all(options.directory);
  fs::copy(early, options.directory, fs::copy_options::recursive);
  audit::write_file(options.directory / audit::cosigned_name, cosigned);
  const auto made = make();
  REQUIRE_FALSE(made);
  CHECK(made.error().message.find("rolled back") != std::string::npos);
}

}  // namespace sluice::evidence
