// What stands in the place of a match.
#pragma once

#include "base/bytes.h"
#include "matcher/encoding.h"
#include "matcher/keyed_hash.h"
#include "matcher/mask_rule.h"

namespace sluice::matcher {

inline constexpr std::string_view redacted_text = "[redacted]";

/// Bytes that a shown value of `size` bytes may need at most.
constexpr std::size_t rendered_bytes_max(std::size_t size) noexcept {
  return encoded_byte_bytes_max * (size + 18);
}

/// The same where bytes are written as they are.
constexpr std::size_t raw_rendered_bytes_max(std::size_t size) noexcept {
  return size + 18 + encoded_byte_bytes_max;
}

/// Writes what `show` makes of the decoded `value`, encoded; gives the size.
/// hashes_normalised  hash letters and digits only, in upper case.
std::size_t render(const Show& show, bool hashes_normalised, const KeyedHash& hash, ByteView value,
                   Encoding encoding, ByteSpan out) noexcept;

}  // namespace sluice::matcher
