// UTF-8 as the server checks it. Internal to sql.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace sluice::sql::utf8 {

constexpr bool is_continuation(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
}
/// A code point that is a character: in range and no surrogate.
constexpr bool is_scalar(char32_t code_point) noexcept {
  return code_point < 0xD800 || (code_point > 0xDFFF && code_point <= 0x10FFFF);
}

/// How many bytes of `text` precede its first NUL or byte that is not UTF-8 (RFC 3629).
std::size_t sound_prefix(std::string_view text) noexcept;

/// How many of `bytes` the scalar value takes.
std::size_t encode(char32_t scalar, std::array<char, 4>& bytes) noexcept;

}  // namespace sluice::sql::utf8
