// Payment card numbers (ISO/IEC 7812-1): whole digit groups, 13 to 19 digits in
// all, a known issuer range that uses that many, and a valid check digit.
#include <algorithm>
#include <array>
#include <bit>

#include "matcher/builtin_finders.h"

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

constexpr std::array<std::uint8_t, 10> doubled = {0, 2, 4, 6, 8, 1, 3, 5, 7, 9};

constexpr unsigned digits_min = 13;
constexpr unsigned digits_max = 19;

bool is_separator(std::uint8_t byte) noexcept {
  return byte == ' ' || byte == '-';
}

/// Digits that single separators join.
struct Chain {
  std::size_t end = 0;
  std::size_t digits = 0;
};

Chain chain_at(const Window& window, std::size_t start) noexcept {
  Chain chain;
  for (std::size_t at = start;;) {
    const std::size_t group_end = window.end_of_run(at, byte_class::digit);
    chain.digits += group_end - at;
    chain.end = group_end;
    at = group_end + 1;
    const bool goes_on = group_end < window.size && is_separator(window.bytes[group_end]) &&
                         window.has_at(at, byte_class::digit);
    if (!goes_on) return chain;
  }
}

}  // namespace

std::optional<std::size_t> payment_card_at(const Window& window, std::size_t start) noexcept {
  std::array<std::uint8_t, digits_max> digits;
  unsigned count = 0;
  unsigned even_sum = 0;  // Luhn sums when the number ends at an even or odd place.
  unsigned odd_sum = 0;
  std::uint32_t allowed = 0;
  std::optional<std::size_t> end;
  for (std::size_t at = start; at < window.size; ++at) {
    if (is_digit(window.bytes[at])) {
      if (count == digits_max) break;
      const auto digit = static_cast<std::uint8_t>(window.bytes[at] - '0');
      // The last digit counts once, the one before it twice, and so on.
      even_sum += count % 2 == 0 ? digit : doubled[digit];
      odd_sum += count % 2 == 0 ? doubled[digit] : digit;
      digits[count++] = digit;
      if (count == 6) {
        std::uint32_t six_digits = 0;
        for (unsigned i = 0; i < 6; ++i) six_digits = six_digits * 10 + digits[i];
        allowed = lengths_of(six_digits);
        // Whether there is room for the fewest digits that such a card has.
        const unsigned fewest = static_cast<unsigned>(std::countr_zero(allowed));
        if (allowed == 0 || window.size - at - 1 < fewest - count) return std::nullopt;
      }
      const bool ends_group = at + 1 == window.size || !is_digit(window.bytes[at + 1]);
      if (ends_group && count >= digits_min && (allowed >> count & 1U) != 0) {
        const unsigned sum = count % 2 == 0 ? odd_sum : even_sum;
        if (sum % 10 == 0) end = at + 1;
      }
    } else if (!is_separator(window.bytes[at]) || !window.has_at(at + 1, byte_class::digit)) {
      break;
    }
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

  std::array<std::uint8_t, digits_max> digits;
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
  const std::size_t horizon = window.horizon();
  std::size_t chain_end = 0;  // Behind the digits that single separators join …
  std::size_t digits = 0;     // … and how many of them there are from `at` on.
  for (std::size_t at = window.undecided; at < horizon;) {
    if (!is_digit(window.bytes[at])) {
      ++at;
      continue;
    }
    const std::size_t group_end = window.end_of_run(at, byte_class::digit);
    if (at >= chain_end) {
      const Chain chain = chain_at(window, at);
      chain_end = chain.end;
      digits = chain.digits;
    }
    const bool has_scientific_form = group_end == at + 1 && window.is_at(group_end, '.');
    const bool is_long_enough = digits >= digits_min || has_scientific_form;
    digits -= group_end - at;
    // The digits behind a decimal point are a fraction, not a card.
    const bool is_fraction =
        at >= 2 && window.bytes[at - 1] == '.' && is_digit(window.bytes[at - 2]);
    if (is_long_enough && !is_fraction && !window.has_before(at, byte_class::digit)) {
      const auto end =
          has_scientific_form ? scientific_card_at(window, at) : payment_card_at(window, at);
      if (end) out.add(at, *end);
    }
    at = group_end;
  }
}

}  // namespace sluice::matcher
