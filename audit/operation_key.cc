// As in sha256.cc: the direct calls, because each operation pays for them.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "audit/operation_key.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace sluice::audit {

static_assert(sizeof(OperationKey::Bytes) == SHA256_CBLOCK);

OperationKey::OperationKey(const Bytes& key) : keyed_(std::make_unique<SHA256_CTX>()) {
  SHA256_Init(keyed_.get());
  SHA256_Update(keyed_.get(), key.data(), key.size());
}

OperationKey::~OperationKey() {
  OPENSSL_cleanse(keyed_.get(), sizeof(SHA256_CTX));
}

Hash OperationKey::digest(std::span<const std::string_view> pieces) const noexcept {
  SHA256_CTX state = *keyed_;
  bool is_first = true;
  for (const std::string_view piece : pieces) {
    if (!is_first) SHA256_Update(&state, "", 1);
    SHA256_Update(&state, piece.data(), piece.size());
    is_first = false;
  }
  Hash out;
  SHA256_Final(out.data(), &state);
  return out;
}

}  // namespace sluice::audit
