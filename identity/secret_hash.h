// How secrets are stored: SHA-256 for random ones, scrypt for chosen ones.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace sluice::identity {

using Digest = std::array<std::uint8_t, 32>;

/// Allocates nothing after a thread's first call. Nothing: OpenSSL failed.
std::optional<Digest> sha256(std::string_view text) noexcept;

/// Takes the same time wherever the digests differ.
bool equal(const Digest& a, const Digest& b) noexcept;

/// A stored scrypt hash (RFC 7914): "N$r$p$salt$hash", salt and hash in base64.
struct ScryptHash {
  std::uint64_t cost = std::uint64_t{1} << 15;  ///< N
  std::uint64_t block = 8;                      ///< r
  std::uint64_t lanes = 1;                      ///< p
  std::vector<std::uint8_t> salt;
  Digest hash{};

  /// errors  what is wrong with the text, never the text.
  static Result<ScryptHash> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
};

/// The digest of `secret` with the cost and salt of `like`. Nothing: no memory.
std::optional<Digest> scrypt(std::string_view secret, const ScryptHash& like) noexcept;

}  // namespace sluice::identity
