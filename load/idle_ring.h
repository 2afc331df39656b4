// Connections waiting for a request, in turn: the longest idle goes first, so
// that all of them are used whatever the rate.
#pragma once

#include <cstdint>
#include <vector>

namespace sluice::load {

/// Holds each connection at most once. One that stopped being idle may stay in
/// it: whoever takes it looks.
class IdleRing {
 public:
  explicit IdleRing(std::uint32_t connections) : ring_(connections), held_(connections) {}

  void push(std::uint32_t connection) noexcept {
    if (held_[connection]) return;
    held_[connection] = true;
    ring_[(first_ + count_++) % ring_.size()] = connection;
  }
  /// Not when empty.
  std::uint32_t take() noexcept {
    const std::uint32_t connection = ring_[first_];
    first_ = (first_ + 1) % ring_.size();
    --count_;
    held_[connection] = false;
    return connection;
  }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }

 private:
  std::vector<std::uint32_t> ring_;
  std::vector<bool> held_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace sluice::load
