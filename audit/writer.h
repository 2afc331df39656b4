// The writer thread: drains all rings, commits, tells the workers. It polls,
// because a wake-up per record would cost the worker more than the record; it
// sleeps longer and longer while nothing comes, and a worker in a hurry wakes it.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "audit/drain.h"
#include "audit/flush_signal.h"
#include "audit/segment_log.h"
#include "base/instant.h"

namespace sluice::audit {

class Writer {
 public:
  struct Counts {
    std::uint64_t records = 0;
    std::uint64_t commits = 0;
    std::uint64_t bytes = 0;
  };

  /// log, rings and signal outlive the writer. `on_durable` gets slot numbers.
  Writer(SegmentLog& log, std::vector<Ring*> rings, FlushSignal& signal, Duration flush_interval,
         std::function<void(std::uint32_t)> on_durable);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void start();
  /// Drains what is in the rings, then ends the thread.
  void stop();

  /// One batch, in the caller's thread; before `start` or after `stop` only.
  /// Returns the number of records committed.
  Result<std::uint64_t> commit_once();

  [[nodiscard]] Counts counts() const noexcept;
  [[nodiscard]] std::string failure() const;

 private:
  void run();
  void announce();
  void declare_broken(const std::string& reason);

  SegmentLog& log_;
  std::vector<Ring*> rings_;
  Drain drain_;
  FlushSignal& signal_;
  Duration flush_interval_;
  std::function<void(std::uint32_t)> on_durable_;
  std::vector<std::uint64_t> announced_;  ///< Per slot: last sequence made known.
  std::atomic<bool> is_stopping_{false};
  std::atomic<std::uint64_t> records_{0};
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> bytes_{0};
  mutable std::mutex failure_mutex_;
  std::string failure_;
  std::thread thread_;
};

}  // namespace sluice::audit
