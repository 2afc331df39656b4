// Finds where a run of allowed bytes ends: 32 bytes at a time, and a scalar twin.
//
// Internal to parsers/http1. No load leaves [begin, end): near the end the last
// 32 bytes are loaded again instead, and short inputs take the scalar twin.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/ascii.h"

namespace sluice::http1::scan {

/// RFC 9110 §5.6.2.
constexpr bool is_tchar(unsigned char c) noexcept {
  constexpr char others[] = "!#$%&'*+-.^_`|~";
  for (const char other : others) {
    if (other != '\0' && c == static_cast<unsigned char>(other)) return true;
  }
  return is_letter_or_digit(c);
}

/// RFC 3986 §2.3.
constexpr bool is_unreserved(unsigned char c) noexcept {
  return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
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
template <auto is_member>
struct AsciiClass {
  static constexpr auto table = nibble_table(is_member);
  static constexpr bool contains(unsigned char c) noexcept {
    const unsigned row = table[c & 15U];
    return c < 0x80 && (row >> (c >> 4) & 1U) != 0;
  }
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

/// Where names and values end, for one 64-byte block after the other. Loading a
/// block does not wait for what was found in the one before it, which is most of
/// the speed: finding a stop is then a shift and a count of zeros.
class LineScanner {
 public:
  LineScanner(const char* begin, const char* at, const char* end) noexcept
      : begin_(begin), end_(end) {
    load(at);
  }

  /// The first byte in [at, end) that is no tchar, or end. `at` never goes back by a block.
  const char* end_of_token(const char* at) noexcept {
    return find(at, [this] { return token_stops_; });
  }
  /// The first byte in [at, end) that may not be in a field value, or end.
  const char* end_of_value(const char* at) noexcept {
    return find(at, [this] { return value_stops_; });
  }

 private:
  static constexpr std::ptrdiff_t block_bytes = 64;

  template <class Stops>
  const char* find(const char* at, Stops stops) noexcept {
    for (;;) {
      if (at - block_ >= block_bytes) load(at);
      const std::uint64_t found = stops() >> (at - block_);
      if (found != 0) return at + std::countr_zero(found);
      at = block_ + block_bytes;
    }
  }

  /// Makes [at, at + 64) the block. What is behind end_ counts as a stop.
  void load(const char* at) noexcept {
    const std::ptrdiff_t left = end_ - at;
    block_ = at;
    if (left >= block_bytes) [[likely]] {
      index(at);
      return;
    }
    if (left == 0 || end_ - begin_ < block_bytes) {
      index_scalar(at, left);
    } else {
      index(end_ - block_bytes);
      token_stops_ >>= block_bytes - left;
      value_stops_ >>= block_bytes - left;
    }
    const std::uint64_t behind_end = ~std::uint64_t{0} << left;
    token_stops_ |= behind_end;
    value_stops_ |= behind_end;
  }

  void index(const char* at) noexcept {
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + 32));
    token_stops_ = Token::stops(low) | std::uint64_t{Token::stops(high)} << 32;
    value_stops_ = Value::stops(low) | std::uint64_t{Value::stops(high)} << 32;
  }

  void index_scalar(const char* at, std::ptrdiff_t size) noexcept {
    token_stops_ = 0;
    value_stops_ = 0;
    for (std::ptrdiff_t i = 0; i < size; ++i) {
      const auto c = static_cast<unsigned char>(at[i]);
      token_stops_ |= std::uint64_t{!Token::contains(c)} << i;
      value_stops_ |= std::uint64_t{!Value::contains(c)} << i;
    }
  }

  const char* begin_;
  const char* end_;
  const char* block_;  ///< The bits are about the 64 bytes from here, or as many as there are.
  std::uint64_t token_stops_ = 0;
  std::uint64_t value_stops_ = 0;
};

}  // namespace sluice::http1::scan
