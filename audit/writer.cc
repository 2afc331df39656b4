#include "audit/writer.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>

#include "audit/frame.h"
#include "audit/record.h"
#include "audit/seal.h"
#include "base/assert.h"

namespace sluice::audit {
namespace {
/// While idle: at most this long until a record that nobody waits for is seen.
constexpr Duration idle_nap_max = milliseconds(50);
}  // namespace

Writer::Writer(SegmentLog& log, std::vector<Ring*> rings, FlushSignal& signal,
               WriterOptions options)
    : log_(log),
      rings_(std::move(rings)),
      drain_(rings_, Drain::OnDamage::fail),
      signal_(signal),
      options_(std::move(options)) {
  for (const Ring* ring : rings_) announced_.push_back({ring->epoch(), ring->worker(), 0});
  records_ = log.tree().size();
  commits_ = log.commits();
}

Writer::~Writer() {
  stop();
}

void Writer::start() {
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "audit-writer");
}

void Writer::stop() {
  if (!thread_.joinable()) return;
  is_stopping_.store(true, std::memory_order_release);
  signal_.request();
  thread_.join();
}

/// As the thread would before it ends.
void Writer::drain() {
  for (auto committed = round(); committed && *committed > 0;) committed = round();
}

void Writer::run() {
  Duration nap = options_.flush_interval;
  Duration retry = options_.retry_min;
  for (;;) {
    // Read before the rings: what was appended before `stop` is then drained.
    const bool is_last = is_stopping_.load(std::memory_order_acquire);
    signal_.begin_round();
    const auto committed = round();
    if (!committed) {
      if (is_last) return;
      wait(retry);
      retry = std::min(Duration{retry.ns * 2}, options_.retry_max);
      continue;
    }
    retry = options_.retry_min;
    if (*committed > 0)
      nap = options_.flush_interval;
    else
      nap = std::min(Duration{nap.ns * 2}, std::max(idle_nap_max, options_.flush_interval));
    if (is_last && *committed == 0) return;
    const bool is_behind = is_last || (*committed > 0 && drain_.is_batch_cut());
    if (!is_behind) signal_.wait(nap);
  }
}

/// Whoever hurries the writer does not hurry the disk.
void Writer::wait(Duration time) {
  const Instant end = options_.clock().monotonic + time;
  for (;;) {
    const Duration left = end - options_.clock().monotonic;
    if (left <= Duration{} || is_stopping_.load(std::memory_order_acquire)) return;
    signal_.begin_round();
    // Asked for before this round began, the stop was not seen by the wait.
    if (is_stopping_.load(std::memory_order_seq_cst)) return;
    signal_.wait(left);
  }
}

Result<std::uint64_t> Writer::round() {
  return outage_ ? resume() : commit_once();
}

Result<std::uint64_t> Writer::commit_once() {
  const std::string seal(log_.signer().seal());
  const bool has_new_seal = seal != noted_seal_;
  if (!drain_.has_unread() && !outage_ && !has_new_seal) return std::uint64_t{0};
  const auto staged = write_batch(has_new_seal ? seal : std::string());
  if (!staged) {
    declare_broken(staged.error().message);
    return staged;
  }
  if (has_new_seal) {
    noted_seal_ = seal;
    log_.signer().note_sealed();
  }
  for (Ring* ring : rings_) ring->release_taken();
  records_.store(log_.tree().size(), std::memory_order_relaxed);
  commits_.store(log_.commits(), std::memory_order_relaxed);
  bytes_.store(log_.bytes_written(), std::memory_order_relaxed);
  announce();
  return staged;
}

Result<std::uint64_t> Writer::write_batch(const std::string& seal) {
  if (auto done = log_.begin_batch(); !done) return fail(done.error().message);
  if (outage_) stage_note(*outage_);
  if (const auto found = drain_.look(log_); !found) return fail(found.error().message);
  auto staged = drain_.stage_into(log_);
  if (!staged || (*staged == 0 && !outage_ && seal.empty())) return staged;
  // Behind the others: a log's first record may have to say what it follows.
  if (!seal.empty()) stage_seal(seal);
  if (auto done = log_.commit(); !done) return fail(done.error().message);
  return staged;
}

void Writer::announce() {
  for (std::size_t slot = 0; slot < rings_.size(); ++slot) {
    const std::uint64_t sequence = log_.positions()[slot].sequence;
    if (sequence == announced_[slot].sequence) continue;
    announced_[slot].sequence = sequence;
    rings_[slot]->set_durable_through(sequence);
    if (options_.on_change) options_.on_change(static_cast<std::uint32_t>(slot));
  }
}

