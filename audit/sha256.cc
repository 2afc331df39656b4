// A leaf is hashed millions of times a second, and one round trip through the
// EVP layer costs as much as the two to four blocks themselves. The direct calls
// reach the same SHA-NI code; OpenSSL 3 marks them deprecated, hence the macro,
// for this file only.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "audit/sha256.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <cstring>

#include "base/assert.h"

namespace sluice::audit {

Hash sha256(ByteView bytes) noexcept {
  Hash out;
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, bytes.data(), bytes.size());
  SHA256_Final(out.data(), &context);
  return out;
}

void hmac_sha256(ByteView key, ByteView text, ByteSpan out) noexcept {
  unsigned size = 0;
  ASSERT(out.size() == sizeof(Hash) &&
         HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), text.data(), text.size(),
              out.data(), &size) != nullptr &&
         size == out.size());
}

Hash sha256_node(std::uint8_t prefix, const Hash& left, const Hash& right) noexcept {
  std::array<std::uint8_t, 1 + 2 * sizeof(Hash)> bytes;
  bytes[0] = prefix;
  std::memcpy(bytes.data() + 1, left.data(), left.size());
  std::memcpy(bytes.data() + 1 + left.size(), right.data(), right.size());
  return sha256(bytes);
}

Sha256::Sha256() : state_(std::make_unique<SHA256_CTX>()) {
  SHA256_Init(state_.get());
}

Sha256::~Sha256() = default;

void Sha256::add(ByteView bytes) noexcept {
  SHA256_Update(state_.get(), bytes.data(), bytes.size());
}

Hash Sha256::finish() noexcept {
  Hash out;
  SHA256_Final(out.data(), state_.get());
  return out;
}

}  // namespace sluice::audit
