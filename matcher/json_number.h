// RFC 8259 §6: what a number is.
#pragma once

#include "base/bytes.h"

namespace sluice::matcher {

bool is_json_number(ByteView token) noexcept;

/// Whether `byte` may be part of a number; the first that may not ends it.
constexpr bool is_number_byte(std::uint8_t byte) noexcept {
  return (byte >= '0' && byte <= '9') || byte == '-' || byte == '+' || byte == '.' || byte == 'e' ||
         byte == 'E';
}

}  // namespace sluice::matcher
