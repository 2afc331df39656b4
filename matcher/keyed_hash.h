// HMAC-SHA-256 (RFC 2104) with the key's two blocks hashed beforehand, so that a
// value costs two compressions less and nothing allocates.
#pragma once

#define OPENSSL_SUPPRESS_DEPRECATED  // EVP allocates per digest; this does not.
#include <openssl/sha.h>

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace sluice::matcher {

class KeyedHash {
 public:
  using Digest = std::array<std::uint8_t, SHA256_DIGEST_LENGTH>;

  explicit KeyedHash(ByteView key) noexcept;
  [[nodiscard]] Digest of(ByteView message) const noexcept;

 private:
  SHA256_CTX inner_;
  SHA256_CTX outer_;
};

}  // namespace sluice::matcher
