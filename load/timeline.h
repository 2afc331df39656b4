// What all workers did in each second, as the seconds pass.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "load/latency_histogram.h"

namespace sluice::load {

/// One second: second 0 begins where counting begins; warm-up is before it.
struct Tick {
  std::int64_t second = 0;
  LatencyHistogram latency;
  std::uint64_t errors = 0;

  void clear() noexcept;
};

/// Workers hand their seconds in, one thread takes them out, whole and in order.
class Timeline {
 public:
  explicit Timeline(std::uint32_t workers);

  /// The worker is done with this second and all before it.
  void add(std::uint32_t worker, const Tick& part);
  /// The worker adds no more.
  void leave(std::uint32_t worker);
  /// The next second that every worker is done with; waits for it. Null after the last.
  std::unique_ptr<Tick> next();
  /// Gives a tick back, so that workers need not make new ones.
  void recycle(std::unique_ptr<Tick> tick);

 private:
  [[nodiscard]] bool is_ready() const noexcept;
  [[nodiscard]] bool is_over() const noexcept;
  Tick& pending(std::int64_t second);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::int64_t> done_;  ///< By worker: the last second handed in.
  std::deque<std::unique_ptr<Tick>> pending_;
  std::vector<std::unique_ptr<Tick>> spare_;
};

}  // namespace sluice::load
