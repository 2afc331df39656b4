// Payment card numbers (ISO/IEC 7812-1): whole digit groups, 13 to 19 digits in
// all, a known issuer range that uses that many, and a valid check digit.
#include <algorithm>
#include <array>
#include <bit>

#include "matcher/builtin_finders.h"
#include "matcher/candidates.h"

namespace sluice::matcher {
namespace {

constexpr std::uint32_t lengths(unsigned from, unsigned to) noexcept {
  std::uint32_t bits = 0;
  for (unsigned n = from; n <= to; ++n) bits |= 1U << n;
  return bits;
}

/// Issuer identification numbers by their first six digits, and how many digits
/// such cards have (bit n: n digits).
struct IssuerRange {
  std::uint32_t first;
  std::uint32_t last;
  std::uint32_t lengths;
};

constexpr std::array issuer_ranges = {
    IssuerRange{100000, 199999, lengths(15, 15)},  // UATP
    IssuerRange{220000, 220499, lengths(16, 19)},  // Mir
    IssuerRange{222100, 272099, lengths(16, 16)},  // Mastercard
    IssuerRange{300000, 305999, lengths(14, 19)},  // Diners Club
    IssuerRange{309500, 309599, lengths(14, 19)},  // Diners Club
    IssuerRange{340000, 349999, lengths(15, 15)},  // American Express
    IssuerRange{352800, 358999, lengths(16, 19)},  // JCB
    IssuerRange{360000, 369999, lengths(14, 19)},  // Diners Club
    IssuerRange{370000, 379999, lengths(15, 15)},  // American Express
    IssuerRange{380000, 399999, lengths(14, 19)},  // Diners Club
    IssuerRange{400000, 499999, lengths(13, 13) | lengths(16, 16) | lengths(19, 19)},  // Visa
    IssuerRange{500000, 509999, lengths(13, 19)},  // Maestro, Verve, RuPay
    IssuerRange{510000, 559999, lengths(16, 16)},  // Mastercard
    IssuerRange{560000, 589999, lengths(13, 19)},  // Maestro
    IssuerRange{600000, 699999, lengths(13, 19)},  // Maestro, Discover, UnionPay, RuPay, Troy
    IssuerRange{810000, 829999, lengths(16, 19)},  // UnionPay, RuPay
    IssuerRange{979200, 979299, lengths(16, 16)},  // Troy
};

/// Allowed lengths by the first three digits: a superset that costs one look-up.
constexpr std::array<std::uint32_t, 1000> lengths_by_three = [] {
  std::array<std::uint32_t, 1000> table{};
  for (const IssuerRange& range : issuer_ranges) {
    for (std::uint32_t three = range.first / 1000; three <= range.last / 1000; ++three) {
      table[three] |= range.lengths;
    }
  }
  return table;
}();

std::uint32_t lengths_of(std::uint32_t six_digits) noexcept {
  std::uint32_t bits = lengths_by_three[six_digits / 1000];
  if (bits == 0) return 0;
  bits = 0;
  for (const IssuerRange& range : issuer_ranges) {
    if (six_digits >= range.first && six_digits <= range.last) bits |= range.lengths;
  }
  return bits;
}

constexpr unsigned digits_min = 13;
constexpr unsigned digits_max = 19;
/// Of a card number with a separator behind each digit but the last.
static_assert(2 * digits_max - 1 <= block_bytes);

/// Digits that single separators join, as far as a block reaches.
struct Chain {
  std::uint64_t digits;  ///< One bit a byte.
  std::uint64_t last;    ///< The last digit of each group.
};

Chain chain_at(const Window& window, std::size_t start) noexcept {
  const std::uint8_t* const block = window.bytes + start;
  const std::uint64_t in_window = bits_below(std::min(window.size - start, block_bytes));
  const std::uint64_t digits =
      in_window & ask_block(block, [](const auto* half) { return Lanes::load(half).is_digit(); });
  const std::uint64_t separators = ask_block(block, [](const std::uint8_t* half) {
    const Lanes bytes = Lanes::load(half);
    return bytes.is(' ') | bytes.is('-');
  });
  const std::uint64_t joined = digits | (separators & digits << 1 & digits >> 1);
  const std::uint64_t chain = digits & bits_below(zeros_below(~joined));
  return {chain, chain & ~(chain >> 1)};
}

/// The digits of a chain, one behind the other; behind them lies anything.
struct Digits {
  std::array<std::uint8_t, 64> text;

  Digits(const std::uint8_t* block, const Chain& chain) noexcept {
    std::size_t count = 0;
    std::uint64_t rest = chain.digits;
    while (rest != 0 && count <= digits_max) {
      // A register full, of which the next group overwrites what does not belong to this.
      const unsigned begin = zeros_below(rest);
      const unsigned size = zeros_below(~(rest >> begin));
      Lanes::load(block + begin).store(text.data() + count);
      count += std::min(size, digits_max + 1);
      rest &= ~bits_below(std::min(begin + size, 64U));
    }
  }

