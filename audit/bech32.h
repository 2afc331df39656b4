// 32 bytes as Bech32 has them, in lower case: the form of age's keys.
//
// source   BIP 173; C2SP age, "The X25519 recipient type".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::audit {

struct Bech32Key {
  std::array<std::uint8_t, 32> bytes{};
  bool is_whole = false;  ///< The checksum is right, and so is the padding.
};

/// Characters behind "<prefix>1".
inline constexpr std::size_t bech32_key_characters = 52 + 6;

/// nothing   it is not `prefix`, "1" and 58 characters of the alphabet.
std::optional<Bech32Key> parse_bech32_key(std::string_view prefix, std::string_view text);

}  // namespace sluice::audit
