// Where a built-in finder may have something to find: a condition on raw bytes
// that each of its matches meets (docs/masks.md, "Triggers"). What does not
// trigger needs no further look; what does is verified exactly.
#pragma once

#include <cstdint>

#include "matcher/builtin_finders.h"
#include "matcher/byte_block.h"

namespace sluice::matcher {

/// What triggers ask of each byte of a block, one bit a byte.
struct TriggerBytes {
  std::uint64_t rare = 0;  ///< '@', or where "yJ", "IA" or, in any case, "rer " begins.
  std::uint64_t digit = 0;
  std::uint64_t letter = 0;
  std::uint64_t chain = 0;    ///< Digits and what may join them: ' ', '-', '.', '/'.
  std::uint64_t opening = 0;  ///< '+' or '(': what a telephone number may begin with.
  std::uint64_t dot = 0;
  std::uint64_t colon = 0;

  bool operator==(const TriggerBytes&) const = default;
};

/// Bytes behind a block that are looked at with it.
inline constexpr std::size_t trigger_ahead_bytes = 3;

/// One bit a class, in the order of trigger_classes.
namespace trigger_class {
inline constexpr int colon = 0;
inline constexpr int at_sign = 1;
inline constexpr int dot = 2;
inline constexpr int opening = 3;
inline constexpr int joint = 4;
inline constexpr int late_letter = 5;   ///< p to z.
inline constexpr int early_letter = 6;  ///< a to o.
inline constexpr int digit = 7;
}  // namespace trigger_class

inline constexpr ByteClasses trigger_classes{
    {nibble(3), nibble(0xA)},
    {nibble(4), nibble(0)},
    {nibble(2), nibble(0xE)},
    {nibble(2), nibble(8) | nibble(0xB)},
    {nibble(2), nibble(0) | nibbles(0xD, 0xF)},
    {nibble(5) | nibble(7), nibbles(0, 0xA)},
    {nibble(4) | nibble(6), nibbles(1, 0xF)},
    {nibble(3), nibbles(0, 9)},
};

/// The same answer twice: in vectors, and byte by byte for tests to compare.
inline TriggerBytes trigger_bytes(const std::uint8_t* block) noexcept {
  const Lanes bytes[2] = {Lanes::load(block), Lanes::load(block + 32)};
  const Lanes classes[2] = {trigger_classes.of(bytes[0]), trigger_classes.of(bytes[1])};
  const auto ask = [&classes](auto&& question) {
    return ask_halves(classes[0], classes[1], question);
  };
  const auto rare = [&](int half) {
    const std::uint8_t* const at = block + half * 32;
    const Lanes first = bytes[half];
    const Lanes second = Lanes::load(at + 1);
    const Lanes third = Lanes::load(at + 2);
    const Lanes fourth = Lanes::load(at + 3);
    return (classes[half].raised<trigger_class::at_sign>() | (first.is('y') & second.is('J')) |
            (first.is('I') & second.is('A')) |
            (first.folded().is('r') & second.folded().is('e') & third.folded().is('r') &
             fourth.is(' ')))
        .bits();
  };
  TriggerBytes found;
  found.rare = std::uint64_t{rare(1)} << 32 | rare(0);
  found.digit = ask([](Lanes of) { return of.raised<trigger_class::digit>(); });
  found.letter = ask([](Lanes of) {
    return of.raised<trigger_class::early_letter>() | of.raised<trigger_class::late_letter>();
  });
  found.chain = ask([](Lanes of) {
    return of.raised<trigger_class::digit>() | of.raised<trigger_class::joint>();
  });
  found.opening = ask([](Lanes of) { return of.raised<trigger_class::opening>(); });
  found.dot = ask([](Lanes of) { return of.raised<trigger_class::dot>(); });
  found.colon = ask([](Lanes of) { return of.raised<trigger_class::colon>(); });
  return found;
}
TriggerBytes trigger_bytes_scalar(const std::uint8_t* block) noexcept;

/// Whether the block is words: nothing in it but letters, blanks and the like, by
/// which only `rare` could trigger.
inline bool is_words(const std::uint8_t* block) noexcept {
  constexpr char telling =
      static_cast<char>(1U << trigger_class::digit | 1U << trigger_class::opening |
                        1U << trigger_class::dot | 1U << trigger_class::colon);
  const Lanes low = trigger_classes.of(Lanes::load(block));
  const Lanes high = trigger_classes.of(Lanes::load(block + 32));
  return (low | high).has_none_of(Lanes::all(telling));
}

/// Where groups of finders are triggered in a block, one bit a byte. A bit lies
/// within the value that triggers, at or behind the first byte that matters.
struct Triggers {
  std::uint64_t rare = 0;     ///< E-mail, JWT, AWS key, bearer token.
  std::uint64_t run = 0;      ///< Eleven digits and joints: card, SSN, telephone.
  std::uint64_t opening = 0;  ///< A telephone number.
  std::uint64_t iban = 0;
  std::uint64_t ip = 0;

