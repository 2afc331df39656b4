// Signing in with a browser on this host: it is sent to the provider, and comes back to a port of
// loopback with a code.
//
// source   RFC 8252 §7.3, RFC 7636 (S256), RFC 9207, OpenID Connect Core 1.0 §3.1
#pragma once

#include <functional>

#include "cli/oidc_provider.h"

namespace sluice::cli {

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

/// target  of the request that came to the loopback port.
[[nodiscard]] Redirection read_redirection(std::string_view target, const SignInProvider& provider,
                                           const OidcEndpoints& endpoints,
                                           const CodeSecrets& secrets);

/// Waits for the redirection, at most 5 minutes.
/// show    is called with the URL for the browser.
Result<OidcTokens> sign_in_by_code(const SignInProvider& provider, const OidcEndpoints& endpoints,
                                   const std::function<void(const std::string& url)>& show,
                                   const OidcWorld& world);

}  // namespace sluice::cli
