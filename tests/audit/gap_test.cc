// What may be missing is a record of its own: where a gateway ended without saying so, and
// what it had not written is not whole.
#include <catch2/catch.hpp>

#include <algorithm>

#include "log_fixture.h"

namespace sluice::audit {
namespace {

/// Behind the five numbers of a ring's head and their check.
constexpr std::size_t boot_offset = 48;

/// A log as a gateway left it that did not come to close it.
struct LeftLog : LogFolder {
  LeftLog() {
    LogFolder running;
    running.options.has_thread = false;
    const auto log = running.open();
    for (std::uint64_t i = 1; i <= 3; ++i) {
      REQUIRE(log->worker(0).append_single(sample_intent(i)));
      if (i == 2) log->turn();
    }
    std::filesystem::copy_file(running.options.signing_key, folder.path() / "left.key");
    options.signing_key = folder.path() / "left.key";
    std::filesystem::copy(running.options.directory, options.directory);
  }

  [[nodiscard]] std::filesystem::path ring(int worker) const {
    return options.directory / ("ring-" + std::to_string(worker));
  }
  void reopen() const { open().reset(); }
  [[nodiscard]] std::vector<std::string> gaps() const {
    std::vector<std::string> out = records();
    std::erase_if(out, [](const std::string& record) {
      return record.find("\"phase\":\"gap\"") == std::string::npos;
    });
    return out;
  }
  [[nodiscard]] std::ptrdiff_t intents() const {
    return std::ranges::count_if(records(), [](const std::string& record) {
      return record.find("\"phase\":\"intent\"") != std::string::npos;
    });
  }
};

}  // namespace

TEST_CASE_METHOD(LeftLog, "A killed gateway leaves no gap: its rings have what the log has not") {
  reopen();
  CHECK(gaps().empty());
  CHECK(intents() == 3);
  reopen();  // One that ended by itself leaves none either.
  CHECK(gaps().empty());
  CHECK(verify(options.directory, {})->gaps == 0);
}

TEST_CASE_METHOD(LeftLog, "Where the host was started anew there is a gap, and one only") {
  for (const int worker : {0, 1}) {
    write_byte(ring(worker), boot_offset,
               static_cast<std::uint8_t>(read_file(ring(worker))[boot_offset]) ^ 1U);
  }
  reopen();
  const auto found = gaps();
  REQUIRE(found.size() == 1);
  CHECK(found[0].find("\"event\":\"epoch-cut\"") != std::string::npos);
  CHECK(found[0].find("records behind 2026-09-21T14:13:20.123456789Z may be missing") !=
        std::string::npos);
  CHECK(intents() == 3);  // What a ring still has is taken over all the same.
  CHECK(verify(options.directory, {})->gaps == 1);
  reopen();
  CHECK(gaps().size() == 1);
}

TEST_CASE_METHOD(LeftLog, "Where rings are gone there is a gap") {
  for (const int worker : {0, 1}) std::filesystem::remove(ring(worker));
  reopen();
  CHECK(gaps().size() == 1);
  CHECK(intents() == 2);
}

TEST_CASE_METHOD(LeftLog, "A ring that cannot be read is a gap of its own") {
  write_byte(ring(0), 0, 'x');
  reopen();
  const auto found = gaps();
  REQUIRE(found.size() == 2);
  CHECK(found[0].find("\"event\":\"ring-damaged\"") != std::string::npos);
  CHECK(found[1].find("\"event\":\"epoch-cut\"") != std::string::npos);
}

}  // namespace sluice::audit