/// The failed call is not retried: after a failed sync the kernel may have dropped the
/// pages and call the next sync a success. The mark in the rings survives us, so that
/// the next start does not trust what the page cache shows of this segment.
void Writer::declare_broken(const std::string& reason) {
  const FailureMark mark = log_.trusted();
  if (outage_) {
    outage_->mark = mark;
  } else {
    outage_ = Outage{options_.clock().monotonic, reason, refusals(), mark};
    failures_.fetch_add(1, std::memory_order_relaxed);
  }
  set_failure(reason);
  for (Ring* ring : rings_) ring->mark_broken(mark);
  tell_all();
}

/// Goes on in a new segment: what the rings still hold and the log does not is written
/// once more.
Result<std::uint64_t> Writer::resume() {
  auto past = options_.reread(outage_->mark, announced_);
  if (!past) {
    set_failure(past.error().message);
    return fail(past.error().message);
  }
  for (Ring* ring : rings_) {
    if (auto done = ring->forget_failure(); !done) {
      set_failure(done.error().message);
      return fail(done.error().message);
    }
    ring->rewind();
  }
  outage_->mark = {};
  cut_ = std::move(past->cut);
  std::vector<Position> positions = log_.positions();
  for (Position& position : positions) {
    position.sequence = past->chain.position(position.epoch, position.worker);
  }
  log_.set_positions(std::move(positions));
  log_.continue_at(past->end);
  drain_ = Drain(rings_, Drain::OnDamage::fail);
  const auto committed = commit_once();
  if (committed) end_outage();
  return committed;
}

void Writer::end_outage() {
  outage_.reset();
  set_failure({});
  for (Ring* ring : rings_) ring->mend();
  tell_all();
}

/// The log's own record of the gap, the first behind it.
void Writer::stage_note(const Outage& outage) {
  Record record;
  record.phase = Phase::gap;
  record.time = options_.clock();
  record.event = "log-resumed";
  std::string detail = fmt::format("nothing was written for {} ms: {}; {} appends were refused",
                                   (record.time.monotonic - outage.since).ns / 1'000'000,
                                   outage.reason, refusals() - outage.refusals);
  if (!cut_.empty()) detail += fmt::format("; cut {}", cut_);
  record.detail = detail;
  stage_own(record);
}

/// In the batch that follows the one with whose signature it came.
void Writer::stage_seal(const std::string& seal) {
  Record record;
  record.phase = Phase::control;
  record.time = options_.clock();
  record.event = seal_event;
  record.detail = seal;
  stage_own(record);
}

void Writer::stage_own(const Record& record) {
  const std::size_t slot = rings_.size();
  const Position& own = log_.positions()[slot];
  const Stamp stamp{salts_.next(), own.epoch, own.sequence + 1,
                    static_cast<std::uint32_t>(own.worker)};
  std::vector<std::uint8_t> frame(frame_head_bytes + 1 + encoded_bytes_max(record));
  ASSERT(frame.data() != nullptr);
  frame[frame_head_bytes] = static_cast<std::uint8_t>(FrameType::record);
  const std::size_t encoded = encode(record, stamp, ByteSpan(frame).subspan(frame_head_bytes + 1));
  log_.stage(ByteView(frame).first(seal_frame(frame.data(), 1 + encoded)), slot);
}

void Writer::tell_all() {
  if (!options_.on_change) return;
  for (std::size_t slot = 0; slot < rings_.size(); ++slot) {
    options_.on_change(static_cast<std::uint32_t>(slot));
  }
}

std::uint64_t Writer::refusals() const noexcept {
  std::uint64_t total = 0;
  for (const Ring* ring : rings_) total += ring->refusals();
  return total;
}

void Writer::set_failure(const std::string& reason) {
  const std::lock_guard lock(failure_mutex_);
  failure_ = reason;
}

Writer::Counts Writer::counts() const noexcept {
  return {records_.load(std::memory_order_relaxed), commits_.load(std::memory_order_relaxed),
          bytes_.load(std::memory_order_relaxed), failures_.load(std::memory_order_relaxed)};
}

std::string Writer::failure() const {
  const std::lock_guard lock(failure_mutex_);
  return failure_;
}

}  // namespace sluice::audit
