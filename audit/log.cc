#include "audit/log.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "audit/directory_lock.h"
#include "audit/log_signer.h"
#include "audit/operation_key.h"
#include "audit/recovery.h"
#include "audit/reread.h"
#include "audit/ring.h"
#include "audit/ring_recovery.h"
#include "audit/succession.h"
#include "audit/writer.h"
#include "base/assert.h"
#include "base/timestamp.h"

namespace sluice::audit {
namespace {

constexpr std::uint32_t workers_max = 1000;
constexpr std::size_t segment_bytes_min = std::size_t{4} << 10;

std::uint64_t random_epoch() {
  std::uint64_t epoch = 0;
  ASSERT(::getrandom(&epoch, sizeof epoch, 0) == static_cast<ssize_t>(sizeof epoch));
  return epoch | 1U;  // never 0, which reads as "absent"
}

std::int64_t clock_ns(clockid_t clock) {
  ::timespec time{};
  ::clock_gettime(clock, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

Now clocks() {
  return {{clock_ns(CLOCK_MONOTONIC)}, {clock_ns(CLOCK_REALTIME)}};
}

Result<void> check_options(const LogOptions& options) {
  if (options.workers == 0 || options.workers > workers_max) {
    return fail(fmt::format("the audit log takes 1 to {} workers", workers_max));
  }
  if (options.segment_bytes < segment_bytes_min) {
    return fail(fmt::format("audit segments must be at least {} bytes", segment_bytes_min));
  }
  if (options.flush_interval < milliseconds(1) || options.flush_interval > seconds(1)) {
    return fail("the audit flush interval must be 1 ms to 1 s");
  }
  return {};
}

/// The public key lies beside the log; a log has one key for its whole life.
Result<void> settle_verifier(Disk& disk, const std::filesystem::path& directory,
                             const Verifier& verifier) {
  const std::filesystem::path path = directory / verifier_name;
  const auto text = read_small_file(path);
  if (!text) return fail(text.error().message);
  const std::string line = verifier.line() + '\n';
  if (*text && **text == line) return {};
  if (*text) {
    return fail(fmt::format("{} names another key than the signing key's {}; a log keeps its key",
                            path.string(), verifier.line()));
  }
  return replace_file(disk, path, line);
}

/// A directory without segments and checkpoint becomes a log of no records.
Result<void> settle_checkpoint(Disk& disk, const std::filesystem::path& directory,
                               LogSigner& signer) {
  const auto note = read_small_file(directory / checkpoint_name);
  if (!note) return fail(note.error().message);
  const auto segments = count_segments(directory);
  if (*note || !segments || *segments > 0) return {};  // for recovery to judge
  const TreeHead none = TreeHead::of(Tree{});
  if (auto done = continue_signed(signer, directory, none); !done) {
    return tl::unexpected(done.error());
  }
  const auto empty = sign_checkpoint(signer, {none, none, {}});
  if (!empty) return fail(empty.error().message);
  return replace_file(disk, directory / checkpoint_name, *empty);
}

/// What a start found, for its first records.
struct Opening {
  std::uint64_t epoch = 0;
  std::uint64_t found = 0;            ///< Records in the segments.
  std::string cut;                    ///< What was cut from them, in words.
  LastEpoch last;                     ///< Who wrote before.
  std::uint64_t lost = 0;             ///< See continue_signed.
  bool is_signer_new = false;         ///< It remembers nothing.
  std::optional<Predecessor> before;  ///< Of a log that has no record yet.
};

}  // namespace

struct Log::State {
  State(DirectoryLock held, std::unique_ptr<LogSigner> own, LogSigner& used)
      : lock(std::move(held)),
        own_signer(std::move(own)),
        signer(used),
        operation_key(signer.derived_keys().operations) {}

  DirectoryLock lock;
  std::unique_ptr<LogSigner> own_signer;  ///< Where the options name none.
  LogSigner& signer;
  OperationKey operation_key;
  LogOptions options;
  std::uint64_t recovered = 0;
  std::unique_ptr<SegmentLog> segments;
  std::vector<std::unique_ptr<Ring>> rings;
  FlushSignal signal;
  std::vector<std::unique_ptr<WorkerLog>> ends;
  std::unique_ptr<Writer> writer;

  Result<void> make_rings(std::uint64_t epoch);
  void make_writer(Disk& disk, std::function<void(std::uint32_t)> on_durable);
  void note_opening(Now now, const Opening& opening, const RingRecovery& from_rings);
  void remove_rings() noexcept;
};

/// One ring per worker and one for the control thread, in place of the old; a position
/// for each, and one for the writer itself.
Result<void> Log::State::make_rings(std::uint64_t epoch) {
  std::vector<Position> positions;
  for (std::uint32_t worker = 0; worker <= options.workers; ++worker) {
    auto ring =
        Ring::create(ring_path(options.directory, worker), options.ring_bytes, worker, epoch);
    if (!ring) return fail(ring.error().message);
    positions.push_back({epoch, worker, 0});
    ends.push_back(std::make_unique<WorkerLog>(**ring, signal, operation_key));
    rings.push_back(std::move(*ring));
  }
  positions.push_back({epoch, options.workers + 1, 0});
  segments->set_positions(std::move(positions));
  return remove_rings_from(options.directory, options.workers + 1);
}

void Log::State::make_writer(Disk& disk, std::function<void(std::uint32_t)> on_durable) {
  std::vector<Ring*> all;
  for (const auto& ring : rings) all.push_back(ring.get());
  WriterOptions of_writer;
  of_writer.flush_interval = options.flush_interval;
  of_writer.retry_min = options.retry_min;
  of_writer.retry_max = options.retry_max;
  of_writer.on_change = [on_durable = std::move(on_durable),
                         workers = options.workers](std::uint32_t slot) {
    if (on_durable && slot < workers) on_durable(slot);
  };
  of_writer.reread = [this, &disk](const FailureMark& failure, std::span<const Position> promised) {
    return reread_log(disk, options.directory, signer.verifier(), failure, promised);
  };
  of_writer.clock = clocks;
  writer = std::make_unique<Writer>(*segments, std::move(all), signal, std::move(of_writer));
}

void Log::State::note_opening(Now now, const Opening& opening, const RingRecovery& from_rings) {
  WorkerLog& control = *ends.back();
  Record record;
  record.phase = Phase::control;
  record.time = now;
  const auto note = [&](std::string_view event, const std::string& detail) {
    record.event = event;
    record.detail = detail;
    control.append_single(record);
  };
  const auto note_gap = [&](std::string_view event, const std::string& detail) {
    record.phase = Phase::gap;
    note(event, detail);
    record.phase = Phase::control;
  };
  if (opening.before) {
    record.phase = Phase::discontinuity;
    record.event = "epoch-began";
    record.resource = opening.before->place;
    record.result = opening.before->condition;
    record.reason = opening.before->reason;
    record.detail = opening.before->checkpoint;
    control.append_single(record);
    record = {};
    record.phase = Phase::control;
    record.time = now;
  }
  if (opening.is_signer_new) {
    note("signer-began",
         fmt::format("it remembered no log; this one had {} records", opening.found));
  }
  if (opening.lost > 0) {
    note("checkpoint-lost",
         fmt::format("one over {} records was signed and not written; the log goes on from {}",
                     opening.lost, opening.found));
  }
  if (!opening.cut.empty()) note("log-cut", opening.cut);
  for (const auto& damage : from_rings.damaged) note_gap("ring-damaged", damage);
  if (!opening.last.is_closed && !from_rings.is_all_of(opening.last.epoch)) {
    note_gap(
        "epoch-cut",
        fmt::format("epoch {:016x} did not end by itself, and what it had not yet written is "
                    "not whole: records behind {} may be missing",
                    opening.last.epoch,
                    timestamp_text(WallTime{static_cast<std::int64_t>(opening.last.time_ns)}, 9)));
  }
  if (recovered > 0) note("log-recovered", fmt::format("{} records from rings", recovered));
  note("log-opened", fmt::format("epoch {:016x}, {} workers", opening.epoch, options.workers));
}

void Log::State::remove_rings() noexcept {
  (void)remove_rings_from(options.directory, 0);
}

Log::Log(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Log>> Log::open(const LogOptions& options, Now now,
                                       std::function<void(std::uint32_t)> on_durable) {
  if (auto done = check_options(options); !done) return fail(done.error().message);
  std::unique_ptr<LogSigner> own;
  if (options.signer == nullptr) {
    auto key = Signer::load(options.signing_key);
    if (!key) return fail(key.error().message);
    own = std::make_unique<LocalSigner>(std::move(*key));
  }
  LogSigner& signer = own ? *own : *options.signer;
  std::error_code error;
  std::filesystem::create_directories(options.directory, error);
  if (error) {
    return fail(fmt::format("cannot create the audit directory {}: {}", options.directory.string(),
                            error.message()));
  }
  auto lock = DirectoryLock::take(options.directory);
  if (!lock) return fail(lock.error().message);

  auto state = std::make_unique<State>(std::move(*lock), std::move(own), signer);
  state->options = options;
  Disk& disk = options.disk != nullptr ? *options.disk : real_disk();
  const Verifier& verifier = signer.verifier();
  if (auto done = settle_verifier(disk, options.directory, verifier); !done) {
    return fail(done.error().message);
  }
  if (auto done = settle_checkpoint(disk, options.directory, signer); !done) {
    return fail(done.error().message);
  }

  auto left = open_left_rings(options.directory);
  if (!left) return fail(left.error().message);
  auto past = recover_segments(disk, options.directory, verifier, left->failure);
  if (!past) return fail(past.error().message);
  Opening opening;
  opening.epoch = random_epoch();
  opening.found = past->end.tree.size();
  opening.cut = past->cut;
  opening.last = past->last;
  opening.is_signer_new = !signer.state_file().empty() && signer.heads() == SignedHeads{};
  const auto lost = continue_signed(signer, options.directory, TreeHead::of(past->end.tree));
  if (!lost) return fail(lost.error().message);
  opening.lost = *lost;
  for (const auto& ring : left->rings) {
    if (auto done = ring->forget_failure(); !done) return fail(done.error().message);
  }
  state->segments = std::make_unique<SegmentLog>(disk, options.directory, signer,
                                                 options.segment_bytes, past->end);
  auto recovered = empty_left_rings(*left, past->chain, *state->segments);
  if (!recovered) return fail(recovered.error().message);
  state->recovered = *recovered;
  if (opening.found + *recovered == 0) {
    auto before = predecessor_of(options.directory);
    if (!before) return fail(before.error().message);
    opening.before = std::move(*before);
  }

  if (auto done = state->make_rings(opening.epoch); !done) return fail(done.error().message);
  state->make_writer(disk, std::move(on_durable));
  state->note_opening(now, opening, *left);
  // In this thread, so that a disk that cannot be written to stops the start.
  if (const auto first = state->writer->round(); !first) return fail(first.error().message);
  if (options.has_thread) state->writer->start();
  return std::unique_ptr<Log>(new Log(std::move(state)));
}

Log::~Log() {
  Record record;
  record.phase = Phase::control;
  record.time = clocks();
  record.event = closed_event;
  control().append_single(record);
  state_->options.has_thread ? state_->writer->stop() : state_->writer->drain();
  if (state_->writer->failure().empty()) state_->remove_rings();
}

WorkerLog& Log::worker(std::uint32_t index) noexcept {
  ASSERT(index < state_->options.workers);
  return *state_->ends[index];
}

WorkerLog& Log::control() noexcept {
  return *state_->ends.back();
}

LogStatus Log::status() const {
  const Writer::Counts counts = state_->writer->counts();
  LogStatus status;
  status.records = counts.records;
  status.recovered = state_->recovered;
  status.checkpoints = counts.commits;
  status.bytes = counts.bytes;
  status.failures = counts.failures;
  for (const auto& ring : state_->rings) status.refusals += ring->refusals();
  status.failure = state_->writer->failure();
  return status;
}

void Log::turn() {
  ASSERT(!state_->options.has_thread);
  static_cast<void>(state_->writer->round());  // status tells
}

}  // namespace sluice::audit
