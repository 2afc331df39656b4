// Signing in with a browser on this host: it is sent to the provider, and comes back to a port of
// loopback with a code.
//
// source   RFC 8252 §7.3
#pragma once

#include <functional>
#include <string>

#include "control/oidc_code.h"

namespace sluice::cli {

/// Waits for the redirection, at most 5 minutes.
/// show    is called with the URL for the browser.
Result<control::OidcTokens> sign_in_by_code(const control::SignInProvider& provider,
                                            const control::OidcEndpoints& endpoints,
                                            const std::function<void(const std::string& url)>& show,
                                            const control::OidcWorld& world);

}  // namespace sluice::cli
