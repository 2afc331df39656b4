// 64 bytes of JSON text at a time: which bytes mean what to its grammar, and the
// grammar itself as far as it can be checked for all tokens of a block at once.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "matcher/byte_block.h"
#include "matcher/triggers.h"

namespace sluice::matcher {

/// RFC 8259 §2: what may stand between tokens.
constexpr bool is_json_space(std::uint8_t byte) noexcept {
  return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/// What JSON's grammar asks of each byte of a block, one bit a byte.
struct JsonBytes {
  std::uint64_t quote = 0;
  /// ' ', '{', '[', '}', ']', ',' or ':'; where the block is odd perhaps a control character
  /// too. Of these only ' ' is a joint of TriggerBytes.
  std::uint64_t blank_or_mark = 0;
  bool is_odd = false;  ///< There are OddJsonBytes in it, or directly behind it.

  bool operator==(const JsonBytes&) const = default;
};

/// What few blocks have, one bit a byte.
struct OddJsonBytes {
  std::uint64_t any = 0;         ///< Backslash, control characters, anything not ASCII.
  std::uint64_t line_space = 0;  ///< RFC 8259 §2: '\t', '\n', '\r'.

  bool operator==(const OddJsonBytes&) const = default;
};

inline JsonBytes json_bytes(const TriggerLanes& lanes) noexcept {
  JsonBytes found;
  found.quote = lanes.bits_of<trigger_class::quote>();
  found.blank_or_mark =
      ask_halves(lanes.bytes[0], lanes.bytes[1], [](Lanes of) { return of.is_blank_or_mark(); });
  return found;
}

/// Whether a byte of the block is odd. It is asked apart from the others, together
/// with what else is seldom true.
inline Lanes odd_json_lanes(const TriggerLanes& lanes) noexcept {
  return lanes.bytes[0].least(lanes.bytes[1]).least(lanes.ahead[1]).is_beyond_print() |
         lanes.bytes[0].is('\\') | lanes.bytes[1].is('\\');
}

/// The same answers twice: in vectors, and byte by byte for tests to compare.
JsonBytes json_bytes(const std::uint8_t* block) noexcept;
JsonBytes json_bytes_scalar(const std::uint8_t* block) noexcept;
OddJsonBytes odd_json_bytes(const std::uint8_t* block) noexcept;
OddJsonBytes odd_json_bytes_scalar(const std::uint8_t* block) noexcept;

/// Quotes, told apart. Every second one opens a string.
struct Quoted {
  std::uint64_t opening = 0;
  std::uint64_t in_string = 0;  ///< With the opening quote, without the closing one.

  /// before  one if a string is open already, else zero.
  Quoted(std::uint64_t quotes, std::uint64_t before) noexcept {
    constexpr std::uint64_t every_second = 0x5555555555555555;
    opening = _pdep_u64(every_second << before, quotes);
    const std::uint64_t closing = quotes ^ opening;
    // As numbers: a closing bit less its opening bit is all bits from that on to below it.
    in_string = closing - opening - before;
  }
};

/// Size of the string that `text` begins with, behind its opening quote, if it
/// ends in there and stands for itself byte by byte. Reads readable_tail_bytes on.
std::optional<std::size_t> plain_string_size(ByteView text) noexcept;

/// Where a token stands, as far as RFC 8259 says what its neighbour may be.
struct TokenBefore {
  // Zero or one each, to go in at the lower end of a row.
  std::uint64_t wants_value = 0;  ///< An opening bracket, a comma or a colon.
  std::uint64_t opens = 0;        ///< An opening bracket: it may be closed at once.
  std::uint64_t wants_name = 0;   ///< An opening brace, or a comma in an object.
  std::uint64_t is_name = 0;
};

/// Tokens in a row, one bit a token.
class TokenRow {
 public:
  /// tokens  bits of the bytes that tokens begin with.
  /// marks   those of them that are marks.
  TokenRow(std::uint64_t tokens, std::uint64_t marks, std::uint64_t quotes,
           const TriggerBytes& bytes) noexcept
      : mark_(_pext_u64(marks, tokens)), string_(_pext_u64(quotes, tokens)) {
    // Of the marks, brackets have bit 6 set; '{', '[' and ':' have bit 1 set.
    const std::uint64_t bracket = mark_ & _pext_u64(bytes.letterish, tokens);
    const std::uint64_t second_bit = mark_ & _pext_u64(bytes.second_bit, tokens);
    open_ = bracket & second_bit;
    close_ = bracket ^ open_;
    colon_ = second_bit ^ open_;
  }
  /// The same of tokens that lie in a row already.
  struct Kinds {
    std::uint64_t mark;
    std::uint64_t string;
    std::uint64_t open;
    std::uint64_t close;
    std::uint64_t colon;
  };
  explicit TokenRow(const Kinds& kinds) noexcept
      : mark_(kinds.mark),
        string_(kinds.string),
        open_(kinds.open),
        close_(kinds.close),
        colon_(kinds.colon) {}

  /// Whether RFC 8259 forbids something among neighbours, for all tokens of the row at
  /// once. Whether brackets agree is not seen here.
  /// in_object  of an opening bracket: whether it is a brace.
  /// count      of tokens to be checked, at least one.
  /// before     the token before the row; then the last that was checked.
  [[nodiscard]] bool is_wrong(std::uint64_t in_object, unsigned count,
                              TokenBefore& before) const noexcept {
    const std::uint64_t wants_value = mark_ ^ close_;
    const std::uint64_t goes_on = mark_ ^ open_;  // What may stand behind a value.
    const std::uint64_t wants_name = (wants_value ^ colon_) & in_object;
    // Sums, as a shift by one and an addition are one instruction.
    const std::uint64_t after_want = 2 * wants_value + before.wants_value;
    const std::uint64_t after_open = 2 * open_ + before.opens;
    const std::uint64_t name_place = 2 * wants_name + before.wants_name;
    const std::uint64_t name = name_place & string_;
    const std::uint64_t after_name = 2 * name + before.is_name;
    const std::uint64_t right = (after_want ^ goes_on) | (after_open & close_);
    const std::uint64_t wrong = (name_place & ~(string_ | close_)) | (after_name ^ colon_);
    const unsigned last = count - 1;
    before = {wants_value >> last & 1, open_ >> last & 1, wants_name >> last & 1, name >> last & 1};
    return ((wrong | ~right) & bits_below(count)) != 0;
  }

 private:
  std::uint64_t mark_;
  std::uint64_t string_;  // A number or literal is neither.
  std::uint64_t open_;
  std::uint64_t close_;
  std::uint64_t colon_;
};

}  // namespace sluice::matcher
