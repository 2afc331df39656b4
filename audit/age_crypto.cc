#include "audit/age_crypto.h"

#include <openssl/evp.h>

#include <algorithm>

#include "audit/sha256.h"
#include "base/assert.h"
#include "base/text_codec.h"

namespace sluice::audit::age {
namespace {

struct FreePkey {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
};
using Pkey = std::unique_ptr<EVP_PKEY, FreePkey>;

Pkey private_key(ByteView secret) {
  Pkey key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, secret.data(), secret.size()));
  ASSERT(key != nullptr);
  return key;
}

}  // namespace

void FreeCipher::operator()(evp_cipher_ctx_st* context) const noexcept {
  EVP_CIPHER_CTX_free(context);
}

void hkdf(ByteView secret, ByteView salt, std::string_view info, ByteSpan out) {
  static constexpr Key no_salt{};
  Secret<key_bytes> extracted;
  hmac_sha256(salt.empty() ? ByteView(no_salt) : salt, secret, extracted);
  const std::string block = std::string(info) + '\x01';
  hmac_sha256(extracted, as_bytes(block), out);
}

Key public_of(ByteView secret) {
  const Pkey key = private_key(secret);
  Key out{};
  std::size_t size = out.size();
  ASSERT(EVP_PKEY_get_raw_public_key(key.get(), out.data(), &size) == 1 && size == out.size());
  return out;
}

bool agree(ByteView ours, const Key& theirs, ByteSpan shared) {
  const Pkey key = private_key(ours);
  const Pkey peer(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, theirs.data(), theirs.size()));
  ASSERT(peer != nullptr);
  const std::unique_ptr<EVP_PKEY_CTX, FreePkey> context(EVP_PKEY_CTX_new(key.get(), nullptr));
  std::size_t size = shared.size();
  // OpenSSL refuses points of low order, whose secret would be all zeros.
  return context && EVP_PKEY_derive_init(context.get()) == 1 &&
         EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1 &&
         EVP_PKEY_derive(context.get(), shared.data(), &size) == 1 && size == shared.size();
}

void wrapping_key(ByteView shared, const Key& share, const Key& recipient, ByteSpan out) {
  std::array<std::uint8_t, 2 * key_bytes> salt{};
  std::ranges::copy(share, salt.begin());
  std::ranges::copy(recipient, salt.begin() + key_bytes);
  hkdf(shared, salt, x25519_label, out);
}

Cipher sealing_cipher(ByteView key) {
  Cipher cipher(EVP_CIPHER_CTX_new());
  ASSERT(cipher != nullptr && EVP_EncryptInit_ex(cipher.get(), EVP_chacha20_poly1305(), nullptr,
                                                 key.data(), nullptr) == 1);
  return cipher;
}

Cipher opening_cipher(ByteView key) {
  Cipher cipher(EVP_CIPHER_CTX_new());
  ASSERT(cipher != nullptr && EVP_DecryptInit_ex(cipher.get(), EVP_chacha20_poly1305(), nullptr,
                                                 key.data(), nullptr) == 1);
  return cipher;
}

void seal_into(evp_cipher_ctx_st* cipher, const CipherNonce& nonce, ByteView plain, ByteSpan out) {
  int size = 0;
  int more = 0;
  ASSERT(EVP_EncryptInit_ex(cipher, nullptr, nullptr, nullptr, nonce.data()) == 1 &&
         EVP_EncryptUpdate(cipher, out.data(), &size, plain.data(),
                           static_cast<int>(plain.size())) == 1 &&
         EVP_EncryptFinal_ex(cipher, out.data() + size, &more) == 1 &&
         EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, tag_bytes, out.data() + plain.size()) ==
             1);
}

bool open_into(evp_cipher_ctx_st* cipher, const CipherNonce& nonce, ByteView sealed, ByteSpan out) {
  if (sealed.size() < tag_bytes) return false;
  const ByteView text = sealed.first(sealed.size() - tag_bytes);
  std::array<std::uint8_t, tag_bytes> tag{};
  std::ranges::copy(sealed.last(tag_bytes), tag.begin());
  int size = 0;
  int more = 0;
  return EVP_DecryptInit_ex(cipher, nullptr, nullptr, nullptr, nonce.data()) == 1 &&
         EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, tag_bytes, tag.data()) == 1 &&
         EVP_DecryptUpdate(cipher, out.data(), &size, text.data(), static_cast<int>(text.size())) ==
             1 &&
         EVP_DecryptFinal_ex(cipher, out.data() + size, &more) == 1;
}

CipherNonce chunk_nonce(std::uint64_t number, bool is_last) noexcept {
  CipherNonce nonce{};
  for (std::size_t i = 0; i < sizeof number; ++i) {
    nonce[nonce.size() - 2 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  nonce.back() = is_last ? 1 : 0;
  return nonce;
}

std::string unpadded(ByteView bytes) {
  std::string out = to_base64(bytes);
  while (out.ends_with('=')) out.pop_back();
  return out;
}

}  // namespace sluice::audit::age
