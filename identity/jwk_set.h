// The public keys of an issuer, as it publishes them.
//
// source   RFC 7517, RFC 7518 §6, RFC 8037 §2
#pragma once

#include <bitset>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "config/model/jws_algorithm.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace sluice::identity {

inline constexpr std::size_t jwk_set_bytes_max = std::size_t{256} << 10;
inline constexpr std::size_t jwk_set_keys_max = 64;
inline constexpr std::size_t key_id_bytes_max = 256;

/// A key that may prove tokens.
struct Jwk {
  std::string id;  ///< Empty when it has none.
  /// What it is for, by its type, its curve and its own `alg`.
  std::bitset<config::jws_algorithm_names.size()> algorithms;
  std::shared_ptr<evp_pkey_st> key;
};

/// A key of the set that proves nothing here, and why (RFC 7517 §5: such keys are ignored).
struct SkippedJwk {
  std::string id;
  std::string_view why;
};

/// Immutable once made; threads share it.
struct JwkSet {
  std::vector<Jwk> keys;
  std::vector<SkippedJwk> skipped;
};

/// errors   it is too large, not a JSON object with `keys`, or no key of it can be used.
Result<JwkSet> parse_jwk_set(std::string_view json);

/// The same public key, however it was written.
[[nodiscard]] bool is_same_key(const evp_pkey_st& one, const evp_pkey_st& other) noexcept;

/// Whether `signature` over `text` was made with the private half of the key. Thread-safe;
/// leaves nothing in OpenSSL's queue of errors.
/// algorithm  one of the key's.
/// signature  as RFC 7518 §3 has it: ECDSA's r and s side by side.
[[nodiscard]] bool verify_signature(const Jwk& key, config::JwsAlgorithm algorithm,
                                    std::string_view text, ByteView signature) noexcept;

}  // namespace sluice::identity
