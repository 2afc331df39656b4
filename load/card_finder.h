// Finds card numbers that should have been masked, in a body that comes in pieces.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace sluice::load {

/// A card number is 13 to 19 digits in whole groups, joined by nothing or single
/// spaces or hyphens, whose check digit fits. Issuer ranges are not asked for:
/// where the gateway may let a number pass, this does not.
class CardFinder {
 public:
  void start() noexcept { *this = {}; }
  void on_bytes(ByteView in) noexcept;
  /// The body is over. Whether there was one.
  [[nodiscard]] bool finish() noexcept;

 private:
  static constexpr std::size_t digits_min = 13;
  static constexpr std::size_t digits_max = 19;

  void on_digit(std::uint8_t digit) noexcept;
  void end_group() noexcept;
  void forget() noexcept;
  void drop_first_group() noexcept;

  std::array<std::uint8_t, digits_max> digits_{};  ///< Of the last groups.
  std::array<std::uint8_t, digits_max> groups_{};  ///< Their sizes.
  std::uint8_t digit_count_ = 0;
  std::uint8_t group_count_ = 0;
  bool in_group_ = false;
  bool after_separator_ = false;
  bool is_too_long_ = false;  ///< The group at hand has more digits than a card.
  bool found_ = false;
};

}  // namespace sluice::load
