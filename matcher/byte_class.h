// Classes of bytes that finders ask for, as one table look-up.
#pragma once

#include <array>
#include <cstdint>

namespace sluice::matcher {

namespace byte_class {
inline constexpr std::uint16_t digit = 1;
inline constexpr std::uint16_t upper = 2;
inline constexpr std::uint16_t lower = 4;
inline constexpr std::uint16_t hex = 8;
inline constexpr std::uint16_t base64url = 16;    ///< Letters, digits, '-' and '_'.
inline constexpr std::uint16_t token68 = 32;      ///< RFC 9110 §11.2, '=' among them.
inline constexpr std::uint16_t mail_local = 64;   ///< Of an e-mail address before '@'.
inline constexpr std::uint16_t mail_label = 128;  ///< Of its domain, dots apart.
inline constexpr std::uint16_t high = 256;        ///< Not ASCII.
inline constexpr std::uint16_t letter = upper | lower;
inline constexpr std::uint16_t alnum = letter | digit;
}  // namespace byte_class

inline constexpr std::array<std::uint16_t, 256> byte_classes = [] {
  using namespace byte_class;
  std::array<std::uint16_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    unsigned bits = 0;
    const bool is_digit = c >= '0' && c <= '9';
    const bool is_upper = c >= 'A' && c <= 'Z';
    const bool is_lower = c >= 'a' && c <= 'z';
    const bool is_alnum = is_digit || is_upper || is_lower;
    const auto is_one_of = [c](const char* set) {
      for (; *set != '\0'; ++set) {
        if (c == static_cast<unsigned char>(*set)) return true;
      }
      return false;
    };
    if (is_digit) bits |= digit;
    if (is_upper) bits |= upper;
    if (is_lower) bits |= lower;
    if (is_digit || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f')) bits |= hex;
    if (is_alnum || is_one_of("-_")) bits |= base64url;
    if (is_alnum || is_one_of("-._~+/=")) bits |= token68;
    if (is_alnum || c >= 0x80 || is_one_of("._%+-'")) bits |= mail_local;
    if (is_alnum || c >= 0x80 || c == '-') bits |= mail_label;
    if (c >= 0x80) bits |= high;
    table[c] = static_cast<std::uint16_t>(bits);
  }
  return table;
}();

constexpr bool is_in(std::uint8_t byte, std::uint16_t classes) noexcept {
  return (byte_classes[byte] & classes) != 0;
}
constexpr bool is_digit(std::uint8_t byte) noexcept {
  return static_cast<unsigned>(byte) - '0' < 10U;
}
constexpr bool is_alnum(std::uint8_t byte) noexcept {
  return is_in(byte, byte_class::alnum);
}

}  // namespace sluice::matcher
