// What a search costs: makes a log of many records, then asks it what an auditor asks,
// of its segments as they were written and once they are compressed.
//
//   bench_audit_search [--records N] [--folder F]                all of it, and removes the log
//   bench_audit_search make|ask|compress --folder F [--records N]   one step, and keeps it
//
// Each answer is compared with what reading the whole log gave when it was made.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "audit/compressed_segment.h"
#include "audit/index_writer.h"
#include "audit/log.h"
#include "audit/reader.h"
#include "audit/search.h"
#include "audit/segment.h"
#include "audit/verify.h"

namespace sluice::audit {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t begin_ns = 1'790'000'000'000'000'000U;
constexpr std::uint64_t step_ns = 10'000;  // 100,000 records a second
constexpr std::uint64_t operations_per_session = 50;
constexpr std::uint64_t rare_each = 1'000'003;  // operations
constexpr std::uint64_t denied_each = 4'000'037;
constexpr std::size_t rounds = 9;
constexpr std::string_view expected_name = "expected";  // Behind the number of records.

double seconds_since(Clock::time_point since) {
  return std::chrono::duration<double>(Clock::now() - since).count();
}

[[noreturn]] void stop(const std::string& why) {
  fmt::print(stderr, "bench_audit_search: {}\n", why);
  std::exit(1);
}

void fill(const fs::path& folder, std::uint64_t records) {
  LogOptions options;
  options.directory = folder / "log";
  options.signing_key = folder / "log.key";
  options.ring_bytes = std::size_t{64} << 20;
  if (const auto key = create_signing_key(options.signing_key, "bench/audit"); !key) {
    stop(key.error().message);
  }
  const auto log = Log::open(options, Now{{1}, {static_cast<std::int64_t>(begin_ns)}}, {});
  if (!log) stop(log.error().message);
  WorkerLog& worker = (*log)->worker(0);
  std::vector<std::string> subjects;
  for (int i = 0; i < 200; ++i) subjects.push_back(fmt::format("service:{:03}", i));
  for (std::uint64_t i = 0; i < records / 2; ++i) {
    while (!worker.has_room()) std::this_thread::yield();
    Record record;
    record.time.wall = {static_cast<std::int64_t>(begin_ns + 2 * i * step_ns)};
    record.session = 1 + i / operations_per_session;
    record.operation = i + 1;
    const bool is_rare = i % rare_each == rare_each / 2;
    const std::string resource = fmt::format("/v1/customers/{}/cards?limit=10", i % 100'000);
    record.subject =
        is_rare ? std::string_view("ann") : subjects[i / operations_per_session % subjects.size()];
    record.proof = "api-key";
    record.credential_id = "k_5d2f";
    record.peer = "192.0.2.7:50123";
    record.listener = "payments";
    record.target = is_rare ? "vault" : "payments-api";
    record.protocol = "http";
    record.verb = "GET";
    record.resource = resource;
    record.host = "payments.example.com";
    record.ruling = RulingKind::allow;
    record.rule = is_rare ? "break glass" : "billing-reads";
    if (i % denied_each == denied_each / 2) {
      record.ruling = RulingKind::deny;
      worker.append_single(record);
      continue;
    }
    worker.append_intent(record);
    Record outcome;
    outcome.phase = Phase::outcome;
    outcome.time.wall = {static_cast<std::int64_t>(begin_ns + (2 * i + 1) * step_ns)};
    outcome.session = record.session;
    outcome.operation = record.operation;
    outcome.status = 200;
    outcome.result = "ok";
    outcome.bytes_out = 1024;
    outcome.upstream = "127.0.0.1:9000";
    worker.append_outcome(outcome);
  }
}

struct Question {
  std::string_view words;
  RecordQuery query;
};

std::vector<Question> questions(std::uint64_t records) {
  std::vector<Question> out(7);
  out[0].words = "a principal who did little";
  out[0].query.subject = "ann";
  out[1].words = "a rule that was seldom used";
  out[1].query.rule = "break glass";
  out[2].words = "a session";
  out[2].query.session = 1 + records / 2 / operations_per_session / 2;
  out[3].words = "a ruling that is seldom";
  out[3].query.ruling = RulingKind::deny;
  out[4].words = "one principal's millisecond";
  out[4].query.subject = "service:000";
  out[4].query.from_ns = begin_ns + records / 2 * step_ns;
  out[4].query.until_ns = out[4].query.from_ns + 1'000'000;
  out[5].words = "a millisecond";
  out[5].query.from_ns = out[4].query.from_ns;
  out[5].query.until_ns = out[4].query.until_ns;
  out[6].words = "a target that is seldom called";
  out[6].query.target = "vault";
  return out;
}

std::uint64_t count_found(const fs::path& directory, const RecordQuery& query) {
  RecordFilter filter(query);
  std::uint64_t found = 0;
  const auto done =
      search(directory, filter, {[&found](ByteView, RecordPlace) { return ++found > 0; }, {}});
  if (!done) stop(done.error().message);
  return found;
}

std::vector<std::uint64_t> read_all(const fs::path& directory,
                                    const std::vector<Question>& questions) {
  std::vector<RecordFilter> filters;
  for (const Question& question : questions) filters.emplace_back(question.query);
  std::vector<std::uint64_t> found(questions.size());
  const auto done = read_records(directory, 0, [&](std::uint64_t, ByteView bytes) {
    const auto record = fields_of(bytes);
    for (std::size_t i = 0; i < filters.size(); ++i)
      found[i] += filters[i].wants(*record) ? 1U : 0U;
    return true;
  });
  if (!done) stop(done.error().message);
  return found;
}

/// Each answer is what reading everything found.
void time_answers(const fs::path& directory, const std::vector<Question>& asked,
                  const std::vector<std::uint64_t>& expected) {
  for (std::size_t i = 0; i < asked.size(); ++i) {
    std::vector<double> times;
    for (std::size_t round = 0; round < rounds; ++round) {
      const auto since = Clock::now();
      const std::uint64_t found = count_found(directory, asked[i].query);
      times.push_back(seconds_since(since));
      if (found != expected[i]) stop(fmt::format("{}: another answer", asked[i].words));
    }
    std::ranges::sort(times);
    fmt::print("{:<32} {:>8} records  median {:>9.3f} ms  worst {:>9.3f} ms\n", asked[i].words,
               expected[i], 1e3 * times[rounds / 2], 1e3 * times.back());
  }
}

void make(const fs::path& folder, std::uint64_t records) {
  const fs::path directory = folder / "log";
  auto since = Clock::now();
  fill(folder, records);
  const std::uint64_t segments = *count_segments(directory);
  fmt::print("records {}, segments {}, written in {:.1f} s\n", records, segments,
             seconds_since(since));
  since = Clock::now();
  std::uintmax_t bytes = 0;
  std::uintmax_t index_bytes = 0;
  for (std::uint64_t segment = 1; segment < segments; ++segment) {
    if (const auto done = write_index(directory, segment); !done) stop(done.error().message);
    bytes += fs::file_size(segment_path(directory, segment));
    index_bytes += fs::file_size(index_path(directory, segment));
  }
  fmt::print(
      "indexes of {} MB in {:.2f} s: {:.1f} % of the segments' {} MB\n", index_bytes >> 20U,
      seconds_since(since),
      bytes == 0 ? 0.0 : 100.0 * static_cast<double>(index_bytes) / static_cast<double>(bytes),
      bytes >> 20U);
  since = Clock::now();
  IndexedParts open{.segment = segments};
  for (;;) {
    const auto more = write_index_part(directory, open);
    if (!more) stop(more.error().message);
    if (!*more) break;
  }
  fmt::print("indexes of {} parts of the last segment, {} MB, in {:.2f} s\n", open.parts,
             open.end >> 20U, seconds_since(since));
  since = Clock::now();
  const auto found = read_all(directory, questions(records));
  fmt::print("reading all of it: {:.2f} s\n", seconds_since(since));
  std::ofstream expected(folder / expected_name);
  expected << records;
  for (const std::uint64_t count : found) expected << ' ' << count;
}

void ask(const fs::path& folder) {
  std::ifstream file(folder / expected_name);
  std::uint64_t records = 0;
  file >> records;
  const auto asked = questions(records);
  std::vector<std::uint64_t> expected(asked.size());
  for (std::uint64_t& count : expected) file >> count;
  if (!file) stop(fmt::format("no log was made in {}", folder.string()));
  time_answers(folder / "log", asked, expected);
}

void compress(const fs::path& folder) {
  const fs::path directory = folder / "log";
  const std::uint64_t segments = *count_segments(directory);
  const std::atomic<bool> stop_never = false;
  const auto since = Clock::now();
  std::uintmax_t bytes = 0;
  std::uintmax_t compressed = 0;
  for (std::uint64_t segment = 1; segment < segments; ++segment) {
    const fs::path path = segment_path(directory, segment);
    bytes += fs::file_size(path);
    if (const auto done = compress_segment(real_disk(), path, stop_never); !done) {
      stop(done.error().message);
    }
    compressed += fs::file_size(compressed_path(path));
  }
  if (bytes == 0) return;
  const double seconds = seconds_since(since);
  fmt::print("compressed to {} MB in {:.1f} s: {:.1f} % of the segments, {:.0f} MB/s\n",
             compressed >> 20U, seconds,
             100.0 * static_cast<double>(compressed) / static_cast<double>(bytes),
             static_cast<double>(bytes) / seconds / (1U << 20U));
}

void run(const std::string& step, std::uint64_t records, const fs::path& base) {
  if (step == "make") return make(base, records);
  if (step == "ask") return ask(base);
  if (step == "compress") return compress(base);
  std::string folder = (base / "sluice-search-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) stop("mkdtemp");
  make(folder, records);
  ask(folder);
  compress(folder);
  ask(folder);
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

}  // namespace
}  // namespace sluice::audit

int main(int argc, char** argv) {
  std::uint64_t records = 20'000;
  std::string folder = "/tmp";
  std::string step;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with("--") && i + 1 < argc) {
      const char* const value = argv[++i];
      if (word == "--records") records = std::strtoull(value, nullptr, 10);
      if (word == "--folder") folder = value;
    } else {
      step = word;
    }
  }
  sluice::audit::run(step, records, folder);
  return 0;
}
