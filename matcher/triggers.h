// Where a built-in finder may have something to find: a condition on raw bytes
// that each of its matches meets (docs/masks.md, "Triggers"). What does not
// trigger needs no further look; what does is verified exactly.
#pragma once

#include <cstdint>

#include "matcher/builtin_finders.h"
#include "matcher/byte_block.h"

namespace sluice::matcher {

/// What triggers ask of every block, one bit a byte.
struct TriggerBytes {
  std::uint64_t digit = 0;
  std::uint64_t joint = 0;       ///< What may join digits: ' ', '-', '.', '/'.
  std::uint64_t letterish = 0;   ///< Bit 6 of the byte: set for letters, and for others.
  std::uint64_t second_bit = 0;  ///< Bit 1 of the byte: tells '.' and '/' from ' ' and '-'.
  /// Perhaps one of RareBytes begins here, or something that `ahead` knows.
  bool may_be_rare = false;

  [[nodiscard]] std::uint64_t dot() const noexcept { return joint & second_bit; }
  bool operator==(const TriggerBytes&) const = default;
};

/// What is looked for exactly where a block may have it, one bit where it begins.
struct RareBytes {
  std::uint64_t word = 0;     ///< '@', "eyJ", "AKIA", "ASIA" or, in any case, "rer ".
  std::uint64_t opening = 0;  ///< '+' or '(', a digit and what may go on a telephone number.

  bool operator==(const RareBytes&) const = default;
};

/// Bytes behind a block that are looked at with it.
inline constexpr std::size_t trigger_ahead_bytes = 3;

/// One bit a class, in the order of trigger_classes. From at_sign on they are
/// asked for with the byte two further on, which ahead_classes knows.
namespace trigger_class {
inline constexpr int digit = 0;
inline constexpr int joint = 1;
inline constexpr int at_sign = 2;
inline constexpr int jwt = 3;
inline constexpr int aws_key = 4;
inline constexpr int bearer = 5;
inline constexpr int opening = 6;
inline constexpr int quote = 7;
}  // namespace trigger_class

inline constexpr ByteClasses trigger_classes{
    {nibble(3), nibbles(0, 9)},
    {nibble(2), nibble(0) | nibbles(0xD, 0xF)},
    {nibble(4), nibble(0)},
    {nibble(6), nibble(5)},
    {nibble(4), nibble(1)},
    {nibble(5) | nibble(7), nibble(2)},
    {nibble(2), nibble(8) | nibble(0xB)},
    {nibble(2), nibble(2)},
};

/// What may stand two bytes behind: anything behind '@', the 'J' of "eyJ", the 'I' of
/// "AKIA", the last 'r' of "rer", and of a telephone number a digit, a joint or a bracket.
inline constexpr ByteClasses ahead_classes{
    {},
    {},
    {nibbles(0, 0xF), nibbles(0, 0xF)},
    {nibble(4), nibble(0xA)},
    {nibble(4), nibble(9)},
    {nibble(5) | nibble(7), nibble(2)},
    {nibble(2) | nibble(3), nibbles(0, 9) | nibbles(0xD, 0xF)},
    {},
};

/// A block in registers: itself, the block two bytes further on, and the classes of both.
struct TriggerLanes {
  Lanes bytes[2];
  Lanes ahead[2];
  Lanes classes[2];
  Lanes rare;  ///< Not zero in some byte: may_be_rare.

  TriggerLanes(const std::uint8_t* block, const ByteClasses& ahead_of) noexcept
      : bytes{Lanes::load(block), Lanes::load(block + 32)},
        ahead{Lanes::load(block + 2), Lanes::load(block + 34)},
        classes{trigger_classes.of(bytes[0]), trigger_classes.of(bytes[1])},
        rare((classes[0] & ahead_of.of_any(ahead[0])) | (classes[1] & ahead_of.of_any(ahead[1]))) {}

