// What stands where a StartupMessage has its version. Inside this room only.
#pragma once

#include <cstdint>

#include "parsers/postgres/message.h"

namespace sluice::postgres {

// 1234 in the major's place, so that none is taken for a version.
inline constexpr std::uint32_t cancel_request_code = 1234U << 16 | 5678U;
inline constexpr std::uint32_t ssl_request_code = 1234U << 16 | 5679U;
inline constexpr std::uint32_t gssenc_request_code = 1234U << 16 | 5680U;

constexpr ProtocolVersion version_of(std::uint32_t code) noexcept {
  return {static_cast<std::uint16_t>(code >> 16), static_cast<std::uint16_t>(code)};
}
constexpr std::uint32_t code_of(ProtocolVersion version) noexcept {
  return std::uint32_t{version.major} << 16 | version.minor;
}

}  // namespace sluice::postgres
