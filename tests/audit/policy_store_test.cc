// What a record says of the policy it was judged by can be looked up, or verification fails.
#include "audit/policy_store.h"

#include <catch2/catch.hpp>

#include "log_fixture.h"

namespace sluice::audit {
namespace {

constexpr std::string_view text = "{\"policies\": []}\n";

struct PolicyFolder : LogFolder {
  PolicyFolder() {
    const auto log = open();
    REQUIRE(keep_policy(options.directory, text));
    Record record = sample_intent();
    record.policy = digest;
    REQUIRE(log->worker(0).append_single(record));
  }
  [[nodiscard]] std::filesystem::path file() const {
    return options.directory / policies_folder / policy_name(digest);
  }
  void check_fault(const std::string& words) const {
    const VerifyReport report = verify_with_key();
    INFO(report.fault);
    CHECK_FALSE(report.ok);
    CHECK(report.fault.find(words) != std::string::npos);
  }
  Hash digest = sha256(as_bytes(text));
};

}  // namespace

TEST_CASE_METHOD(PolicyFolder, "A policy is kept under its digest, and only once") {
  CHECK(verify_with_key().ok);
  CHECK(read_policy(options.directory, digest).value() == text);
  const auto written = std::filesystem::last_write_time(file());
  REQUIRE(keep_policy(options.directory, text));
  CHECK(std::filesystem::last_write_time(file()) == written);
}

TEST_CASE_METHOD(PolicyFolder, "A changed or missing policy is a fault of the log") {
  write_file(file(), "{\"policies\": [1]}\n");
  check_fault("was changed");
  REQUIRE(keep_policy(options.directory, text));
  CHECK(verify_with_key().ok);
  std::filesystem::remove(file());
  check_fault("is missing");
}

TEST_CASE("Policies are listed by when they were kept, and nothing else is") {
  const test::TemporaryFolder folder;
  CHECK_FALSE(list_policies(folder.path()));
  const std::vector<std::string> texts{"{}\n", "[]\n", "1\n"};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    REQUIRE(keep_policy(folder.path(), texts[i]));
    const auto path = folder.path() / policies_folder / policy_name(sha256(as_bytes(texts[i])));
    const auto written = std::filesystem::last_write_time(path);
    std::filesystem::last_write_time(path, written + std::chrono::seconds(i));
  }
  write_file(folder.path() / policies_folder / "other.json", "{}");
  write_file(folder.path() / policies_folder / std::string(64, 'A').append(".json"), "{}");
  const auto listed = list_policies(folder.path());
  REQUIRE(listed);
  REQUIRE(listed->size() == texts.size());
  CHECK(listed->front().digest == sha256(as_bytes(texts.back())));
  CHECK(listed->back().digest == sha256(as_bytes(texts.front())));
  CHECK(listed->front().since > listed->back().since);
}

TEST_CASE("What cannot be kept is not adopted") {
  const test::TemporaryFolder folder;
  write_file(folder.path() / "policies", "a file where a folder should be");
  CHECK_FALSE(keep_policy(folder.path(), text));
  CHECK_FALSE(keep_policy(folder.path() / "other", std::string((16U << 20U) + 1, ' ')));
}

}  // namespace sluice::audit
