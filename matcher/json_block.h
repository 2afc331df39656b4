// 64 bytes of JSON text at a time: which bytes mean what to its grammar, and the
// grammar itself as far as it can be checked for all tokens of a block at once.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "matcher/byte_block.h"

namespace sluice::matcher {

/// What JSON's grammar asks of each byte of a block, one bit a byte.
struct JsonBytes {
  std::uint64_t quote = 0;
  std::uint64_t odd = 0;    ///< Backslash, control characters, anything not ASCII.
  std::uint64_t open = 0;   ///< '{' or '['.
  std::uint64_t close = 0;  ///< '}' or ']'.
  std::uint64_t brace = 0;  ///< Tells '{' from '[' and '}' from ']'; of other bytes nothing.
  std::uint64_t comma = 0;
  std::uint64_t colon = 0;
  std::uint64_t space = 0;  ///< RFC 8259 §2: ' ', '\t', '\n', '\r'.

  bool operator==(const JsonBytes&) const = default;
};

/// One bit a class, in the order of json_classes.
namespace json_class {
inline constexpr int line_space = 0;  ///< '\t', '\n', '\r'.
inline constexpr int blank = 1;
inline constexpr int backslash = 2;
inline constexpr int colon = 3;
inline constexpr int comma = 4;
inline constexpr int close = 5;
inline constexpr int open = 6;
inline constexpr int quote = 7;
}  // namespace json_class

inline constexpr ByteClasses json_classes{
    {nibble(0), nibble(9) | nibble(0xA) | nibble(0xD)},
    {nibble(2), nibble(0)},
    {nibble(5), nibble(0xC)},
    {nibble(3), nibble(0xA)},
    {nibble(2), nibble(0xC)},
    {nibble(5) | nibble(7), nibble(0xD)},
    {nibble(5) | nibble(7), nibble(0xB)},
    {nibble(2), nibble(2)},
};

/// The same answer twice: in vectors, and byte by byte for tests to compare.
inline JsonBytes json_bytes(const std::uint8_t* block) noexcept {
  const Lanes bytes[2] = {Lanes::load(block), Lanes::load(block + 32)};
  const Lanes classes[2] = {json_classes.of(bytes[0]), json_classes.of(bytes[1])};
  const auto ask = [&classes](auto&& question) {
    return ask_halves(classes[0], classes[1], question);
  };
  JsonBytes found;
  found.quote = ask([](Lanes of) { return of.raised<json_class::quote>(); });
  found.open = ask([](Lanes of) { return of.raised<json_class::open>(); });
  found.close = ask([](Lanes of) { return of.raised<json_class::close>(); });
  found.comma = ask([](Lanes of) { return of.raised<json_class::comma>(); });
  found.colon = ask([](Lanes of) { return of.raised<json_class::colon>(); });
  found.space = ask([](Lanes of) {
    return of.raised<json_class::blank>() | of.raised<json_class::line_space>();
  });
  constexpr int upper_case_bit = 5;  // Tells '{' from '[' and '}' from ']'.
  found.brace =
      ask_halves(bytes[0], bytes[1], [](Lanes of) { return of.raised<upper_case_bit>(); });
  const auto odd = [&](int half) {
    return (bytes[half].is_beyond_print() | classes[half].raised<json_class::backslash>()).bits();
  };
  found.odd = std::uint64_t{odd(1)} << 32 | odd(0);
  return found;
}
JsonBytes json_bytes_scalar(const std::uint8_t* block) noexcept;

/// Bit i: whether an odd number of bits up to and with i is set.
constexpr std::uint64_t parity_up_to(std::uint64_t bits) noexcept {
  for (unsigned distance = 1; distance < 64; distance *= 2) bits ^= bits << distance;
  return bits;
}

/// Size of the string that `text` begins with, behind its opening quote, if it
/// ends in there and stands for itself byte by byte. Reads readable_tail_bytes on.
std::optional<std::size_t> plain_string_size(ByteView text) noexcept;

/// The tokens of a block in a row, one bit a token, behind the two tokens before
/// them: bit 0 is the last but one of those, bit 1 the last.
struct TokenRow {
  static constexpr unsigned first = 2;
  static constexpr unsigned count_max = 64 - first;

  std::uint64_t open = 0;
  std::uint64_t close = 0;
  std::uint64_t brace = 0;
  std::uint64_t comma = 0;
  std::uint64_t colon = 0;
  std::uint64_t string = 0;  // A number or literal is none of these.

  /// tokens  bits of the bytes that tokens begin with, at most count_max.
  void take(std::uint64_t tokens, const JsonBytes& bytes) noexcept {
    const auto row = [tokens](std::uint64_t before, std::uint64_t bits) {
      return before | _pext_u64(bits, tokens) << first;
    };
    open = row(open, bytes.open);
    close = row(close, bytes.close);
    brace = row(brace, bytes.brace);
    comma = row(comma, bytes.comma);
    colon = row(colon, bytes.colon);
    string = row(string, bytes.quote);
  }
  /// Forgets all but the last two of `count` tokens taken.
  void forget(unsigned count) noexcept {
    constexpr std::uint64_t two = 3;
    for (std::uint64_t* row : {&open, &close, &brace, &comma, &colon, &string}) {
      *row = *row >> count & two;
    }
  }
};

/// What RFC 8259 says about neighbours, for all tokens of a row at once. Whether
/// a container is closed as it was opened is not seen here, nor where we are.
struct TokenErrors {
  std::uint64_t anywhere = 0;   ///< Wrong wherever they stand.
  std::uint64_t in_object = 0;  ///< Wrong in an object: an element without a name.
  std::uint64_t in_array = 0;   ///< Wrong in an array: a member's colon.
};

inline TokenErrors token_errors(const TokenRow& row) noexcept {
  const std::uint64_t value = ~(row.close | row.comma | row.colon);  // Or a name.
  const std::uint64_t object = row.open & row.brace;
  const std::uint64_t after_value = ~(row.open | row.comma | row.colon) << 1;
  const std::uint64_t after_open = row.open << 1;
  const std::uint64_t after_object = object << 1;
  const std::uint64_t after_comma = row.comma << 1;
  const std::uint64_t after_string = row.string << 1;
  const std::uint64_t first_name = after_string & object << 2;
  const std::uint64_t later_string = after_string & row.comma << 2;

  TokenErrors errors;
  errors.anywhere = (after_value & value) |                                // "a" "b"
                    (~after_value & ~value & ~(after_open & row.close)) |  // [,  {:  ,]
                    (after_object & value & ~row.string) |                 // {1
                    (first_name & ~row.colon) |                            // {"a",
                    (row.colon & ~(first_name | later_string));            // "a":"b":
  errors.in_object = (after_comma & value & ~row.string) | (later_string & ~row.colon);
  errors.in_array = row.colon;
  return errors;
}

}  // namespace sluice::matcher
