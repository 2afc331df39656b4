#include "matcher/cluster.h"

#include <algorithm>

namespace sluice::matcher {

void ClusterList::add(std::uint8_t rule, MatchTable& matches) noexcept {
  if (matches.is_empty()) {
    matches.drain([](std::size_t, std::size_t) {});
    return;
  }
  const std::span<const Cluster> before = view();
  auto& merged = lists_[1 - current_];
  std::size_t count = 0;
  std::size_t next_before = 0;
  // Both inputs come by ascending start; what overlaps the last cluster joins it.
  const auto put = [&](const Cluster& next) {
    if (count > 0 && next.start < merged[count - 1].end) {
      Cluster& last = merged[count - 1];
      const std::uint16_t end = std::max(last.end, next.end);
      const std::uint8_t winner = std::min(last.rule, next.rule);
      // Matches of one rule that overlap are one match. Otherwise the earlier
      // rule, which comes first among equal starts, must cover all by itself.
      const bool is_one_match = last.rule == next.rule && last.is_exact && next.is_exact;
      const bool last_covers = last.rule == winner && last.is_exact && last.end == end;
      last.end = end;
      last.rule = winner;
      last.is_exact = is_one_match || last_covers;
    } else {
      merged[count++] = next;
    }
  };
  const auto put_before = [&](std::size_t start) {
    while (next_before < before.size() && before[next_before].start <= start) {
      put(before[next_before++]);
    }
  };
  matches.drain([&](std::size_t start, std::size_t end) {
    put_before(start);
    put({static_cast<std::uint16_t>(start), static_cast<std::uint16_t>(end), rule, true});
  });
  put_before(window_bytes_max);
  current_ = 1 - current_;
  size_ = count;
}

}  // namespace sluice::matcher
