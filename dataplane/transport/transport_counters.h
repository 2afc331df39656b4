// What a transport did so far; written by its owner, readable by any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace sluice::dataplane {

/// A count with one writer: no locked instruction is needed to add.
class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t read() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct TransportCounters {
  Counter turns;            ///< Calls of poll.
  Counter accepted;         ///< Clients taken in.
  Counter refused;          ///< Clients closed at once: the connection table was full.
  Counter accept_failures;  ///< The kernel could not accept, e.g. for want of descriptors.
  Counter connects;         ///< Outgoing connections begun.
  Counter receives;         ///< `received` completions.
  Counter received_bytes;
  Counter starvations;  ///< Receives that stopped because no buffer was free.
  Counter sends;        ///< `sent` completions.
  Counter sent_bytes;
  Counter partial_sends;  ///< Sends that had to be continued.
  Counter spliced_bytes;  ///< Received and sent without passing the pool.
};

}  // namespace sluice::dataplane
