// The instruction takes three cycles for each word and could begin one in each: so three
// parts of the bytes are summed side by side, and then put together.
#include "base/crc32c.h"

#include <wmmintrin.h>

#include <algorithm>
#include <array>

namespace sluice {
namespace {

constexpr std::size_t word_bytes = 8;
constexpr std::size_t lanes = 3;
constexpr std::size_t lane_words_max = 64;

/// At N: x^(64 N - 33) modulo the polynomial, bits reflected. A remainder times that, reduced
/// by the instruction once more, is the remainder with N words of zeros behind it: reflected
/// factors leave a product that is x short, and the reduction of 64 bits adds x^32.
constexpr auto behind_words = [] {
  constexpr std::uint32_t polynomial = 0x82f63b78U;
  std::array<std::uint32_t, (lanes - 1) * lane_words_max + 1> out{};
  std::uint32_t power = 1;  // x^31
  for (std::size_t words = 1; words < out.size(); ++words) {
    out[words] = power;
    for (int bit = 0; bit < 64; ++bit) power = (power >> 1U) ^ ((power & 1U) * polynomial);
  }
  return out;
}();

std::uint64_t word_at(const std::uint8_t* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// Every host with the rest of x86-64-v3 has carry-less multiplication, which that does not name.
[[gnu::target("pclmul")]] __m128i product(std::uint64_t remainder, std::uint32_t power) noexcept {
  return _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<std::int64_t>(remainder)),
                              _mm_cvtsi32_si128(static_cast<std::int32_t>(power)), 0);
}

}  // namespace

[[gnu::target("pclmul")]] std::uint32_t crc32c_add_in_lanes(std::uint32_t remainder,
                                                            ByteView bytes) noexcept {
  while (bytes.size() >= crc32c_lanes_bytes_min) {
    const std::size_t words = std::min(bytes.size() / (lanes * word_bytes), lane_words_max);
    const std::size_t lane_bytes = words * word_bytes;
    const std::uint8_t* at = bytes.data();
    std::uint64_t first = remainder;
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t word = 0; word < words; ++word, at += word_bytes) {
      first = _mm_crc32_u64(first, word_at(at));
      second = _mm_crc32_u64(second, word_at(at + lane_bytes));
      third = _mm_crc32_u64(third, word_at(at + 2 * lane_bytes));
    }
    const __m128i shifted = _mm_xor_si128(product(first, behind_words[2 * words]),
                                          product(second, behind_words[words]));
    third ^= _mm_crc32_u64(0, static_cast<std::uint64_t>(_mm_cvtsi128_si64(shifted)));
    remainder = static_cast<std::uint32_t>(third);
    bytes = bytes.subspan(lanes * lane_bytes);
  }
  return crc32c_add(remainder, bytes);
}

}  // namespace sluice
