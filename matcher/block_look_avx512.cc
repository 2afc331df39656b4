// BlockBits for Isa::avx512: all answers for a byte are one look-up, and those for 64 bytes
// are turned into words at once.
#include <immintrin.h>

#include <array>
#include <string_view>

#include "matcher/block_look.h"
#include "matcher/triggers.h"

// Only what stands between here and the end of this region is made of AVX-512. Headers stay
// outside: what they define inline may be called by code for any machine.
#ifdef __clang__
#pragma clang attribute push(                                                         \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,gfni"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,gfni")
#endif

namespace sluice::matcher {
namespace {

using AsciiBits = std::array<std::uint8_t, 128>;

/// The members of BlockBits in their order, a bit each.
constexpr AsciiBits asked_bits = [] {
  AsciiBits table{};
  for (unsigned c = 0; c < table.size(); ++c) {
    const char byte = static_cast<char>(c);
    const auto is_one_of = [byte](std::string_view set) {
      return set.find(byte) != std::string_view::npos;
    };
    const bool is_blank = is_one_of(" \t\n\r");
    const std::array<bool, 8> asked = {
        c >= '0' && c <= '9',
        (c & 0x40) != 0,
        is_one_of(" -./{}"),
        (c & 2) != 0,
        byte == '"',
        is_one_of("{}[],:"),
        is_blank,
        (c < 0x20 && !is_blank) || byte == '\\',
    };
    unsigned bits = 0;
    for (unsigned i = 0; i < asked.size(); ++i) bits |= unsigned{asked[i]} << i;
    table[c] = static_cast<std::uint8_t>(bits);
  }
  return table;
}();

constexpr AsciiBits trigger_class_bits = [] {
  AsciiBits table{};
  for (unsigned c = 0; c < table.size(); ++c) {
    table[c] = trigger_classes.of_one(static_cast<std::uint8_t>(c));
  }
  return table;
}();

/// A table of all ASCII bytes in registers. Any other is taken for the one that differs from
/// it in the upper bit.
struct AsciiTable {
  __m512i lower;
  __m512i upper;

  explicit AsciiTable(const AsciiBits& table) noexcept
      : lower(_mm512_loadu_si512(table.data())), upper(_mm512_loadu_si512(table.data() + 64)) {}
  /// For each byte the classes of both for which it may be taken.
  explicit AsciiTable(const ByteClasses& classes) noexcept {
    const __m512i high = of_halves(classes.by_upper_half());
    const __m512i low = of_halves(classes.by_lower_half());
    const auto rows_from = [&](int first) {
      const __m512i rows = _mm512_set_epi64(0x0303030303030303, 0x0303030303030303,  //
                                            0x0202020202020202, 0x0202020202020202,  //
                                            0x0101010101010101, 0x0101010101010101, 0, 0);
      const __m512i from = _mm512_set1_epi8(static_cast<char>(first));
      return _mm512_permutexvar_epi8(_mm512_add_epi8(rows, from), high);
    };
    lower = _mm512_and_si512(low, _mm512_or_si512(rows_from(0), rows_from(8)));
    upper = _mm512_and_si512(low, _mm512_or_si512(rows_from(4), rows_from(12)));
  }
  [[nodiscard]] __m512i of(__m512i bytes) const noexcept {
    return _mm512_permutex2var_epi8(lower, bytes, upper);
  }

 private:
  static __m512i of_halves(const std::array<std::uint8_t, 16>& table) noexcept {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table.data())));
  }
};

/// The first of each eight bytes, then the second of each, and so on.
constexpr std::array<std::uint8_t, block_bytes> every_eighth = [] {
  std::array<std::uint8_t, block_bytes> table{};
  for (unsigned i = 0; i < block_bytes; ++i) {
    table[i] = static_cast<std::uint8_t>(i % 8 * 8 + i / 8);
  }
  return table;
}();

/// The first bits of 64 bytes as a word, their second bits, and so on.
__m512i by_bit(__m512i bytes) noexcept {
  // A bit for each byte, and for its place among eight: as a matrix its own transpose.
  const __m512i diagonal = _mm512_set1_epi64(static_cast<long long>(0x8040201008040201));
  const __m512i of_eight = _mm512_gf2p8affine_epi64_epi8(diagonal, bytes, 0);
  const __m512i reversed =
      _mm512_permutexvar_epi8(_mm512_loadu_si512(every_eighth.data()), of_eight);
  // So far the first of eight bytes has the upper bit.
  return _mm512_gf2p8affine_epi64_epi8(reversed, diagonal, 0);
}

}  // namespace

std::size_t look_at_blocks_avx512(const std::uint8_t* bytes, std::size_t count,
                                  const ByteClasses& ahead, BlockBits* found) noexcept {
  static_assert(sizeof(BlockBits) == sizeof(__m512i));
  const AsciiTable classes_of(trigger_class_bits);
  const AsciiTable ahead_classes_of(ahead);
  const AsciiTable asked_of(asked_bits);
  const __m512i upper_bit = _mm512_set1_epi8(static_cast<char>(0x80));
  constexpr int first_or_both_others = 0xF8;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* const block = bytes + i * block_bytes;
    const __m512i here = _mm512_loadu_si512(block);
    const __m512i classes_ahead = ahead_classes_of.of(_mm512_loadu_si512(block + 2));
    if (_mm512_test_epi8_mask(classes_of.of(here), classes_ahead) != 0) return i;
    const __m512i asked =
        _mm512_ternarylogic_epi64(asked_of.of(here), here, upper_bit, first_or_both_others);
    _mm512_storeu_si512(found + i, by_bit(asked));
  }
  return count;
}

}  // namespace sluice::matcher

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
