// 64 bytes at a time: which of them belong to a class, one bit a byte.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace sluice::matcher {

inline constexpr std::size_t block_bytes = 64;

/// Bits below `count`, which is at most 64.
constexpr std::uint64_t bits_below(std::size_t count) noexcept {
  return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

/// `bits` moved up by `count` places; what `before`, the block before, has at its
/// upper end comes in below.
constexpr std::uint64_t moved_up(std::uint64_t bits, std::uint64_t before,
                                 unsigned count) noexcept {
  return bits << count | before >> (64 - count);
}

/// Half a block in a register.
struct Lanes {
  __m256i bytes;

  static Lanes load(const std::uint8_t* from) noexcept {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))};
  }
  static Lanes all(char c) noexcept { return {_mm256_set1_epi8(c)}; }

  friend Lanes operator&(Lanes a, Lanes b) noexcept { return {_mm256_and_si256(a.bytes, b.bytes)}; }
  friend Lanes operator|(Lanes a, Lanes b) noexcept { return {_mm256_or_si256(a.bytes, b.bytes)}; }

  [[nodiscard]] Lanes is(char c) const noexcept {
    return {_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(c))};
  }
  /// low <= byte <= high, as unsigned bytes.
  [[nodiscard]] Lanes is_between(char low, char high) const noexcept {
    const __m256i shifted = _mm256_sub_epi8(bytes, _mm256_set1_epi8(low));
    const __m256i limit = _mm256_set1_epi8(static_cast<char>(high - low));
    return {_mm256_cmpeq_epi8(_mm256_min_epu8(shifted, limit), shifted)};
  }
  /// With bit 5 set: ASCII letters in lower case, '[' as '{' and ']' as '}'. No
  /// other byte becomes one of these.
  [[nodiscard]] Lanes folded() const noexcept { return *this | all(0x20); }
  /// The upper bit of each byte.
  [[nodiscard]] std::uint32_t bits() const noexcept {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes));
  }
};

/// Asks both halves of the block at `bytes` the same question.
template <class Ask>
std::uint64_t ask_block(const std::uint8_t* bytes, Ask&& ask) noexcept {
  const std::uint64_t low = ask(bytes).bits();
  const std::uint64_t high = ask(bytes + 32).bits();
  return high << 32 | low;
}

}  // namespace sluice::matcher
