// Hex and base64, for keys, digests and notes. Not for the data path.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace sluice {

std::string to_hex(ByteView bytes);
std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);

/// RFC 4648 §4, padded.
std::string to_base64(ByteView bytes);
/// Strict: canonical padding and no stray bits, else nothing.
std::optional<std::vector<std::uint8_t>> from_base64(std::string_view text);

/// RFC 4648 §5, unpadded: for keys that people paste.
std::string to_base64url(ByteView bytes);
std::optional<std::vector<std::uint8_t>> from_base64url(std::string_view text);

}  // namespace sluice
