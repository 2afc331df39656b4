// Mailbox: moved values from any thread to one owner, with a wake-up hook.
//
// For control traffic (snapshots, drain, key tables), a handful of values per
// second: a mutex is the right tool. The data path polls `maybe_has_mail`, one
// relaxed load per loop turn.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace sluice {

template <class T>
class Mailbox {
 public:
  /// `wake` is called by the sender after each post; it must be thread-safe.
  explicit Mailbox(std::function<void()> wake = {}) : wake_(std::move(wake)) {}

  void post(T value) {
    {
      const std::lock_guard lock(mutex_);
      values_.push_back(std::move(value));
      has_mail_.store(true, std::memory_order_release);
    }
    if (wake_) wake_();
  }

  [[nodiscard]] bool maybe_has_mail() const noexcept {
    return has_mail_.load(std::memory_order_relaxed);
  }

  /// Everything posted so far, oldest first. Owner's thread only.
  [[nodiscard]] std::vector<T> take() {
    const std::lock_guard lock(mutex_);
    has_mail_.store(false, std::memory_order_relaxed);
    return std::exchange(values_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<T> values_;
  std::atomic<bool> has_mail_{false};
  std::function<void()> wake_;
};

}  // namespace sluice
