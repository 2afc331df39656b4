#include "config/load/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/ascii.h"

namespace sluice::config {
namespace {

char folded(char c) noexcept {
  if (c == '-' || c == ' ') return '_';
  return lower_of(c);
}

/// Insertions, deletions, replacements and swaps of neighbours between two
/// words; case and the kind of separator cost nothing.
std::size_t distance(std::string_view a, std::string_view b) {
  const std::size_t width = b.size() + 1;
  std::vector<std::size_t> cost((a.size() + 1) * width);
  const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& { return cost[i * width + j]; };
  for (std::size_t i = 0; i <= a.size(); ++i) at(i, 0) = i;
  for (std::size_t j = 0; j <= b.size(); ++j) at(0, j) = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = folded(a[i - 1]) == folded(b[j - 1]) ? 0 : 1;
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + replaced});
      const bool is_swap = i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
                           folded(a[i - 2]) == folded(b[j - 1]);
      if (is_swap) at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
    }
  }
  return at(a.size(), b.size());
}

}  // namespace

std::string suggestion_for(std::string_view written, std::span<const std::string_view> known) {
  constexpr std::size_t word_bytes_max = 64;
  if (written.empty() || written.size() > word_bytes_max) return {};
  // A third of the letters may be wrong; a whole word may be missing behind.
  std::size_t nearest = written.size() / 3 + 1;
  std::string_view best;
  for (const std::string_view word : known) {
    if (word.size() > word_bytes_max) continue;
    const std::size_t steps = distance(written, word);
    if (steps < nearest || (steps == nearest && best.empty())) {
      nearest = steps;
      best = word;
    }
  }
  return best.empty() ? std::string() : fmt::format("did you mean '{}'?", best);
}

}  // namespace sluice::config
