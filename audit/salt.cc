#include "audit/salt.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include "base/assert.h"

namespace sluice::audit {

void SaltSource::CipherFree::operator()(evp_cipher_ctx_st* context) const noexcept {
  EVP_CIPHER_CTX_free(context);
}

SaltSource::SaltSource() : context_(EVP_CIPHER_CTX_new()) {
  std::array<std::uint8_t, 32> key{};
  const std::array<std::uint8_t, 16> counter{};  // the key is used once, so zero will do
  ASSERT(::getrandom(key.data(), key.size(), 0) == static_cast<ssize_t>(key.size()));
  ASSERT(context_ && EVP_EncryptInit_ex(context_.get(), EVP_aes_256_ctr(), nullptr, key.data(),
                                        counter.data()) == 1);
  OPENSSL_cleanse(key.data(), key.size());
}

void SaltSource::refill() noexcept {
  // Encrypting what is there already: any input gives an unpredictable output.
  int written = 0;
  ASSERT(EVP_EncryptUpdate(context_.get(), buffer_.data(), &written, buffer_.data(),
                           static_cast<int>(buffer_.size())) == 1);
  next_ = 0;
}

}  // namespace sluice::audit
