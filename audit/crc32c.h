// CRC32C (Castagnoli) with the instruction of SSE4.2, which every host we
// build for has. It finds torn and flipped bytes; it proves nothing.
//
// source   RFC 3720 appendix B.4 (known answers).
#pragma once

#include <nmmintrin.h>

#include <cstring>

#include "base/bytes.h"

namespace sluice::audit {

inline constexpr std::uint32_t crc32c_start = 0xffffffffU;

/// Continues a running remainder; begin with crc32c_start, end with crc32c_end.
inline std::uint32_t crc32c_add(std::uint32_t remainder, ByteView bytes) noexcept {
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t wide = remainder;
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    wide = _mm_crc32_u64(wide, word);
  }
  auto narrow = static_cast<std::uint32_t>(wide);
  for (; left > 0; ++at, --left) narrow = _mm_crc32_u8(narrow, *at);
  return narrow;
}

inline std::uint32_t crc32c_end(std::uint32_t remainder) noexcept {
  return ~remainder;
}

inline std::uint32_t crc32c(ByteView bytes) noexcept {
  return crc32c_end(crc32c_add(crc32c_start, bytes));
}

}  // namespace sluice::audit
