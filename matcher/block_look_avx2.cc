// BlockBits for Isa::avx2.
#include "matcher/block_look.h"
#include "matcher/triggers.h"

namespace sluice::matcher {

std::size_t look_at_blocks_avx2(const std::uint8_t* bytes, std::size_t count,
                                const ByteClasses& ahead, BlockBits* found) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    const TriggerLanes lanes(bytes + i * block_bytes, ahead);
    if (!lanes.rare.is_zero()) return i;
    const Lanes low = lanes.bytes[0];
    const Lanes high = lanes.bytes[1];
    BlockBits& bits = found[i];
    bits.digit = lanes.bits_of<trigger_class::digit>();
    bits.letterish = ask_halves(low, high, [](Lanes of) { return of.raised<6>(); });
    bits.joint = lanes.bits_of<trigger_class::joint>();
    bits.second = ask_halves(low, high, [](Lanes of) { return of.raised<1>(); });
    bits.quote = lanes.bits_of<trigger_class::quote>();
    const std::uint64_t blank_or_mark =
        ask_halves(low, high, [](Lanes of) { return of.is_blank_or_mark(); });
    bits.odd = 0;
    std::uint64_t line_space = 0;
    const Lanes any_odd = low.least(high).is_beyond_print() | low.is('\\') | high.is('\\');
    if (!any_odd.is_zero()) {
      line_space =
          ask_halves(low, high, [](Lanes of) { return of.is('\t') | of.is('\n') | of.is('\r'); });
      bits.odd = ~line_space &
                 ask_halves(low, high, [](Lanes of) { return of.is_beyond_print() | of.is('\\'); });
    }
    bits.mark = blank_or_mark & ~(bits.joint | bits.odd);
    bits.blank = (blank_or_mark & bits.joint) | line_space;
    bits.joint |=
        bits.mark & bits.letterish & ask_halves(low, high, [](Lanes of) { return of.raised<5>(); });
  }
  return count;
}

}  // namespace sluice::matcher
