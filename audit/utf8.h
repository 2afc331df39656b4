// UTF-8 as far as records need it: is it valid, and where may it be cut.
#pragma once

#include <cstring>

#include "base/bytes.h"

namespace sluice::audit {

/// Eight bytes at a time; the last step overlaps instead of going byte by byte.
inline bool is_ascii(std::string_view text) noexcept {
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  const auto word_at = [&text](std::size_t at) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof word);
    return word;
  };
  if (text.size() >= sizeof high_bits) {
    std::uint64_t seen = word_at(text.size() - sizeof high_bits);
    for (std::size_t at = 0; at + sizeof high_bits < text.size(); at += sizeof high_bits) {
      seen |= word_at(at);
    }
    return (seen & high_bits) == 0;
  }
  unsigned seen = 0;
  for (const char c : text) seen |= static_cast<unsigned char>(c);
  return seen < 0x80;
}

/// RFC 3629 §4: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) noexcept;

/// The longest prefix of at most `bytes_max` bytes that splits no character.
std::string_view cut_utf8(std::string_view text, std::size_t bytes_max) noexcept;

}  // namespace sluice::audit
