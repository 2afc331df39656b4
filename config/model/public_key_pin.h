// The digest of a public key, as curl's --pinnedpubkey writes it: "sha256//" and base64.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::config {

/// SHA-256 of a DER SubjectPublicKeyInfo (RFC 7469 §2.4).
using PublicKeyPin = std::array<std::uint8_t, 32>;

std::optional<PublicKeyPin> parse_public_key_pin(std::string_view text);

}  // namespace sluice::config