  [[nodiscard]] std::uint32_t first_six() const noexcept {
    std::uint32_t number = 0;
    for (unsigned i = 0; i < 6; ++i) number = number * 10 + text[i] - '0';
    return number;
  }

  /// ISO/IEC 7812-1 annex B: the last of `count` digits counts once, the one before it
  /// twice, and so on; of what has two digits both are added.
  [[nodiscard]] bool is_luhn(unsigned count) const noexcept {
    const __m256i number = _mm256_sub_epi8(Lanes::load(text.data()).bytes, Lanes::all('0').bytes);
    const __m256i twice = _mm256_setr_epi8(0, 2, 4, 6, 8, 1, 3, 5, 7, 9, 0, 0, 0, 0, 0, 0,  //
                                           0, 2, 4, 6, 8, 1, 3, 5, 7, 9, 0, 0, 0, 0, 0, 0);
    constexpr std::uint32_t every_second = 0x55555555;
    const Lanes is_twice = Lanes::of_bits(every_second << count % 2);
    const Lanes values = Lanes{number}.or_where(is_twice, {_mm256_shuffle_epi8(twice, number)}) &
                         Lanes::of_bits(static_cast<std::uint32_t>(bits_below(count)));
    const __m256i sums = _mm256_sad_epu8(values.bytes, _mm256_setzero_si256());
    const __m128i halves =
        _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    return (_mm_cvtsi128_si64(halves) + _mm_extract_epi64(halves, 1)) % 10 == 0;
  }
};

}  // namespace

std::optional<std::size_t> payment_card_at(const Window& window, std::size_t start) noexcept {
  const Chain chain = chain_at(window, start);
  if (std::popcount(chain.digits) < static_cast<int>(digits_min)) return std::nullopt;
  const Digits digits(window.bytes + start, chain);
  const std::uint32_t allowed = lengths_of(digits.first_six());
  std::optional<std::size_t> end;
  for (std::uint64_t last = chain.last; last != 0; last &= last - 1) {
    const unsigned group_end = zeros_below(last) + 1;
    const auto count = static_cast<unsigned>(std::popcount(chain.digits & bits_below(group_end)));
    if (count > digits_max) break;
    if ((allowed >> count & 1U) != 0 && digits.is_luhn(count)) end = start + group_end;
  }
  return end;
}

namespace {

/// "4.111111111111111E15": what programs make of a number that they keep as a double.
std::optional<std::size_t> scientific_card_at(const Window& window, std::size_t start) noexcept {
  constexpr std::size_t fraction_digits_min = 9;  // So that it triggers; fewer hold too many zeros.
  constexpr std::size_t exponent_digits_max = 3;
  const std::size_t fraction = start + 2;
  const std::size_t fraction_end = window.end_of_run(fraction, byte_class::digit);
  const std::size_t fraction_digits = fraction_end - fraction;
  if (fraction_digits < fraction_digits_min) return std::nullopt;
  if (!window.is_at(fraction_end, 'e') && !window.is_at(fraction_end, 'E')) return std::nullopt;
  const std::size_t exponent = fraction_end + (window.is_at(fraction_end + 1, '+') ? 2 : 1);
  const std::size_t end = window.end_of_run(exponent, byte_class::digit);
  if (end == exponent || end - exponent > exponent_digits_max) return std::nullopt;
  std::size_t power = 0;
  for (std::size_t at = exponent; at < end; ++at) power = power * 10 + (window.bytes[at] - '0');
  if (power < fraction_digits || power >= digits_max) return std::nullopt;

  std::array<std::uint8_t, digits_max + readable_tail_bytes> digits;
  digits.fill('0');
  digits[0] = window.bytes[start];
  std::copy(window.bytes + fraction, window.bytes + fraction_end, digits.begin() + 1);
  Window written;
  written.bytes = digits.data();
  written.size = power + 1;
  return payment_card_at(written, 0) == written.size ? std::optional(end) : std::nullopt;
}

}  // namespace

void find_payment_cards(const Window& window, MatchTable& out) noexcept {
  const auto ask = [](const std::uint8_t* block) {
    const std::uint32_t digits = Lanes::load(block).is_digit().bits();
    return Candidates{digits, digits};
  };
  visit_candidates(window, byte_class::digit, ask, [&](std::size_t at) {
    // The digits behind a decimal point are a fraction, not a card.
    if (at >= 2 && window.bytes[at - 1] == '.' && is_digit(window.bytes[at - 2])) return;
    const auto end =
        window.is_at(at + 1, '.') ? scientific_card_at(window, at) : payment_card_at(window, at);
    if (end) out.add(at, *end);
  });
}

}  // namespace sluice::matcher
