// Tokens of the gateway's own: minted on its control side, proved by workers as a provider's are
// (identity/oidc.h).
//
// source   RFC 7519 (JWT), RFC 8037 (Ed25519), RFC 7638 (names of keys), RFC 8725 §3.11 (types),
//          RFC 8693 §4.1 (actors)
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/instant.h"
#include "base/result.h"
#include "config/model/principal.h"
#include "identity/oidc.h"

namespace sluice::identity {

/// `iss` of them all: no provider can have it, for theirs are URLs.
inline constexpr std::string_view gateway_issuer = "urn:sluice:gateway";
/// `typ` of them all.
inline constexpr std::string_view gateway_token_type = "sluice+jwt";
/// No token is good for longer, whatever is configured: so long its revocation is remembered.
inline constexpr Duration gateway_token_lifetime_max = seconds(7 * 86'400);
/// Gateways that share a key may have clocks that differ by so much.
inline constexpr Duration gateway_clock_skew = seconds(5);

/// Of whom, and for what. Times are cut to seconds.
struct TokenOrder {
  const config::Principal&
      principal;            ///< As its credential proved it; of `target`, `expires` none.
  std::string_view id;      ///< That it can be revoked by.
  std::string_view target;  ///< That it is good for; empty: any.
  WallTime issued;
  WallTime expires;
};

/// The key that signs, and those that prove. Immutable; threads share it.
class GatewayTokenKeys {
 public:
  /// key       an Ed25519 private key as PEM (PKCS#8), as make_token_key() gives it.
  /// previous  one that signed before, private or public, or empty: its tokens are still good.
  /// errors    what is wrong with which of them, never what is in them.
  static Result<std::shared_ptr<const GatewayTokenKeys>> read(std::string_view key,
                                                              std::string_view previous);

  /// errors  it would be larger than a token may be, a name is not UTF-8, or OpenSSL failed.
  [[nodiscard]] Result<std::string> mint(const TokenOrder& order) const;
  /// What its tokens are proved by.
  [[nodiscard]] const IssuerKeys& proving() const noexcept { return proving_; }

 private:
  GatewayTokenKeys() = default;

  std::shared_ptr<evp_pkey_st> key_;
  IssuerKeys proving_;
};

/// A new key, as PEM. errors  OpenSSL failed.
Result<std::string> make_token_key();

}  // namespace sluice::identity
