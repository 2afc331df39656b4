// JSON's grammar between neighbouring tokens, for all of a block at once and where they
// stand: what a token asks of the next one is moved there, over blanks.
#pragma once

#include <cstdint>

#include "matcher/json_block.h"

namespace sluice::matcher {

/// The tokens of a block of plain JSON, one bit a byte.
struct PlainTokens {
  std::uint64_t blank;
  std::uint64_t opening;    ///< Quotes that open a string.
  std::uint64_t in_string;  ///< With the opening quote, without the closing one.
  std::uint64_t starts;     ///< First bytes of numbers and literals.
  std::uint64_t marks;      ///< Of those outside strings.
  std::uint64_t open;
  std::uint64_t close;
  std::uint64_t colon;
};

/// What stands before a block, and whether what is in it may follow. TokenRow says the
/// same of tokens in a row.
class TokenFlow {
 public:
  TokenFlow() = default;
  TokenFlow(const TokenBefore& before, std::uint64_t in_string) noexcept
      : wants_value_(before.wants_value),
        wants_name_(before.wants_name),
        name_is_over_(before.is_name & ~in_string),
        name_goes_on_(before.is_name & in_string),
        opens_(before.opens) {}

  /// The same as of the last token.
  [[nodiscard]] TokenBefore before() const noexcept {
    return {wants_value_, wants_value_ & opens_, wants_name_, name_is_over_ | name_goes_on_};
  }

  /// Whether RFC 8259 allows these tokens behind those before, brackets apart.
  /// in_object  of each mark: whether what follows is in an object.
  [[nodiscard]] bool passes(const PlainTokens& tokens, std::uint64_t in_object) noexcept {
    const std::uint64_t wanting = tokens.marks ^ tokens.close;
    const std::uint64_t name_wanting = (wanting ^ tokens.colon) & in_object;
    const std::uint64_t opens_before = wants_value_ & opens_;
    if (wanting != 0) opens_ = std::uint64_t{tokens.open > (wanting ^ tokens.open)};

    const std::uint64_t wanted = behind(wanting, tokens.blank, wants_value_);
    const std::uint64_t name_place = behind(name_wanting, tokens.blank, wants_name_);
    // Adding the first bit of a run of bits leaves the one behind its last.
    std::uint64_t rest = 0;
    const bool goes_on_1 =
        __builtin_add_overflow(tokens.in_string, tokens.opening & name_place, &rest);
    const bool goes_on_2 = __builtin_add_overflow(rest, name_goes_on_, &rest);
    name_goes_on_ = std::uint64_t{goes_on_1 || goes_on_2};
    const std::uint64_t name_ends = rest & ~tokens.in_string;
    const std::uint64_t name_behind = behind(name_ends, tokens.blank, name_is_over_);

    // A value or name stands where one is wanted, and nowhere else.
    const std::uint64_t misplaced = wanted ^ (tokens.opening | tokens.starts | tokens.open);
    const std::uint64_t wrong = (name_place & ~(tokens.opening | tokens.close)) |  //
                                (name_behind ^ tokens.colon);
    if ((misplaced | wrong) == 0) return true;
    // Only a bracket that closes what was just opened may stand in its place.
    std::uint64_t carry = opens_before;
    const std::uint64_t empty = tokens.close & behind(tokens.open, tokens.blank, carry);
    return (wrong | (misplaced & ~empty)) == 0;
  }

 private:
  /// The first byte behind each of `ends` that is not blank.
  /// carry  one if such an end lies before the block; then, if one is still to be found.
  static std::uint64_t behind(std::uint64_t ends, std::uint64_t blank,
                              std::uint64_t& carry) noexcept {
    std::uint64_t to = 0;
    const bool is_over = __builtin_add_overflow(2 * ends + carry, blank, &to);
    carry = ends >> 63 | std::uint64_t{is_over};
    return to & ~blank;
  }

  // One each if the next token …
  std::uint64_t wants_value_ = 0;   ///< … is to be a value or name, or an empty bracket's end.
  std::uint64_t wants_name_ = 0;    ///< … is to be a name.
  std::uint64_t name_is_over_ = 0;  ///< … is to be a colon.
  std::uint64_t name_goes_on_ = 0;  ///< One if the string that goes on is a name.
  std::uint64_t opens_ = 0;         ///< One if the last mark that wants something is a bracket.
};

}  // namespace sluice::matcher
