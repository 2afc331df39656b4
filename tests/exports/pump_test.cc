#include "exports/pump.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "log_fixture.h"
#include "must.h"

namespace sluice::exports {
namespace {

using test::must;

constexpr Product product{"1", "gateway.test/audit"};

/// Keeps what it is sent; fails while it is told to, with any part taken.
class Memory final : public Destination {
 public:
  std::string frame(const ExportedRecord& /*record*/, std::string line) const override {
    return line + '\n';
  }
  Result<void, SendError> send(const Batch& batch) override {
    if (fails_after) {
      taken += batch.frames.substr(0, *fails_after);
      return fail("the destination is gone");
    }
    taken += batch.frames;
    sizes.push_back(batch.records);
    return {};
  }
  /// The records' indices, in the order in which whole lines came.
  [[nodiscard]] std::vector<std::uint64_t> indices() const {
    std::vector<std::uint64_t> out;
    std::istringstream lines(taken);
    for (std::string line; std::getline(lines, line);) {
      out.push_back(nlohmann::json::parse(line).at("index").get<std::uint64_t>());
    }
    return out;
  }

  [[nodiscard]] Batching batching() const override { return when; }

  std::string taken;
  std::vector<std::size_t> sizes;  ///< Of the batches, in records.
  std::optional<std::size_t> fails_after;
  Batching when{};
};

class Source {
 public:
  Source() { add(0); }
  void add(std::size_t operations) {
    const auto log = folder_.open();
    for (std::size_t i = 0; i < operations; ++i) {
      REQUIRE(log->worker(0).append_single(audit::sample_intent(i + 1)).has_value());
    }
  }
  void add_unknown() {
    audit::Record record = audit::sample_intent();
    record.phase = static_cast<audit::Phase>(99);
    REQUIRE(folder_.open()->worker(0).append_single(record).has_value());
  }
  [[nodiscard]] Result<Pump> open(Destination& destination) const {
    return Pump::open(folder_.options.directory, cursor(), config::ExportFormat::native, product,
                      destination);
  }
  [[nodiscard]] std::filesystem::path cursor() const {
    return folder_.folder.path() / "export.cursor";
  }
  [[nodiscard]] std::size_t size() const { return folder_.records().size(); }

 private:
  audit::LogFolder folder_;
};

void drain(Pump& pump) {
  while (must(pump.turn({})) != 0) {
  }
}

std::vector<std::uint64_t> up_to(std::size_t size) {
  std::vector<std::uint64_t> out(size);
  std::iota(out.begin(), out.end(), 0);
  return out;
}

}  // namespace

TEST_CASE("Each record is exported in order, and what comes later too") {
  Source source;
  for (int i = 0; i < 5; ++i) source.add(500);
  Memory memory;
  auto pump = must(source.open(memory));
  drain(pump);
  CHECK(memory.indices() == up_to(source.size()));
  CHECK(pump.oldest_ns() == 0);
  source.add(10);
  drain(pump);
  CHECK(memory.indices() == up_to(source.size()));
  CHECK(pump.next() == source.size());
}

TEST_CASE("A start goes on behind what has arrived") {
  Source source;
  Memory memory;
  {
    auto pump = must(source.open(memory));
    drain(pump);
  }
  source.add(5);
  auto pump = must(source.open(memory));
  drain(pump);
  CHECK(memory.indices() == up_to(source.size()));
}

TEST_CASE("What a failing destination did not take whole is sent again") {
  Source source;
  source.add(20);
  Memory memory;
  {
    auto pump = must(source.open(memory));
    memory.fails_after = 0;
    CHECK_FALSE(pump.turn({}).has_value());
    CHECK(pump.oldest_ns() != 0);
    CHECK(pump.next() == 0);
    CHECK_FALSE(pump.turn({}).has_value());
  }
  auto pump = must(source.open(memory));
  memory.fails_after.reset();
  drain(pump);
  CHECK(memory.indices() == up_to(source.size()));
}

TEST_CASE("Few records wait for more, but not for ever") {
  Source source;
  source.add(20);
  Memory memory;
  memory.when = {.records_max = 15, .linger = seconds(60)};
  auto pump = must(source.open(memory));
  const std::size_t size = source.size();
  CHECK(must(pump.turn({})) == 15);
  const Instant later{1'000'000'000'000};
  CHECK(must(pump.turn(later)) == 0);
  CHECK(pump.oldest_ns() != 0);
  CHECK(must(pump.turn(later + seconds(59))) == 0);
  CHECK(must(pump.turn(later + seconds(60))) == size - 15);
  CHECK(memory.indices() == up_to(size));
  CHECK(memory.sizes == std::vector<std::size_t>{15, size - 15});
}

TEST_CASE("A record that is not understood stops the export, and is never skipped") {
  Source source;
  source.add(5);
  const std::size_t before = source.size();
  source.add_unknown();
  source.add(5);
  Memory memory;
  for (int start = 0; start < 2; ++start) {
    auto pump = must(source.open(memory));
    for (int turn = 0; turn < 4; ++turn) static_cast<void>(pump.turn({}));
    CHECK_FALSE(pump.turn({}).has_value());
    // "log-opened" of the next process stands before it.
    CHECK(pump.next() == before + 1);
  }
  CHECK(memory.indices() == up_to(before + 1));
}

TEST_CASE("A cursor of another log stops the export") {
  Source source;
  Memory memory;
  source.add(10);
  auto pump = must(source.open(memory));
  drain(pump);
  Source other;
  other.add(10);
  std::filesystem::copy_file(source.cursor(), other.cursor());
  const auto opened = other.open(memory);
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().message.find("another log") != std::string::npos);
  // Nor may it be ahead of the log.
  REQUIRE(write_cursor(other.cursor(), {1'000'000, {}}).has_value());
  CHECK_FALSE(other.open(memory).has_value());
}

}  // namespace sluice::exports
