#include "matcher/keyed_hash.h"

#include <algorithm>

namespace sluice::matcher {

KeyedHash::KeyedHash(ByteView key) noexcept {
  std::array<std::uint8_t, SHA256_CBLOCK> block{};
  if (key.size() > block.size()) {
    SHA256(key.data(), key.size(), block.data());
  } else {
    std::copy(key.begin(), key.end(), block.begin());
  }
  std::array<std::uint8_t, SHA256_CBLOCK> pad;
  const auto hash_pad = [&](SHA256_CTX& context, std::uint8_t mask) {
    std::transform(block.begin(), block.end(), pad.begin(),
                   [mask](std::uint8_t byte) { return static_cast<std::uint8_t>(byte ^ mask); });
    SHA256_Init(&context);
    SHA256_Update(&context, pad.data(), pad.size());
  };
  hash_pad(inner_, 0x36);
  hash_pad(outer_, 0x5C);
}

KeyedHash::Digest KeyedHash::of(ByteView message) const noexcept {
  Digest digest;
  SHA256_CTX context = inner_;
  SHA256_Update(&context, message.data(), message.size());
  SHA256_Final(digest.data(), &context);
  context = outer_;
  SHA256_Update(&context, digest.data(), digest.size());
  SHA256_Final(digest.data(), &context);
  return digest;
}

}  // namespace sluice::matcher
