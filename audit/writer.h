// The writer thread: drains all rings, commits, tells the workers. It polls,
// because a wake-up per record would cost the worker more than the record; it
// sleeps longer and longer while nothing comes, and a worker in a hurry wakes it.
//
// After a failed write or sync the workers take nothing more. The writer tries, again
// and again, to go on in a new segment behind what is known to be durable.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "audit/drain.h"
#include "audit/flush_signal.h"
#include "audit/recovery.h"
#include "audit/salt.h"
#include "audit/segment_log.h"
#include "base/instant.h"

namespace sluice::audit {

struct Record;

struct WriterOptions {
  Duration flush_interval;
  /// Between two attempts to go on after a failure: doubles from the one to the other.
  Duration retry_min;
  Duration retry_max;
  /// Gets slot numbers: more of its records are durable, or the log broke, or goes on.
  std::function<void(std::uint32_t)> on_change;
  /// See reread_log.
  std::function<Result<SegmentRecovery>(const FailureMark&, std::span<const Position>)> reread;
  std::function<Now()> clock;
};

class Writer {
 public:
  struct Counts {
    std::uint64_t records = 0;
    std::uint64_t commits = 0;
    std::uint64_t bytes = 0;
    std::uint64_t failures = 0;
  };

  /// log, rings and signal outlive the writer. The log has a position for each ring, and
  /// one more for the writer's own records.
  Writer(SegmentLog& log, std::vector<Ring*> rings, FlushSignal& signal, WriterOptions options);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void start();
  /// Drains what is in the rings, then ends the thread.
  void stop();

  /// One batch, or one attempt to go on after a failure; in the caller's thread, when
  /// there is no other. Returns the number of records committed.
  Result<std::uint64_t> round();
  /// What `stop` does, of a writer that was not started.
  void drain();

  [[nodiscard]] Counts counts() const noexcept;
  /// Why nothing is written; empty while all is well.
  [[nodiscard]] std::string failure() const;

 private:
  struct Outage {
    Instant since;
    std::string reason;
    std::uint64_t refusals = 0;  ///< Before it began.
    FailureMark mark;
  };

  void run();
  void wait(Duration time);
  Result<std::uint64_t> commit_once();
  /// seal   to be noted in it; empty: none.
  Result<std::uint64_t> write_batch(const std::string& seal);
  Result<std::uint64_t> resume();
  void stage_note(const Outage& outage);
  void stage_seal(const std::string& seal);
  void stage_own(const Record& record);
  void announce();
  void declare_broken(const std::string& reason);
  void end_outage();
  void set_failure(const std::string& reason);
  void tell_all();
  [[nodiscard]] std::uint64_t refusals() const noexcept;

  SegmentLog& log_;
  std::vector<Ring*> rings_;
  Drain drain_;
  FlushSignal& signal_;
  WriterOptions options_;
  SaltSource salts_;
  std::vector<Position> announced_;  ///< Per slot: how far its worker was told.
  std::optional<Outage> outage_;
  std::string noted_seal_;  ///< Is among this log's records.
  std::string cut_;         ///< What the last reread cut, in words.
  std::atomic<bool> is_stopping_{false};
  std::atomic<std::uint64_t> records_{0};
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> failures_{0};
  mutable std::mutex failure_mutex_;
  std::string failure_;
  std::thread thread_;
};

}  // namespace sluice::audit
