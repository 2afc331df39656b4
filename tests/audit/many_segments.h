// A log of many segments, with operations that overlap them.
#pragma once

#include <array>
#include <catch2/catch.hpp>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "audit/index_writer.h"
#include "audit/search.h"
#include "audit/segment_file.h"
#include "log_fixture.h"

namespace sluice::audit {

namespace fs = std::filesystem;
using Found = std::vector<std::string>;

inline constexpr std::uint64_t begin_ns = 1'790'000'000'000'000'000U;
inline constexpr std::array<std::string_view, 4> subjects{"ann", "bob", "", "eve"};
inline constexpr std::array<std::string_view, 3> targets{"ledger", "payments", "cards"};
inline constexpr std::array<std::string_view, 3> rules{"reads", "writes", "\xff"};

/// Operations of random people in random sessions; some end much later than they began,
/// some not at all.
class ManySegments : public LogFolder {
 public:
  explicit ManySegments(std::size_t segment_bytes = std::size_t{16} << 10) : LogFolder(2) {
    options.segment_bytes = segment_bytes;
    const auto log = open();
    std::array<std::vector<Record>, 2> open_operations;
    for (std::uint64_t i = 1; i <= 2'000; ++i) {
      const std::uint64_t worker = random_() % 2;
      auto& operations = open_operations[worker];
      Record record = operation(i);
      const bool ends = !operations.empty() && random_() % 2 == 0;
      if (ends) {
        const auto which =
            operations.begin() + static_cast<std::ptrdiff_t>(random_() % operations.size());
        record.session = which->session;
        record.operation = which->operation;
        operations.erase(which);
        write(*log, worker, as_outcome(record));
      } else {
        if (record.ruling == RulingKind::allow) operations.push_back(record);
        write(*log, worker, record);
      }
    }
  }

  [[nodiscard]] Found by_index(const RecordQuery& query) {
    Found out;
    notes.clear();
    RecordFilter filter(query);
    const auto next =
        search(options.directory, filter,
               {.found =
                    [&out](ByteView record, RecordPlace) {
                      out.push_back(to_json(record).value());
                      return true;
                    },
                .goes_on = {},
                .index_note = [this](const std::string& note) { notes.push_back(note); }});
    REQUIRE(next);
    CHECK(next->next == verify_with_key().records);
    CHECK(next->is_whole);
    return out;
  }
  [[nodiscard]] Found by_reading(const RecordQuery& query) const {
    Found out;
    RecordFilter filter(query);
    REQUIRE(read_records(options.directory, 0, [&](std::uint64_t, ByteView record) {
      if (filter.wants(*fields_of(record))) out.push_back(to_json(record).value());
      return true;
    }));
    return out;
  }
  [[nodiscard]] std::uint64_t segments() const { return *count_segments(options.directory); }
  [[nodiscard]] fs::path index(std::uint64_t segment) const {
    return index_path(options.directory, segment);
  }

  RecordQuery random_query() {
    const auto coin = [this] { return random_() % 3 == 0; };
    RecordQuery query;
    if (coin()) query.from_ns = begin_ns + random_() % 2'000;
    if (coin()) query.until_ns = begin_ns + random_() % 2'000;
    if (coin()) query.subject = subjects[random_() % subjects.size()];
    if (coin()) query.target = targets[random_() % targets.size()];
    if (coin()) query.rule = rules[random_() % rules.size()];
    if (coin()) query.ruling = static_cast<RulingKind>(1 + random_() % 3);
    if (coin()) query.session = random_() % 12;
    return query;
  }

  std::vector<std::string> notes;

 private:
  Record operation(std::uint64_t number) {
    Record record;
    // Neighbours may be out of order, as across workers.
    record.time.wall = {static_cast<std::int64_t>(begin_ns + number + random_() % 10)};
    record.session = random_() % 10;
    record.operation = number;
    record.subject = subjects[random_() % subjects.size()];
    record.target = targets[random_() % targets.size()];
    record.rule = rules[random_() % rules.size()];
    record.ruling = static_cast<RulingKind>(1 + random_() % 2);
    return record;
  }
  static Record as_outcome(const Record& record) {
    Record out;
    out.phase = Phase::outcome;
    out.time = record.time;
    out.session = record.session;
    out.operation = record.operation;
    out.result = "ok";
    return out;
  }
  static void write(Log& log, std::uint64_t worker, const Record& record) {
    WorkerLog& end = log.worker(static_cast<std::uint32_t>(worker));
    const auto sequence = end.append_single(record);
    REQUIRE(sequence);
    if (*sequence % 16 != 0) return;  // so that batches, and segments, are many
    end.request_flush();
    while (end.durable_through() < *sequence) std::this_thread::yield();
  }

  std::mt19937_64 random_{20261122};
};

}  // namespace sluice::audit
