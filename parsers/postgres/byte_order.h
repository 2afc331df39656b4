// Integers as the wire has them: most significant byte first.
#pragma once

#include <cstdint>

namespace sluice::postgres {

/// `at` has two readable bytes.
inline std::uint16_t load_u16(const std::uint8_t* at) noexcept {
  return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}

/// `at` has four readable bytes.
inline std::uint32_t load_u32(const std::uint8_t* at) noexcept {
  return std::uint32_t{load_u16(at)} << 16 | load_u16(at + 2);
}

/// `at` has room for two bytes.
inline void store_u16(std::uint8_t* at, std::uint16_t value) noexcept {
  at[0] = static_cast<std::uint8_t>(value >> 8);
  at[1] = static_cast<std::uint8_t>(value);
}

/// `at` has room for four bytes.
inline void store_u32(std::uint8_t* at, std::uint32_t value) noexcept {
  store_u16(at, static_cast<std::uint16_t>(value >> 16));
  store_u16(at + 2, static_cast<std::uint16_t>(value));
}

}  // namespace sluice::postgres
