// Tokens of OpenID Connect issuers, and of the gateway itself: a token and the keys of its issuer
// in, a principal or a named fault out. Pure: whom to believe and the time are arguments.
//
// source   RFC 7515 (JWS), RFC 7519 (JWT), RFC 8725 (their best practices), RFC 9068 (access
//          tokens), RFC 8705 §3 (bound to certificates), RFC 9449 §6 (bound to keys), RFC 8693 §4.1
//          (actors), OpenID Connect Core 1.0 §2
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "config/model/principal.h"
#include "config/model/settings.h"
#include "identity/jwk_set.h"
#include "identity/token_fault.h"

namespace sluice::identity {

inline constexpr std::size_t token_bytes_max = std::size_t{16} << 10;
inline constexpr std::size_t token_groups_max = 512;
inline constexpr std::size_t token_actors_max = 4;
inline constexpr std::size_t claim_bytes_max = 256;  ///< Of a subject, a group, an actor.

/// One issuer's keys, and what to think of their age.
struct IssuerKeys {
  std::string issuer;
  std::shared_ptr<const JwkSet> keys;  ///< Null: never fetched.
  WallTime good_until;                 ///< From then on they prove nothing.
  std::uint64_t attempts = 0;          ///< To fetch them, so far.
  Instant ask_from;                    ///< Not before then is it worth asking for newer ones.
};

/// All issuers' keys, immutable: what workers take up.
struct TokenKeys {
  std::uint64_t generation = 0;  ///< Another when any key came or went; not 0 when any is there.
  std::vector<IssuerKeys> issuers;

  [[nodiscard]] const IssuerKeys* find(std::string_view issuer) const noexcept;
};

/// Ids of the gateway's own tokens that were taken back, immutable.
using RevokedTokens = std::set<std::string, std::less<>>;

/// Whose tokens are believed. Borrows all of it.
struct TokenTrust {
  std::span<const config::OidcIssuer> issuers;
  const TokenKeys& keys;                ///< The issuers'.
  const IssuerKeys* gateway = nullptr;  ///< Its own; null: it has none.
  const RevokedTokens& revoked;
};

struct TokenVerdict {
  TokenFault fault = TokenFault::none;
  /// Of those given; null until the token names one, and for the gateway's own.
  const config::OidcIssuer* issuer = nullptr;
  /// Without a fault. `expires` is also when the keys are too old to go on believing it.
  config::Principal principal;
  std::shared_ptr<evp_pkey_st> key;  ///< That the signature was made with.
};

/// What the bearer of a token shows that it has, beside the token.
struct Possession {
  ByteView certificate = {};  ///< SHA-256 of the certificate whose key it has; empty: none.
  ByteView key = {};          ///< SHA-256 of the key that proofs beside the token are made with
                              ///< (RFC 7638); empty: it shows none.
};

/// token    three parts in base64url, as it stands behind "Bearer ".
/// has      a token that is bound to a certificate or to a key holds with that one only, and one
///          that is shown with proofs of a key must be bound to it. The proof itself is another
///          matter (identity/dpop.h).
TokenVerdict verify_token(std::string_view token, const TokenTrust& trust, WallTime now,
                          const Possession& has = {});

/// Whether what a token proved is proved by this bearer of it, too.
[[nodiscard]] TokenFault check_possession(const config::Principal& who,
                                          const Possession& has) noexcept;

/// What a token's proof rests on, beside the token and the time.
struct TokenGrounds {
  std::optional<config::OidcIssuer> issuer;  ///< Nothing: it is the gateway's own.
  std::shared_ptr<evp_pkey_st> key;          ///< Null: its issuer said so, and must be asked again.
  std::string id;                            ///< That it can be revoked by.
};

/// Whether what proved a token still would: its issuer is configured as it was and still has the
/// key, and the token was not revoked. For who showed a token once, at the beginning of a session,
/// and is not asked again.
[[nodiscard]] bool still_holds(const TokenGrounds& grounds, const TokenTrust& trust);

}  // namespace sluice::identity