  template <int Class>
  [[nodiscard]] std::uint64_t bits_of() const noexcept {
    return ask_halves(classes[0], classes[1], [](Lanes of) { return of.raised<Class>(); });
  }
  /// The bytes for which `rare` is not zero.
  [[nodiscard]] std::uint64_t rare_bits(const ByteClasses& ahead_of) const noexcept {
    return ~(std::uint64_t{(classes[1] & ahead_of.of_any(ahead[1])).is_nothing().bits()} << 32 |
             (classes[0] & ahead_of.of_any(ahead[0])).is_nothing().bits());
  }
  [[nodiscard]] std::uint64_t colons() const noexcept {
    return ask_halves(bytes[0], bytes[1], [](Lanes of) { return of.is(':'); });
  }
  [[nodiscard]] TriggerBytes trigger_bytes() const noexcept {
    TriggerBytes found;
    found.digit = bits_of<trigger_class::digit>();
    found.joint = bits_of<trigger_class::joint>();
    found.letterish = ask_halves(bytes[0], bytes[1], [](Lanes of) { return of.raised<6>(); });
    found.second_bit = ask_halves(bytes[0], bytes[1], [](Lanes of) { return of.raised<1>(); });
    return found;
  }
};

/// One of RareBytes, or nothing, at a place that lanes.rare_bits names.
inline void look_at_rare(const std::uint8_t* text, std::uint64_t bit, RareBytes& found) noexcept {
  const auto is_any_case = [](std::uint8_t byte, char lower) { return (byte | 0x20) == lower; };
  switch (text[0]) {
    case '@':
      found.word |= bit;
      break;
    case 'e':
      if (text[1] == 'y' && text[2] == 'J') found.word |= bit;
      break;
    case 'A':
      if ((text[1] == 'K' || text[1] == 'S') && text[2] == 'I' && text[3] == 'A') found.word |= bit;
      break;
    case 'r':
    case 'R':
      if (is_any_case(text[1], 'e') && is_any_case(text[2], 'r') && text[3] == ' ') {
        found.word |= bit;
      }
      break;
    case '+':
    case '(':
      if (is_digit(text[1])) found.opening |= bit;
      break;
    default:
      break;
  }
}

/// The same answers twice: in vectors, and byte by byte for tests to compare.
TriggerBytes trigger_bytes(const std::uint8_t* block) noexcept;
TriggerBytes trigger_bytes_scalar(const std::uint8_t* block) noexcept;
RareBytes rare_bytes(const std::uint8_t* block) noexcept;
RareBytes rare_bytes_scalar(const std::uint8_t* block) noexcept;

/// Where groups of finders are triggered in a block, one bit a byte. A bit lies
/// within the value that triggers, at or behind the first byte that matters.
struct Triggers {
  std::uint64_t word = 0;     ///< E-mail, JWT, AWS key, bearer token.
  std::uint64_t run = 0;      ///< Eleven digits and joints: card, SSN, telephone.
  std::uint64_t opening = 0;  ///< A telephone number.
  std::uint64_t iban = 0;
  std::uint64_t ip = 0;

  [[nodiscard]] std::uint64_t any() const noexcept { return word | run | opening | iban | ip; }
  /// The built-ins that bits among `where` may mean.
  [[nodiscard]] BuiltinSet builtins(std::uint64_t where, const std::uint8_t* block) const noexcept;
  /// All bits that mean one of `builtins`.
  [[nodiscard]] std::uint64_t of(BuiltinSet builtins) const noexcept;
};

/// The built-ins that each group may mean.
inline constexpr BuiltinSet word_builtins = bit_of(Builtin::email) | bit_of(Builtin::jwt) |
                                            bit_of(Builtin::aws_key) |
                                            bit_of(Builtin::bearer_token);
inline constexpr BuiltinSet run_builtins =
    bit_of(Builtin::payment_card) | bit_of(Builtin::us_ssn) | bit_of(Builtin::phone);

/// The one that a word means which begins with `first`.
inline BuiltinSet builtin_of_word(std::uint8_t first) noexcept {
  switch (first) {
    case '@':
      return bit_of(Builtin::email);
    case 'e':
      return bit_of(Builtin::jwt);
    case 'A':
      return bit_of(Builtin::aws_key);
    default:
      return bit_of(Builtin::bearer_token);
  }
}

inline BuiltinSet Triggers::builtins(std::uint64_t where,
                                     const std::uint8_t* block) const noexcept {
  unsigned set = 0;
  for (std::uint64_t words = word & where; words != 0; words &= words - 1) {
    set |= builtin_of_word(block[zeros_below(words)]);
  }
  if ((run & where) != 0) set |= run_builtins;
  if ((opening & where) != 0) set |= bit_of(Builtin::phone);
  if ((iban & where) != 0) set |= bit_of(Builtin::iban);
  if ((ip & where) != 0) set |= bit_of(Builtin::ip);
  return static_cast<BuiltinSet>(set);
}

inline std::uint64_t Triggers::of(BuiltinSet builtins) const noexcept {
  const auto if_any = [builtins](unsigned of_group, std::uint64_t bits) {
    return (builtins & of_group) != 0 ? bits : 0;
  };
  return if_any(word_builtins, word) | if_any(run_builtins, run) |
         if_any(bit_of(Builtin::phone), opening) | if_any(bit_of(Builtin::iban), iban) |
         if_any(bit_of(Builtin::ip), ip);
}

/// Finds what numbers trigger, block by block: runs exactly, for IBANs and IP
/// addresses first candidates and then, if there are any, which of them hold.
class NumberScan {
 public:
  /// colon  those that belong to values.
  Triggers candidates(const TriggerBytes& bytes, std::uint64_t colon) noexcept {
    const Seen seen = look(bytes, colon);
    keep(bytes, colon, seen);
    return seen.found;
  }
  /// The same for a block in which there are none; otherwise gives false, with nothing changed.
  bool pass(const TriggerBytes& bytes, std::uint64_t colon) noexcept {
    const Seen seen = look(bytes, colon);
    if (seen.found.any() != 0) return false;
    keep(bytes, colon, seen);
    return true;
  }
  /// Drops candidates that do not hold.
  /// text  where the values' text begins: nothing before it is looked at.
  static void confirm(Triggers& found, const std::uint8_t* text,
                      const std::uint8_t* block) noexcept;

