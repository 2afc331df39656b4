// SHA-256 for many small inputs in a row.
#pragma once

#include <array>
#include <memory>

#include "base/bytes.h"

struct SHA256state_st;

namespace sluice::audit {

using Hash = std::array<std::uint8_t, 32>;

Hash sha256(ByteView bytes) noexcept;
/// HMAC-SHA-256 (RFC 2104) into the 32 bytes of `out`, which may be a secret.
void hmac_sha256(ByteView key, ByteView text, ByteSpan out) noexcept;
/// SHA-256 over prefix, left, right: RFC 6962 §2.1's inner node when prefix is 1.
Hash sha256_node(std::uint8_t prefix, const Hash& left, const Hash& right) noexcept;

/// For one long input that comes in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(ByteView bytes) noexcept;
  /// Once.
  [[nodiscard]] Hash finish() noexcept;

 private:
  std::unique_ptr<SHA256state_st> state_;
};

}  // namespace sluice::audit
