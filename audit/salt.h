// Salts: sixteen unpredictable bytes in every record, so that someone who holds
// a leaf's hash but not the record cannot find it by trying likely contents.
// That needs a cryptographic generator: AES-256 in counter mode, keyed from the
// kernel, a few hundred salts at a time.
#pragma once

#include <array>
#include <cstring>
#include <memory>

#include "base/bytes.h"

struct evp_cipher_ctx_st;

namespace sluice::audit {

using Salt = std::array<std::uint8_t, 16>;

class SaltSource {
 public:
  /// Asserts that the kernel gives randomness and OpenSSL has AES.
  SaltSource();

  [[nodiscard]] Salt next() noexcept {
    if (next_ == buffer_.size()) refill();
    Salt salt;
    std::memcpy(salt.data(), buffer_.data() + next_, salt.size());
    next_ += salt.size();
    return salt;
  }

 private:
  struct CipherFree {
    void operator()(evp_cipher_ctx_st* context) const noexcept;
  };
  void refill() noexcept;

  std::array<std::uint8_t, 256 * sizeof(Salt)> buffer_{};
  std::size_t next_ = buffer_.size();
  std::unique_ptr<evp_cipher_ctx_st, CipherFree> context_;
};

}  // namespace sluice::audit
