// Signing in by an authorization code: where a browser is sent, what it comes back with, and what
// that is exchanged for. Pure, but for the world it is given.
//
// source   RFC 7636 (S256), RFC 9207, OpenID Connect Core 1.0 §3.1
#pragma once

#include <string>
#include <string_view>

#include "control/oidc_provider.h"

namespace sluice::control {

/// What ties a redirection to the sign-in that asked for it; all of it unguessable.
struct CodeSecrets {
  std::string verifier;  ///< RFC 7636 §4.1
  std::string state;
  std::string nonce;
  static CodeSecrets random();
};

/// Where the browser is sent.
[[nodiscard]] std::string authorization_url(const SignInProvider& provider,
                                            const OidcEndpoints& endpoints,
                                            const std::string& redirect,
                                            const CodeSecrets& secrets);

/// What a redirection says.
struct Redirection {
  bool is_ours = false;  ///< Else it is somebody's, and is not believed.
  std::string code;      ///< Empty: it is refused.
  std::string refusal;   ///< Why.
};

/// target  of the request that the browser comes back with; `path` is where it is to come to.
[[nodiscard]] Redirection read_redirection(std::string_view target, std::string_view path,
                                           const SignInProvider& provider,
                                           const OidcEndpoints& endpoints,
                                           const CodeSecrets& secrets);

/// Exchanges the code; an ID token among what comes is this sign-in's.
[[nodiscard]] Result<OidcTokens> redeem_code(const std::string& code,
                                             const SignInProvider& provider,
                                             const OidcEndpoints& endpoints,
                                             const std::string& redirect,
                                             const CodeSecrets& secrets, const OidcWorld& world);

}  // namespace sluice::control
