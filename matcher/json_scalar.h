// Numbers and literals of JSON in text that is skimmed.
#pragma once

#include <cstring>

#include "base/bytes.h"
#include "matcher/byte_block.h"

namespace sluice::matcher {

/// Whether the byte belongs to a number or literal, or at least not to what is around it.
constexpr bool is_scalar_byte(std::uint8_t byte) noexcept {
  switch (byte) {
    case ' ':
    case '\t':
    case '\n':
    case '\r':
    case '"':
    case ',':
    case ':':
    case '[':
    case ']':
    case '{':
    case '}':
      return false;
    default:
      return true;
  }
}

/// `text`, which is not empty, has a readable tail in all of these.
inline bool is_json_literal(const std::uint8_t* text, std::size_t size) noexcept {
  const auto is = [text](const char* four) {
    return std::memcmp(text, four, 4) == 0;  // One comparison of words.
  };
  return size == 4 ? is("true") || is("null") : size == 5 && is("fals") && text[4] == 'e';
}
/// A literal or a number that is not too long.
bool is_scalar(ByteView text) noexcept;

/// Where the number or literal that begins at `begin` ends.
std::size_t scalar_end(ByteView in, std::size_t begin) noexcept;

/// Whether `text` is a literal or a number such as "12" or "-12.50": no other is plain.
/// digits  from its first byte on.
[[gnu::always_inline]] inline bool is_plain_scalar(const std::uint8_t* text, unsigned size,
                                                   std::uint64_t digits) noexcept {
  const unsigned sign = text[0] == '-' ? 1 : 0;
  const std::uint8_t first = text[sign];
  const unsigned whole = zeros_below(~(digits >> sign));
  if (whole == 0) return is_json_literal(text, size);
  if (first == '0' && whole > 1) return false;
  const unsigned dot = sign + whole;
  if (dot == size) return true;
  const unsigned fraction = zeros_below(~(digits >> (dot + 1)));
  return text[dot] == '.' && fraction > 0 && dot + 1 + fraction == size;
}

/// Whether the numbers and literals that begin in the block at in[at] are plain. One that
/// goes on behind the block may be any that ends within `in`.
/// starts  their first bytes, one bit a byte …
/// all     … and all of their bytes.
[[gnu::always_inline]] inline bool are_plain_scalars(ByteView in, std::size_t at,
                                                     std::uint64_t starts, std::uint64_t all,
                                                     std::uint64_t digits) noexcept {
  for (; starts != 0; starts &= starts - 1) {
    const unsigned place = zeros_below(starts);
    const unsigned size = zeros_below(~(all >> place));
    if (place + size < block_bytes) {
      if (!is_plain_scalar(in.data() + at + place, size, digits >> place)) return false;
    } else {
      const std::size_t end = scalar_end(in, at + place);
      if (end == in.size() || !is_scalar(in.subspan(at + place, end - at - place))) return false;
    }
  }
  return true;
}

}  // namespace sluice::matcher
