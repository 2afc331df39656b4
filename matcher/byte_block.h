// 64 bytes at a time: which of them belong to a class, one bit a byte.
#pragma once

#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <type_traits>

namespace sluice::matcher {

inline constexpr std::size_t block_bytes = 64;

/// Bits below `count`, which is at most 64.
constexpr std::uint64_t bits_below(std::size_t count) noexcept {
  if (!std::is_constant_evaluated()) {
    return _bzhi_u64(~std::uint64_t{0}, static_cast<unsigned>(count));
  }
  return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

constexpr std::uint64_t all_if(bool is_set) noexcept {
  return std::uint64_t{0} - std::uint64_t{is_set};
}

/// How many bits from the lower, or the upper, end on are zero: one instruction, where
/// the compiler makes a question of it whether there is a bit at all.
inline unsigned zeros_below(std::uint64_t bits) noexcept {
  return static_cast<unsigned>(_tzcnt_u64(bits));
}
inline unsigned zeros_above(std::uint64_t bits) noexcept {
  return static_cast<unsigned>(_lzcnt_u64(bits));
}

/// Half a block in a register.
struct Lanes {
  __m256i bytes;

  static Lanes load(const std::uint8_t* from) noexcept {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))};
  }
  void store(std::uint8_t* to) const noexcept {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), bytes);
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
  [[nodiscard]] Lanes is_digit() const noexcept { return is_between('0', '9'); }
  [[nodiscard]] Lanes is_letter() const noexcept { return folded().is_between('a', 'z'); }
  [[nodiscard]] Lanes is_alnum() const noexcept { return is_digit() | is_letter(); }
  /// With bit 5 set: ASCII letters in lower case, '[' as '{' and ']' as '}'. No
  /// other byte becomes one of these.
  [[nodiscard]] Lanes folded() const noexcept { return *this | all(0x20); }
  /// Bit `Bit` of each byte becomes its upper bit; the others become anything.
  template <int Bit>
  [[nodiscard]] Lanes raised() const noexcept {
    return {_mm256_slli_epi16(bytes, 7 - Bit)};
  }
  /// Whether the byte is a control character or not ASCII.
  [[nodiscard]] Lanes is_beyond_print() const noexcept {
    return {_mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), bytes)};  // Signed: 0x80 to 0xFF are below.
  }
  /// Of each byte the lesser one, as signed bytes.
  [[nodiscard]] Lanes least(Lanes other) const noexcept {
    return {_mm256_min_epi8(bytes, other.bytes)};
  }
  /// ' ', '{', '[', '}', ']', ',' or ':', or one of the control characters 0x00, 0x0C and 0x1A.
  [[nodiscard]] Lanes is_blank_or_mark() const noexcept {
    // By the lower four bits: the one of them, with bit 5 set, that ends in them.
    const __m256i marks =
        _mm256_setr_epi8(' ', 0, 0, 0, 0, 0, 0, 0, 0, 0, ':', '{', ',', '}', 0, 0,  //
                         ' ', 0, 0, 0, 0, 0, 0, 0, 0, 0, ':', '{', ',', '}', 0, 0);
    return {_mm256_cmpeq_epi8(folded().bytes, _mm256_shuffle_epi8(marks, bytes))};
  }
  [[nodiscard]] Lanes is_nothing() const noexcept {
    return {_mm256_cmpeq_epi8(bytes, _mm256_setzero_si256())};
  }
  [[nodiscard]] bool is_zero() const noexcept { return _mm256_testz_si256(bytes, bytes) != 0; }
  /// This byte, or that of `other` where `mask` is set.
  [[nodiscard]] Lanes or_where(Lanes mask, Lanes other) const noexcept {
    return {_mm256_blendv_epi8(bytes, other.bytes, mask.bytes)};
  }
  /// The opposite of bits(): each bit becomes a byte, all of it set or none.
  static Lanes of_bits(std::uint32_t bits) noexcept {
    const __m256i nth_byte =
        _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const __m256i nth_bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201));
    const __m256i spread = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(bits)), nth_byte);
    return {_mm256_cmpeq_epi8(_mm256_and_si256(spread, nth_bit), nth_bit)};
  }
  /// The upper bit of each byte.
  [[nodiscard]] std::uint32_t bits() const noexcept {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes));
  }
};

