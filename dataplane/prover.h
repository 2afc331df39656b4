// Slow credential checks (scrypt) on a thread of their own, so that no worker waits.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "base/instant.h"
#include "dataplane/loop/loop.h"

namespace sluice::dataplane {

class Prover {
 public:
  /// `answer` is called from the prover's thread with each verdict.
  explicit Prover(std::function<void(const ProofRequest&, const identity::KeyVerdict&)> answer);
  ~Prover();
  Prover(const Prover&) = delete;
  Prover& operator=(const Prover&) = delete;

  /// Thread-safe. False when the queue is full, so that a flood of guesses costs one
  /// core at the most, and its clients hold nothing while they wait.
  [[nodiscard]] bool request(ProofRequest request);

 private:
  static constexpr std::size_t queue_max = 64;

  void run();

  std::function<void(const ProofRequest&, const identity::KeyVerdict&)> answer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ProofRequest> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace sluice::dataplane
