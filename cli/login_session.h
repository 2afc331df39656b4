// Whoever logged in at a gateway, and the tokens of its own that it gives for that.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/remote_gateway.h"
#include "cli/stored_login.h"
#include "control/oidc_provider.h"

namespace sluice::cli {

/// What a token is to be like; all of it may be left out.
struct TokenWish {
  std::string target = {};  ///< The one that it is to be good for.
  std::optional<Duration> lifetime = {};
};

/// With whom people sign in there.
Result<std::vector<control::SignInProvider>> sign_in_providers(const RemoteGateway& gateway);

/// The gateway's own token for whom `proof` proves. While the gateway fetches its issuer's keys it
/// is asked again, for some seconds.
Result<GatewayToken> exchange_proof(const RemoteGateway& gateway, const std::string& proof,
                                    const TokenWish& wish);

/// The token that the last login at this gateway left. One that is about to expire is renewed,
/// where the provider gave a refresh token (RFC 6749 §6).
/// errors  nobody logged in, or has to do so again.
Result<GatewayToken> current_token(const RemoteGateway& gateway);

/// Another token for whoever logged in, by the refresh token; what is stored stays in force.
Result<GatewayToken> another_token(const RemoteGateway& gateway, const TokenWish& wish);

}  // namespace sluice::cli
