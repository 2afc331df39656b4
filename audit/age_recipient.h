// Whom something is encrypted to: a line that begins with "age1", as age-keygen prints it.
//
// source   C2SP age, "The X25519 recipient type"; BIP 173 (Bech32).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace sluice::audit {

struct AgeRecipient {
  std::array<std::uint8_t, 32> key{};  ///< X25519.

  /// errors   it is none, or a character of it is wrong.
  static Result<AgeRecipient> parse(std::string_view line);
  friend bool operator==(const AgeRecipient&, const AgeRecipient&) = default;
};

}  // namespace sluice::audit
