// What is asked of every byte where JSON is passed over 64 bytes at a time, for several
// blocks in one go. This, and nothing else, depends on the machine.
#pragma once

#include <cstddef>
#include <cstdint>

#include "matcher/byte_block.h"
#include "matcher/isa.h"

namespace sluice::matcher {

/// Of a block, one bit a byte. Bytes that are not ASCII are odd; what else is said of them
/// means nothing.
struct BlockBits {
  std::uint64_t digit;
  std::uint64_t letterish;  ///< Bit 6 of the byte: letters and brackets, and some others.
  std::uint64_t joint;      ///< What may join digits: ' ', '-', '.', '/'. Braces, too.
  std::uint64_t second;     ///< Bit 1 of the byte: of joints '.' and '/', of marks '{', '[', ':'.
  std::uint64_t quote;
  std::uint64_t mark;   ///< '{', '}', '[', ']', ',' or ':'.
  std::uint64_t blank;  ///< RFC 8259 §2: ' ', '\t', '\n', '\r'.
  std::uint64_t odd;    ///< Backslash, other control characters, anything not ASCII.

  bool operator==(const BlockBits&) const = default;
};

/// Looks at `count` blocks, one behind the other, up to the first for which
/// TriggerBytes::may_be_rare. Gives the number of blocks before that.
/// ahead  as TriggerLanes takes it; two bytes behind the last block are looked at, too.
using LookAtBlocks = std::size_t(const std::uint8_t* bytes, std::size_t count,
                                 const ByteClasses& ahead, BlockBits* found) noexcept;

LookAtBlocks look_at_blocks_scalar;  ///< Byte by byte, for tests to compare.
LookAtBlocks look_at_blocks_avx2;
LookAtBlocks look_at_blocks_avx512;

inline LookAtBlocks& look_at_blocks(Isa isa) noexcept {
  switch (isa) {
    case Isa::scalar:
      return look_at_blocks_scalar;
    case Isa::avx2:
      return look_at_blocks_avx2;
    case Isa::avx512:
      return look_at_blocks_avx512;
  }
  return look_at_blocks_scalar;
}

}  // namespace sluice::matcher
