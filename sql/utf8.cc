#include "sql/utf8.h"

#include <immintrin.h>

#include <cstdint>
#include <cstring>

namespace sluice::sql::utf8 {
namespace {

/// The size of the character at the beginning of `rest`; 0 when it is none.
std::size_t character_bytes(std::string_view rest) noexcept {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < rest.size() ? static_cast<unsigned char>(rest[i]) : 0;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80; };
  const unsigned first = byte(0);
  if (first == 0) return 0;
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;
  if (first < 0xE0) return continues(1) ? 2 : 0;
  if (first < 0xF0) {
    const bool is_overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool is_surrogate = first == 0xED && byte(1) > 0x9F;
    return continues(1) && continues(2) && !is_overlong && !is_surrogate ? 3 : 0;
  }
  if (first > 0xF4) return 0;
  const bool is_overlong = first == 0xF0 && byte(1) < 0x90;
  const bool is_beyond = first == 0xF4 && byte(1) > 0x8F;
  return continues(1) && continues(2) && continues(3) && !is_overlong && !is_beyond ? 4 : 0;
}

/// Eight bytes of which none is NUL or beyond ASCII.
bool is_plain_word(const char* at) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t highs = 0x8080808080808080;
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return ((word | (word - ones)) & highs) == 0;
}

/// The same of 32 bytes: signed, all of them are above zero.
bool is_plain_block(const char* at) noexcept {
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  return _mm256_movemask_epi8(_mm256_cmpgt_epi8(bytes, _mm256_setzero_si256())) == -1;
}

}  // namespace

std::size_t sound_prefix(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    // Many bytes at a time while none is NUL or beyond ASCII.
    while (text.size() - at >= sizeof(__m256i) && is_plain_block(text.data() + at)) {
      at += sizeof(__m256i);
    }
    while (text.size() - at >= sizeof(std::uint64_t) && is_plain_word(text.data() + at)) {
      at += sizeof(std::uint64_t);
    }
    if (at == text.size()) break;
    const std::size_t rest = text.size() - at;
    const bool is_plain_rest = rest < sizeof(std::uint64_t) && at >= sizeof(std::uint64_t) &&
                               is_plain_word(text.data() + text.size() - sizeof(std::uint64_t));
    if (is_plain_rest) return text.size();
    const std::size_t size = character_bytes(text.substr(at));
    if (size == 0) break;
    at += size;
  }
  return at;
}

std::size_t encode(char32_t scalar, std::array<char, 4>& bytes) noexcept {
  const auto tail = [&](unsigned shift) {
    return static_cast<char>(0x80U | (scalar >> shift & 0x3FU));
  };
  if (scalar < 0x80) {
    bytes[0] = static_cast<char>(scalar);
    return 1;
  }
  if (scalar < 0x800) {
    bytes = {static_cast<char>(0xC0U | scalar >> 6), tail(0)};
    return 2;
  }
  if (scalar < 0x10000) {
    bytes = {static_cast<char>(0xE0U | scalar >> 12), tail(6), tail(0)};
    return 3;
  }
  bytes = {static_cast<char>(0xF0U | scalar >> 18), tail(12), tail(6), tail(0)};
  return 4;
}

}  // namespace sluice::sql::utf8
