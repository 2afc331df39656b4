#include "dataplane/prover.h"

#include <chrono>
#include <utility>

namespace sluice::dataplane {

Prover::Prover(std::function<void(const ProofRequest&, const identity::KeyVerdict&)> answer)
    : answer_(std::move(answer)), thread_([this] { run(); }) {}

Prover::~Prover() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

bool Prover::request(ProofRequest request) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= queue_max) return false;
    queue_.push_back(std::move(request));
  }
  changed_.notify_one();
  return true;
}

void Prover::run() {
  for (;;) {
    ProofRequest request;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      request = std::move(queue_.front());
      queue_.pop_front();
    }
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    const WallTime now{std::chrono::nanoseconds(since_epoch).count()};
    answer_(request, request.keys->verify_slow(request.credential, now));
  }
}

}  // namespace sluice::dataplane
