// SHA-256 for many small inputs in a row.
#pragma once

#include <array>

#include "base/bytes.h"

namespace sluice::audit {

using Hash = std::array<std::uint8_t, 32>;

Hash sha256(ByteView bytes) noexcept;
/// SHA-256 over prefix, left, right: RFC 6962 §2.1's inner node when prefix is 1.
Hash sha256_node(std::uint8_t prefix, const Hash& left, const Hash& right) noexcept;

}  // namespace sluice::audit