/// Up to eight classes of bytes, told apart by one look-up for each half of a byte: a
/// byte belongs to class i when bit i is set for both of its halves.
class ByteClasses {
 public:
  /// high, low  bit n: the class has bytes whose upper or lower four bits are n,
  ///            all pairs of them.
  struct Class {
    unsigned high;
    unsigned low;
  };

  constexpr ByteClasses(std::initializer_list<Class> classes) noexcept {
    int bit = 0;
    for (const Class& each : classes) widen(bit++, each);
  }

  /// Adds bytes, and whatever pairs up with them, to the class of bit `bit`.
  constexpr void widen(int bit, Class by) noexcept {
    const unsigned mask = 1U << bit;
    for (unsigned n = 0; n < 16; ++n) {
      if ((by.high >> n & 1U) != 0) high_[n] = static_cast<std::uint8_t>(high_[n] | mask);
      if ((by.low >> n & 1U) != 0) low_[n] = static_cast<std::uint8_t>(low_[n] | mask);
    }
  }

  /// The classes of each byte, as bits. A byte that is not ASCII has none.
  [[nodiscard]] Lanes of(Lanes bytes) const noexcept {
    return {_mm256_and_si256(_mm256_shuffle_epi8(table(high_), upper_half(bytes)),
                             _mm256_shuffle_epi8(table(low_), bytes.bytes))};
  }
  /// The same for all bytes.
  [[nodiscard]] Lanes of_any(Lanes bytes) const noexcept {
    const __m256i lower = _mm256_and_si256(bytes.bytes, _mm256_set1_epi8(15));
    return {_mm256_and_si256(_mm256_shuffle_epi8(table(high_), upper_half(bytes)),
                             _mm256_shuffle_epi8(table(low_), lower))};
  }
  [[nodiscard]] constexpr std::uint8_t of_one(std::uint8_t byte) const noexcept {
    return high_[byte >> 4] & low_[byte & 15];
  }
  /// What of_one joins: the classes that have bytes with such a half.
  [[nodiscard]] const std::array<std::uint8_t, 16>& by_upper_half() const noexcept { return high_; }
  [[nodiscard]] const std::array<std::uint8_t, 16>& by_lower_half() const noexcept { return low_; }

 private:
  static __m256i upper_half(Lanes bytes) noexcept {
    return _mm256_and_si256(_mm256_srli_epi16(bytes.bytes, 4), _mm256_set1_epi8(15));
  }
  static __m256i table(const std::array<std::uint8_t, 16>& from) noexcept {
    return _mm256_broadcastsi128_si256(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(from.data())));
  }

  std::array<std::uint8_t, 16> high_{};
  std::array<std::uint8_t, 16> low_{};
};

/// Half-byte values, as ByteClasses::Class takes them.
constexpr unsigned nibbles(unsigned from, unsigned to) noexcept {
  return (2U << to) - (1U << from);
}
constexpr unsigned nibble(unsigned n) noexcept {
  return 1U << n;
}

/// Asks both halves of the block at `bytes` the same question.
template <class Ask>
std::uint64_t ask_block(const std::uint8_t* bytes, Ask&& ask) noexcept {
  const std::uint64_t low = ask(bytes).bits();
  const std::uint64_t high = ask(bytes + 32).bits();
  return high << 32 | low;
}

/// The same for halves that were looked at before.
template <class Ask>
std::uint64_t ask_halves(Lanes low, Lanes high, Ask&& ask) noexcept {
  return std::uint64_t{ask(high).bits()} << 32 | ask(low).bits();
}

}  // namespace sluice::matcher
