#include "load/card_finder.h"

#include <algorithm>

#include "base/ascii.h"
#include "load/luhn.h"

namespace sluice::load {

void CardFinder::on_bytes(ByteView in) noexcept {
  for (const std::uint8_t byte : in) {
    if (is_digit(byte)) {
      on_digit(static_cast<std::uint8_t>(byte - '0'));
      continue;
    }
    const bool ends_group = in_group_;
    if (ends_group) end_group();
    after_separator_ = ends_group && (byte == ' ' || byte == '-');
    if (!after_separator_) forget();
  }
}

bool CardFinder::finish() noexcept {
  if (in_group_) end_group();
  return found_;
}

void CardFinder::on_digit(std::uint8_t digit) noexcept {
  if (!in_group_) {
    in_group_ = true;
    is_too_long_ = false;
    if (group_count_ == groups_.size()) drop_first_group();
    groups_[group_count_++] = 0;
  }
  while (digit_count_ == digits_max && group_count_ > 1) drop_first_group();
  if (digit_count_ == digits_max) {
    is_too_long_ = true;
    return;
  }
  digits_[digit_count_++] = digit;
  ++groups_[group_count_ - 1];
}

/// Any number of whole groups that ends here may be a card.
void CardFinder::end_group() noexcept {
  in_group_ = false;
  if (is_too_long_) return forget();
  std::size_t size = 0;
  for (std::size_t group = group_count_; group-- > 0;) {
    size += groups_[group];
    if (size < digits_min) continue;
    const auto digits = std::span(digits_).first(digit_count_).last(size);
    found_ = found_ || is_luhn_valid(digits);
  }
}

void CardFinder::forget() noexcept {
  digit_count_ = 0;
  group_count_ = 0;
}

void CardFinder::drop_first_group() noexcept {
  const std::uint8_t size = groups_[0];
  std::copy(digits_.begin() + size, digits_.begin() + digit_count_, digits_.begin());
  std::copy(groups_.begin() + 1, groups_.begin() + group_count_, groups_.begin());
  digit_count_ = static_cast<std::uint8_t>(digit_count_ - size);
  --group_count_;
}

}  // namespace sluice::load
