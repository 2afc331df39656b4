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

/// The same answer twice: in vectors, and byte by byte for tests to compare.
inline TriggerBytes trigger_bytes(const std::uint8_t* block) noexcept {
  const auto ask = [block](auto&& question) { return ask_block(block, question); };
  TriggerBytes found;
  found.rare = ask([](const std::uint8_t* at) {
    const Lanes first = Lanes::load(at);
    const Lanes second = Lanes::load(at + 1);
    const Lanes third = Lanes::load(at + 2);
    const Lanes fourth = Lanes::load(at + 3);
    return first.is('@') | (first.is('y') & second.is('J')) | (first.is('I') & second.is('A')) |
           (first.folded().is('r') & second.folded().is('e') & third.folded().is('r') &
            fourth.is(' '));
  });
  found.digit = ask([](const std::uint8_t* at) { return Lanes::load(at).is_between('0', '9'); });
  found.letter =
      ask([](const std::uint8_t* at) { return Lanes::load(at).folded().is_between('a', 'z'); });
  found.chain = ask([](const std::uint8_t* at) {
    const Lanes bytes = Lanes::load(at);
    return bytes.is_between('-', '9') | bytes.is(' ');
  });
  found.opening = ask([](const std::uint8_t* at) {
    const Lanes bytes = Lanes::load(at);
    return bytes.is('+') | bytes.is('(');
  });
  found.dot = ask([](const std::uint8_t* at) { return Lanes::load(at).is('.'); });
  found.colon = ask([](const std::uint8_t* at) { return Lanes::load(at).is(':'); });
  return found;
}
TriggerBytes trigger_bytes_scalar(const std::uint8_t* block) noexcept;

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
  Triggers next(TriggerBytes bytes, std::uint64_t content) noexcept {
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
