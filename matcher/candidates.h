// Where in a window an exact check is worth its time: 32 bytes are asked at once, and
// only the places that answer are visited.
#pragma once

#include <bit>
#include <cstdint>

#include "matcher/byte_block.h"
#include "matcher/window.h"

namespace sluice::matcher {

/// One bit a byte.
struct Candidates {
  std::uint32_t here = 0;      ///< A match may begin here …
  std::uint32_t excluded = 0;  ///< … but not behind such a byte.
};

/// Calls visit(place) for each candidate in [window.undecided, window.horizon()).
/// excluded  the classes of Candidates::excluded: what stands before the first byte.
/// ask       gives the candidates among the 32 bytes at a pointer, and may look as far
///           as 32 bytes behind them.
template <class Ask, class Visit>
void visit_candidates(const Window& window, std::uint16_t excluded, Ask&& ask,
                      Visit&& visit) noexcept {
  const std::size_t horizon = window.horizon();
  std::uint32_t before = window.has_before(window.undecided, excluded) ? 1 : 0;
  for (std::size_t at = window.undecided; at < horizon; at += sizeof(Lanes)) {
    const Candidates found = ask(window.bytes + at);
    std::uint32_t here = found.here & ~(found.excluded << 1 | before);
    before = found.excluded >> 31;
    for (; here != 0; here &= here - 1) {
      const std::size_t place = at + static_cast<std::size_t>(std::countr_zero(here));
      if (place >= horizon) return;
      visit(place);
    }
  }
}

}  // namespace sluice::matcher
