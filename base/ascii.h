// Classes and case of ASCII characters, whatever the locale. Bytes beyond ASCII
// belong to no class and have no case.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace sluice {

constexpr bool is_digit(std::integral auto c) noexcept {
  return c >= '0' && c <= '9';
}
constexpr bool is_letter(std::integral auto c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_letter_or_digit(std::integral auto c) noexcept {
  return is_letter(c) || is_digit(c);
}

/// What a hexadecimal digit stands for; -1 for anything else.
constexpr int hex_value(std::integral auto c) noexcept {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

template <std::integral Character>
constexpr Character lower_of(Character c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<Character>(c | 0x20) : c;
}

inline std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = lower_of(c);
  return lower;
}

}  // namespace sluice
