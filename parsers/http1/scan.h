// Finds where a run of allowed bytes ends: 32 bytes at a time, and a scalar twin.
//
// Internal to parsers/http1. No load leaves [begin, end): near the end the last
// 32 bytes are loaded again instead, and short inputs take the scalar twin.
#pragma once

#include <immintrin.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace sluice::http1::scan {

constexpr bool is_alpha(unsigned char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_digit(unsigned char c) noexcept {
  return c >= '0' && c <= '9';
}

/// RFC 9110 §5.6.2.
constexpr bool is_tchar(unsigned char c) noexcept {
  constexpr char others[] = "!#$%&'*+-.^_`|~";
  for (const char other : others) {
    if (other != '\0' && c == static_cast<unsigned char>(other)) return true;
  }
  return is_alpha(c) || is_digit(c);
}

/// RFC 3986 §2.3.
constexpr bool is_unreserved(unsigned char c) noexcept {
  return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/// Membership of the ASCII bytes in a class, as two nibble look-ups: for each
/// low nibble, one bit per high nibble.
template <class Predicate>
constexpr std::array<std::uint8_t, 16> nibble_table(Predicate contains) noexcept {
  std::array<std::uint8_t, 16> table{};
  for (unsigned c = 0; c < 128; ++c) {
    if (contains(static_cast<unsigned char>(c))) {
      auto& row = table[c & 15U];
      row = static_cast<std::uint8_t>(row | 1U << (c >> 4));
    }
  }
  return table;
}

/// Bits of the bytes of `bytes` that are outside the class.
inline std::uint32_t outside(__m256i bytes, const std::array<std::uint8_t, 16>& table) noexcept {
  const __m256i rows =
      _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table.data())));
  const __m256i bit_of_high =
      _mm256_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64,
                       -128, 0, 0, 0, 0, 0, 0, 0, 0);
  const __m256i low_nibbles = _mm256_set1_epi8(15);
  const __m256i row = _mm256_shuffle_epi8(rows, _mm256_and_si256(bytes, low_nibbles));
  const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low_nibbles);
  const __m256i bit = _mm256_shuffle_epi8(bit_of_high, high);
  const __m256i misses = _mm256_cmpeq_epi8(_mm256_and_si256(row, bit), _mm256_setzero_si256());
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(misses));
}

/// A class of ASCII bytes, given as a predicate.
template <auto Contains>
struct AsciiClass {
  static constexpr bool contains(unsigned char c) noexcept { return c < 0x80 && Contains(c); }
  static constexpr auto table = nibble_table(Contains);
  static std::uint32_t stops(__m256i bytes) noexcept { return outside(bytes, table); }
};

/// Method and field names.
using Token = AsciiClass<is_tchar>;
/// Registered names and IPv4 addresses.
using HostName = AsciiClass<is_unreserved>;

/// Field values and reason phrases: HTAB, visible ASCII, SP, obs-text (RFC 9110 §5.5).
struct Value {
  static constexpr bool contains(unsigned char c) noexcept {
    return c == '\t' || (c >= 0x20 && c != 0x7F);
  }
  static std::uint32_t stops(__m256i bytes) noexcept {
    const __m256i control =
        _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1F)), bytes);
    const __m256i tab = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\t'));
    const __m256i del = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7F));
    return static_cast<std::uint32_t>(
        _mm256_movemask_epi8(_mm256_or_si256(_mm256_andnot_si256(tab, control), del)));
  }
};

/// Request targets: visible ASCII.
struct Visible {
  static constexpr bool contains(unsigned char c) noexcept { return c > 0x20 && c < 0x7F; }
  static std::uint32_t stops(__m256i bytes) noexcept {
    // Signed comparison: bytes from 0x80 on are negative, so not above SP.
    const __m256i above_space = _mm256_cmpgt_epi8(bytes, _mm256_set1_epi8(0x20));
    const __m256i del = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7F));
    return ~static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_andnot_si256(del, above_space)));
  }
};

template <class Class>
const char* end_of_run_scalar(const char* at, const char* end) noexcept {
  while (at != end && Class::contains(static_cast<unsigned char>(*at))) ++at;
  return at;
}

/// The first byte in [at, end) outside Class, or end. Bytes from `begin` on are readable.
template <class Class>
inline const char* end_of_run(const char* at, const char* begin, const char* end) noexcept {
  constexpr std::ptrdiff_t width = 32;
  while (end - at >= width) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    const std::uint32_t stops = Class::stops(bytes);
    if (stops != 0) return at + std::countr_zero(stops);
    at += width;
  }
  if (at == end) return end;
  if (end - begin < width) return end_of_run_scalar<Class>(at, end);
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(end - width));
  const std::uint32_t stops = Class::stops(bytes) >> (width - (end - at));
  return stops != 0 ? at + std::countr_zero(stops) : end;
}

}  // namespace sluice::http1::scan
