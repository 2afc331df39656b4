// CRC32C (Castagnoli) with the instruction of SSE4.2, which every host we
// build for has. It finds torn and flipped bytes; it proves nothing.
//
// source   RFC 3720 appendix B.4 (known answers).
#pragma once

#include <nmmintrin.h>

#include <cstring>

#include "base/bytes.h"

namespace sluice {

inline constexpr std::uint32_t crc32c_start = 0xffffffffU;
/// From here on three lanes at once are faster than one word after the other.
inline constexpr std::size_t crc32c_lanes_bytes_min = 96;

/// The same as crc32c_add, for at least crc32c_lanes_bytes_min.
std::uint32_t crc32c_add_in_lanes(std::uint32_t remainder, ByteView bytes) noexcept;

/// Continues a running remainder; begin with crc32c_start, end with crc32c_end.
inline std::uint32_t crc32c_add(std::uint32_t remainder, ByteView bytes) noexcept {
  if (bytes.size() >= crc32c_lanes_bytes_min) return crc32c_add_in_lanes(remainder, bytes);
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  const auto take = [&at, &left](auto& word) {
    std::memcpy(&word, at, sizeof word);
    at += sizeof word;
    left -= sizeof word;
  };
  std::uint64_t wide = remainder;
  while (left >= 8) {
    std::uint64_t word = 0;
    take(word);
    wide = _mm_crc32_u64(wide, word);
  }
  auto narrow = static_cast<std::uint32_t>(wide);
  if (left >= 4) {
    std::uint32_t word = 0;
    take(word);
    narrow = _mm_crc32_u32(narrow, word);
  }
  for (; left > 0; ++at, --left) narrow = _mm_crc32_u8(narrow, *at);
  return narrow;
}

inline std::uint32_t crc32c_end(std::uint32_t remainder) noexcept {
  return ~remainder;
}

inline std::uint32_t crc32c(ByteView bytes) noexcept {
  return crc32c_end(crc32c_add(crc32c_start, bytes));
}

}  // namespace sluice
