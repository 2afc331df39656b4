// Packages that the gateway makes for who asks it.
#include "cli/packing.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <stdexcept>

#include "audit/record_filter.h"
#include "cli/unhurried.h"
#include "log_fixture.h"

namespace sluice::cli {
namespace {

namespace fs = std::filesystem;
using control::api::EvidenceQuestion;

/// The log of a gateway that runs, with an operation of ann's and one of bob's.
struct PackedFolder : audit::LogFolder {
  PackedFolder() : LogFolder(1) {
    settings.audit.directory = (options.directory / "").string();
    options.signer = &signer;
    log = open();
    for (const char* subject : {"ann", "bob"}) {
      audit::Record record = audit::sample_intent();
      record.subject = subject;
      const auto sequence = log->worker(0).append_single(record);
      log->worker(0).request_flush();
      while (log->worker(0).durable_through() < *sequence) {
      }
    }
  }

  config::Settings settings;
  audit::LocalSigner signer{*audit::Signer::load(options.signing_key)};
  std::unique_ptr<audit::Log> log;
  std::atomic<bool> is_ending{false};
  Packing packing{signer, is_ending};

  [[nodiscard]] fs::path path() const { return folder.path() / "package.zip"; }
  [[nodiscard]] evidence::PackageReport keep(control::HttpStream stream) const {
    std::ofstream file(path(), std::ios::binary | std::ios::trunc);
    std::uint64_t bytes = 0;
    while (const auto piece = stream.pieces()) {
      bytes += piece->size();
      file << *piece;
    }
    CHECK(bytes == stream.bytes);
    file.close();
    const auto report = evidence::verify_package(path(), verifier);
    REQUIRE(report);
    return *report;
  }
};

TEST_CASE_METHOD(PackedFolder, "A package of the running gateway verifies, and leaves no file") {
  const auto files = [this] {
    return std::distance(fs::recursive_directory_iterator(folder.path()), {});
  };
  const auto before = files();
  auto made = packing.make(settings, {});
  REQUIRE(made);
  CHECK(files() == before);
  const auto report = keep(std::move(*made));
  INFO(report.fault << " | " << report.where);
  CHECK(report.ok);
  CHECK_FALSE(report.is_filtered);

  auto filtered = packing.make(settings, {.subject = "ann"});
  REQUIRE(filtered);
  const auto shown = keep(std::move(*filtered));
  CHECK(shown.ok);
  CHECK(shown.is_filtered);
  CHECK(shown.records.records_shown == 1);
}

TEST_CASE_METHOD(PackedFolder, "One package is made, or sent, at a time") {
  auto first = packing.make(settings, {});
  REQUIRE(first);
  const auto second = packing.make(settings, {});
  REQUIRE_FALSE(second);
  CHECK(second.error().status == 503);
  CHECK(second.error().detail.find("try again") != std::string::npos);
  // Whoever has it may go in the midst of it.
  static_cast<void>(first->pieces());
  first = control::api::refuse(503, "gone");
  CHECK(packing.make(settings, {}));
  // One that was not made is none.
  const EvidenceQuestion empty{.is_awaited = [] { return false; }};
  for (int i = 0; i < 2; ++i) {
    const auto given_up = packing.make(settings, empty);
    REQUIRE_FALSE(given_up);
    CHECK(given_up.error().status == 409);
    CHECK(given_up.error().detail == "nobody waits for it any more");
  }
}

TEST_CASE_METHOD(PackedFolder, "A package is of what a manifest can name") {
  const auto made = packing.make(settings, {.subject = "ann\xff"});
  REQUIRE_FALSE(made);
  CHECK(made.error().detail.find("UTF-8") != std::string::npos);
}

TEST_CASE("What unhurried work throws is thrown where it is waited for") {
  CHECK_THROWS_WITH(run_unhurried([] { throw std::runtime_error("a fault"); }), "a fault");
}

TEST_CASE_METHOD(PackedFolder, "No package is made of a gateway that ends, or without its log") {
  is_ending = true;
  const auto ending = packing.make(settings, {});
  REQUIRE_FALSE(ending);
  CHECK(ending.error().status == 503);
  is_ending = false;
  settings.audit.witness_policy = folder.path() / "absent";
  const auto without = packing.make(settings, {});
  REQUIRE_FALSE(without);
  CHECK(without.error().detail.find("is missing") != std::string::npos);
  settings.audit.witness_policy.clear();
  settings.audit.directory = folder.path() / "absent" / "audit";
  CHECK_FALSE(packing.make(settings, {}));
}

}  // namespace
}  // namespace sluice::cli