  /// All bits that mean one of `builtins`.
  [[nodiscard]] std::uint64_t of(BuiltinSet builtins) const noexcept;
};

/// The built-ins that each group may mean.
inline constexpr BuiltinSet rare_builtins = bit_of(Builtin::email) | bit_of(Builtin::jwt) |
                                            bit_of(Builtin::aws_key) |
                                            bit_of(Builtin::bearer_token);
inline constexpr BuiltinSet run_builtins =
    bit_of(Builtin::payment_card) | bit_of(Builtin::us_ssn) | bit_of(Builtin::phone);

inline std::uint64_t Triggers::of(BuiltinSet builtins) const noexcept {
  const auto if_any = [builtins](unsigned of_group, std::uint64_t bits) {
    return (builtins & of_group) != 0 ? bits : 0;
  };
  return if_any(rare_builtins, rare) | if_any(run_builtins, run) |
         if_any(bit_of(Builtin::phone), opening) | if_any(bit_of(Builtin::iban), iban) |
         if_any(bit_of(Builtin::ip), ip);
}

/// Goes over a text block by block.
class TriggerScan {
 public:
  /// content  bytes that belong to values: nothing else triggers.
  Triggers next(const std::uint8_t* block, std::uint64_t content) noexcept {
    TriggerBytes bytes = trigger_bytes(block);
    if (is_words(block)) return pass_words(bytes, content);
    bytes.chain &= content;
    bytes.colon &= content;
    Triggers found;
    found.rare = bytes.rare & content;
    found.run = runs_of_11(bytes.chain) & content;
    found.opening = moved_up(bytes.opening, before_.opening, 1) & bytes.digit;
    const std::uint64_t alnum = bytes.digit | bytes.letter;
    const std::uint64_t alnum_before = before_.digit | before_.letter;
    found.iban = bytes.digit & moved_up(bytes.digit, before_.digit, 1) &
                 moved_up(bytes.letter, before_.letter, 2) &
                 moved_up(bytes.letter, before_.letter, 3) & ~moved_up(alnum, alnum_before, 4);
    const std::uint64_t near_dots = moved_up(bytes.dot, before_.dot, 2) |
                                    moved_up(bytes.dot, before_.dot, 3) |
                                    moved_up(bytes.dot, before_.dot, 4);
    found.ip = bytes.dot & near_dots;
    if (bytes.colon != 0) found.ip |= colons_of_ipv6(bytes.colon, before_.colon);
    before_ = bytes;
    return found;
  }

 private:
  /// No number reaches across a whole block of words: of it, what comes behind
  /// need only know the letters.
  Triggers pass_words(const TriggerBytes& bytes, std::uint64_t content) noexcept {
    before_ = {};
    before_.letter = bytes.letter;
    for (std::uint64_t& run : runs_before_) run = 0;
    Triggers found;
    found.rare = bytes.rare & content;
    return found;
  }
  /// Places that end a run of at least eleven.
  std::uint64_t runs_of_11(std::uint64_t one) noexcept {
    const std::uint64_t two = one & moved_up(one, runs_before_[0], 1);
    const std::uint64_t four = two & moved_up(two, runs_before_[1], 2);
    const std::uint64_t eight = four & moved_up(four, runs_before_[2], 4);
    const std::uint64_t eleven = eight & moved_up(eight, runs_before_[3], 3);
    runs_before_[0] = one;
    runs_before_[1] = two;
    runs_before_[2] = four;
    runs_before_[3] = eight;
    return eleven;
  }
  /// The last of two colons together, or of three each at most five from the next.
  static std::uint64_t colons_of_ipv6(std::uint64_t colon, std::uint64_t before) noexcept;

  TriggerBytes before_;
  std::uint64_t runs_before_[4] = {};
};

/// Which built-ins may match in `text`. Reads nothing behind it.
BuiltinSet may_match(ByteView text) noexcept;

/// The first byte of `text` that triggers one of `builtins`, or its size.
std::size_t first_trigger(ByteView text, BuiltinSet builtins) noexcept;

}  // namespace sluice::matcher
