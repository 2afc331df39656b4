// What writing and reading age files have in common: key derivation, agreement, one seal.
//
// source   https://c2sp.org/age; RFC 7748, RFC 5869, RFC 8439.
#pragma once

#include <openssl/crypto.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"

struct evp_cipher_ctx_st;

namespace sluice::audit::age {

inline constexpr std::size_t key_bytes = 32;
inline constexpr std::size_t file_key_bytes = 16;
inline constexpr std::size_t nonce_bytes = 16;  ///< Of a file's payload.
inline constexpr std::size_t tag_bytes = 16;
inline constexpr std::size_t chunk_bytes = std::size_t{64} << 10;
inline constexpr std::string_view version_line = "age-encryption.org/v1\n";
inline constexpr std::string_view x25519_label = "age-encryption.org/v1/X25519";
inline constexpr std::string_view x25519_stanza = "-> X25519 ";

using Key = std::array<std::uint8_t, key_bytes>;
using CipherNonce = std::array<std::uint8_t, 12>;

/// A secret that does not outlive its use.
template <std::size_t Size>
struct Secret : std::array<std::uint8_t, Size> {
  Secret() : std::array<std::uint8_t, Size>{} {}
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { OPENSSL_cleanse(this->data(), Size); }
};

struct FreeCipher {
  void operator()(evp_cipher_ctx_st* context) const noexcept;
};
using Cipher = std::unique_ptr<evp_cipher_ctx_st, FreeCipher>;

/// RFC 5869 with SHA-256, for one block of output.
void hkdf(ByteView secret, ByteView salt, std::string_view info, ByteSpan out);

/// The public half.
Key public_of(ByteView secret);
/// What both sides of an agreement work out (RFC 7748 §6.1); false: the other's key is none.
[[nodiscard]] bool agree(ByteView ours, const Key& theirs, ByteSpan shared);
/// The key that wraps the file's key for one recipient.
void wrapping_key(ByteView shared, const Key& share, const Key& recipient, ByteSpan out);

/// ChaCha20-Poly1305.
Cipher sealing_cipher(ByteView key);
Cipher opening_cipher(ByteView key);
/// Ciphertext and tag, `plain.size() + tag_bytes` bytes.
void seal_into(evp_cipher_ctx_st* cipher, const CipherNonce& nonce, ByteView plain, ByteSpan out);
/// The reverse; false when it was changed, or is of another key.
[[nodiscard]] bool open_into(evp_cipher_ctx_st* cipher, const CipherNonce& nonce, ByteView sealed,
                             ByteSpan out);
/// Of a chunk: its number in eleven bytes, big-endian, and whether it is the last.
CipherNonce chunk_nonce(std::uint64_t number, bool is_last) noexcept;

/// Base64 as age writes it: without padding.
std::string unpadded(ByteView bytes);

}  // namespace sluice::audit::age
