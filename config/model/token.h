// What methods and field names are made of.
#pragma once

#include <algorithm>
#include <string_view>

#include "base/ascii.h"

namespace sluice::config {

/// RFC 9110 §5.6.2.
inline bool is_token(std::string_view text) noexcept {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_letter_or_digit(c) || others.find(c) != std::string_view::npos;
  });
}

}  // namespace sluice::config
