// The check digit of payment cards (ISO/IEC 7812-1, annex B). Written apart from
// the matcher's, which it is used to check.
#pragma once

#include <cstdint>
#include <span>

namespace sluice::load {

/// Of digits 0..9: the sum with every second one doubled, from the last one to
/// the first. `double_last` where the check digit is not among them yet.
inline unsigned luhn_sum(std::span<const std::uint8_t> digits, bool double_last) noexcept {
  unsigned sum = 0;
  bool is_doubled = double_last;
  for (std::size_t i = digits.size(); i-- > 0; is_doubled = !is_doubled) {
    const unsigned value = is_doubled ? digits[i] * 2U : digits[i];
    sum += value > 9 ? value - 9 : value;
  }
  return sum;
}

inline bool is_luhn_valid(std::span<const std::uint8_t> digits) noexcept {
  return luhn_sum(digits, false) % 10 == 0;
}

inline std::uint8_t luhn_check_digit(std::span<const std::uint8_t> digits) noexcept {
  return static_cast<std::uint8_t>((10 - luhn_sum(digits, true) % 10) % 10);
}

}  // namespace sluice::load
