// What is masked as one: matches that overlap, of one rule or of several.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "matcher/window.h"

namespace sluice::matcher {

struct Cluster {
  std::uint16_t start = 0;
  std::uint16_t end = 0;
  std::uint8_t rule = no_rule;  ///< The earliest listed of those that match here.
  bool is_exact = false;        ///< Matches of that rule alone cover all of it.
};

/// The clusters of one window, ascending and disjoint. Rules are added in the
/// order of their listing, so memory is bounded by the window and not by them.
class ClusterList {
 public:
  void clear() noexcept { size_ = 0; }
  /// Adds all of one rule's matches (and forgets them). A later rule only.
  void add(std::uint8_t rule, MatchTable& matches) noexcept;
  /// Begins with a match that is being swallowed.
  void begin_with(const Cluster& cluster) noexcept {
    lists_[current_][0] = cluster;
    size_ = 1;
  }

  [[nodiscard]] std::span<const Cluster> view() const noexcept {
    return {lists_[current_].data(), size_};
  }

 private:
  // Disjoint and not empty, so there cannot be more of them than bytes.
  std::array<std::array<Cluster, window_bytes_max>, 2> lists_;
  std::size_t current_ = 0;
  std::size_t size_ = 0;
};

}  // namespace sluice::matcher