 private:
  static constexpr unsigned dot_reach = 4;     ///< From one dot to the next.
  static constexpr unsigned colon_reach = 10;  ///< Three colons, each at most five on.

  struct Seen {
    Triggers found;
    std::uint64_t letters;
    std::uint64_t dots;
    unsigned run;
  };

  [[nodiscard]] Seen look(const TriggerBytes& bytes, std::uint64_t colon) const noexcept {
    // Sums, as a shift by up to three and an addition are one instruction.
    const std::uint64_t digit_before = 2 * bytes.digit + digit_;
    Seen seen;
    const std::uint64_t chain = bytes.digit | (bytes.joint & digit_before);
    seen.found.run = runs_of_11(chain);
    seen.run = zeros_above(~chain);
    seen.letters = bytes.letterish & (2 * bytes.letterish + letter_);
    seen.found.iban = bytes.digit & digit_before & (4 * seen.letters + letters_);
    seen.dots = bytes.dot() & digit_before;
    const std::uint64_t third_colons = without_first(without_first(colon));
    const std::uint64_t pairs = without_first(seen.dots) | (colon & 2 * colon) | third_colons;
    if ((pairs | dots_ | colons_) != 0) [[unlikely]] {
      seen.found.ip = ip_candidates(seen.dots, colon, third_colons);
    }
    return seen;
  }
  void keep(const TriggerBytes& bytes, std::uint64_t colon, const Seen& seen) noexcept {
    digit_ = bytes.digit >> 63;
    letter_ = bytes.letterish >> 63;
    letters_ = seen.letters >> 62;
    dots_ = seen.dots >> (64 - dot_reach);
    colons_ = colon >> (64 - colon_reach);
    run_ = seen.run;
  }

  static std::uint64_t without_first(std::uint64_t bits) noexcept { return bits & (bits - 1); }

  [[nodiscard]] std::uint64_t ip_candidates(std::uint64_t dots, std::uint64_t colon,
                                            std::uint64_t third_colons) const noexcept {
    const std::uint64_t near_dots = dots_ != 0 ? bits_below(dot_reach) : 0;
    const std::uint64_t near_colons = colons_ != 0 ? bits_below(colon_reach) : 0;
    return (dots & (dots << 2 | dots << 3 | dots << 4 | near_dots)) |
           (colon & (colon << 1 | near_colons)) | third_colons;
  }

  /// Where runs of eleven end, and the first byte of one that goes on here.
  [[nodiscard]] std::uint64_t runs_of_11(std::uint64_t chain) const noexcept {
    const std::uint64_t two = chain & 2 * chain;
    const std::uint64_t four = two & 4 * two;
    const std::uint64_t seven = four & 8 * four;
    const std::uint64_t eleven = seven & seven << 4;
    const std::uint64_t goes_on = chain & std::uint64_t{run_ + zeros_below(~chain) >= 11};
    return eleven | goes_on;
  }

  // Of the block before: its last byte, and so on.
  std::uint64_t digit_ = 0;
  std::uint64_t letter_ = 0;
  std::uint64_t letters_ = 0;
  std::uint64_t dots_ = 0;
  std::uint64_t colons_ = 0;
  unsigned run_ = 0;
};

/// Which built-ins may match in `text`. Reads nothing behind it.
BuiltinSet may_match(ByteView text) noexcept;

/// The first byte of `text` that triggers one of `builtins`, or its size.
std::size_t first_trigger(ByteView text, BuiltinSet builtins) noexcept;

}  // namespace sluice::matcher
