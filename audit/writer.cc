#include "audit/writer.h"

#include <pthread.h>

#include <algorithm>

namespace sluice::audit {
namespace {
/// While idle: at most this long until a record that nobody waits for is seen.
constexpr Duration idle_nap_max = milliseconds(50);
}  // namespace

Writer::Writer(SegmentLog& log, std::vector<Ring*> rings, FlushSignal& signal,
               Duration flush_interval, std::function<void(std::uint32_t)> on_durable)
    : log_(log),
      rings_(std::move(rings)),
      drain_(rings_, Drain::OnDamage::fail),
      signal_(signal),
      flush_interval_(flush_interval),
      on_durable_(std::move(on_durable)),
      announced_(rings_.size()) {
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

void Writer::run() {
  Duration nap = flush_interval_;
  for (;;) {
    // Read before the rings: what was appended before `stop` is then drained.
    const bool is_last = is_stopping_.load(std::memory_order_acquire);
    signal_.begin_round();
    const auto committed = commit_once();
    if (!committed) return;
    if (*committed > 0)
      nap = flush_interval_;
    else
      nap = std::min(Duration{nap.ns * 2}, std::max(idle_nap_max, flush_interval_));
    if (is_last && *committed == 0) return;
    const bool is_behind = is_last || (*committed > 0 && drain_.is_batch_cut());
    if (!is_behind) signal_.wait(nap);
  }
}

Result<std::uint64_t> Writer::commit_once() {
  if (!drain_.has_unread()) return std::uint64_t{0};
  auto done = log_.begin_batch();
  Result<std::uint64_t> staged = std::uint64_t{0};
  if (done) {
    if (const auto found = drain_.look(log_); !found)
      done = fail(found.error().message);
    else
      staged = drain_.stage_into(log_);
  }
  if (done && !staged) done = fail(staged.error().message);
  if (done && *staged > 0) done = log_.commit();
  if (!done) {
    declare_broken(done.error().message);
    return fail(done.error().message);
  }
  for (Ring* ring : rings_) ring->release_taken();
  records_.store(log_.tree().size(), std::memory_order_relaxed);
  commits_.store(log_.commits(), std::memory_order_relaxed);
  bytes_.store(log_.bytes_written(), std::memory_order_relaxed);
  announce();
  return staged;
}

void Writer::announce() {
  for (std::size_t slot = 0; slot < rings_.size(); ++slot) {
    const std::uint64_t sequence = log_.positions()[slot].sequence;
    if (sequence == announced_[slot]) continue;
    announced_[slot] = sequence;
    rings_[slot]->set_durable_through(sequence);
    if (on_durable_) on_durable_(static_cast<std::uint32_t>(slot));
  }
}

/// Nothing is retried: after a failed sync the kernel may have dropped the pages
/// and call the next sync a success. The mark in the rings survives us, so that
/// the next start does not trust what the page cache shows of this segment.
void Writer::declare_broken(const std::string& reason) {
  {
    const std::lock_guard lock(failure_mutex_);
    failure_ = reason;
  }
  for (std::size_t slot = 0; slot < rings_.size(); ++slot) {
    rings_[slot]->mark_broken(log_.trusted());
    if (on_durable_) on_durable_(static_cast<std::uint32_t>(slot));
  }
}

Writer::Counts Writer::counts() const noexcept {
  return {records_.load(std::memory_order_relaxed), commits_.load(std::memory_order_relaxed),
          bytes_.load(std::memory_order_relaxed)};
}

std::string Writer::failure() const {
  const std::lock_guard lock(failure_mutex_);
  return failure_;
}

}  // namespace sluice::audit
