// Signatures of tokens, by OpenSSL.
//
// source   RFC 7518 §3.3 to §3.5, RFC 8037 §3.1
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <array>

#include "identity/jwk_set.h"

namespace sluice::identity {
namespace {

using config::JwsAlgorithm;

enum class Scheme : std::uint8_t { pkcs1, pss, ecdsa, eddsa };

struct Method {
  Scheme scheme;
  const char* digest;         ///< Null where the scheme has its own.
  std::size_t integer_bytes;  ///< ECDSA: of r, and of s.
};

/// In the order of the enum.
constexpr std::array<Method, config::jws_algorithm_names.size()> methods{{
    {Scheme::pkcs1, "SHA256", 0},
    {Scheme::pkcs1, "SHA384", 0},
    {Scheme::pkcs1, "SHA512", 0},
    {Scheme::pss, "SHA256", 0},
    {Scheme::pss, "SHA384", 0},
    {Scheme::pss, "SHA512", 0},
    {Scheme::ecdsa, "SHA256", 32},
    {Scheme::ecdsa, "SHA384", 48},
    {Scheme::ecdsa, "SHA512", 66},
    {Scheme::eddsa, nullptr, 0},
}};

/// Fetched once: OpenSSL would look it up for each signature.
const EVP_MD* digest_of(const Method& method) noexcept {
  if (method.digest == nullptr) return nullptr;
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  static const EVP_MD* const sha384 = EVP_MD_fetch(nullptr, "SHA384", nullptr);
  static const EVP_MD* const sha512 = EVP_MD_fetch(nullptr, "SHA512", nullptr);
  const std::string_view name = method.digest;
  return name == "SHA256" ? sha256 : name == "SHA384" ? sha384 : sha512;
}

/// Longest DER of two integers of 66 bytes, each perhaps with a zero before it: a sequence
/// with a length of two bytes.
constexpr std::size_t der_bytes_max = 3 + 2 * (2 + 1 + 66);
using Der = std::array<std::uint8_t, der_bytes_max>;

/// RFC 7518 §3.4: r and s have a fixed length. What is left of zeros is DER's (X.690 §8.3).
std::size_t put_integer(ByteView integer, std::uint8_t* out) noexcept {
  while (integer.size() > 1 && integer.front() == 0) integer = integer.subspan(1);
  const bool needs_zero = (integer.front() & 0x80U) != 0;
  std::uint8_t* at = out;
  *at++ = 0x02;
  *at++ = static_cast<std::uint8_t>(integer.size() + (needs_zero ? 1 : 0));
  if (needs_zero) *at++ = 0;
  at = std::copy(integer.begin(), integer.end(), at);
  return static_cast<std::size_t>(at - out);
}

ByteView der_of(ByteView signature, Der& room) noexcept {
  const std::size_t half = signature.size() / 2;
  constexpr std::size_t head_bytes = 3;
  std::uint8_t* const integers = room.data() + head_bytes;
  std::size_t size = put_integer(signature.first(half), integers);
  size += put_integer(signature.subspan(half), integers + size);
  if (size < 0x80) {
    room[1] = 0x30;
    room[2] = static_cast<std::uint8_t>(size);
    return {room.data() + 1, size + 2};
  }
  room[0] = 0x30;
  room[1] = 0x81;
  room[2] = static_cast<std::uint8_t>(size);
  return {room.data(), size + head_bytes};
}

bool is_right_size(const Jwk& key, const Method& method, ByteView signature) noexcept {
  if (method.scheme == Scheme::ecdsa) return signature.size() == 2 * method.integer_bytes;
  return signature.size() == static_cast<std::size_t>(EVP_PKEY_get_size(key.key.get()));
}

bool set_pss(EVP_PKEY_CTX* context) noexcept {
  // RFC 7518 §3.5: the salt is as long as the digest, and MGF1 uses the same, as it does unasked.
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

}  // namespace

bool is_same_key(const EVP_PKEY& one, const EVP_PKEY& other) noexcept {
  const bool same = EVP_PKEY_eq(&one, &other) == 1;
  if (!same) ERR_clear_error();
  return same;
}

bool verify_signature(const Jwk& key, JwsAlgorithm algorithm, std::string_view text,
                      ByteView signature) noexcept {
  const Method& method = methods[static_cast<std::size_t>(algorithm)];
  if (!is_right_size(key, method, signature)) return false;
  Der room{};
  if (method.scheme == Scheme::ecdsa) signature = der_of(signature, room);
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* parameters = nullptr;
  const bool holds =
      context != nullptr &&
      EVP_DigestVerifyInit(context, &parameters, digest_of(method), nullptr, key.key.get()) == 1 &&
      (method.scheme != Scheme::pss || set_pss(parameters)) &&
      EVP_DigestVerify(context, signature.data(), signature.size(), as_bytes(text).data(),
                       text.size()) == 1;
  EVP_MD_CTX_free(context);
  if (!holds) ERR_clear_error();
  return holds;
}

}  // namespace sluice::identity
