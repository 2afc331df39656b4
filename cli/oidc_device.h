// Signing in on another device: a code is shown here, and typed there.
//
// source   RFC 8628
#pragma once

#include <functional>

#include "control/oidc_provider.h"

namespace sluice::cli {

/// What the person is to be told.
struct DevicePrompt {
  std::string url;  ///< Where the code is typed.
  std::string code;
  std::string whole_url;  ///< The same with the code in it; may be empty.
};

/// Waits until the person has agreed, refused, or let it expire.
/// errors  in words: also what the provider refuses.
Result<control::OidcTokens> sign_in_by_device(const control::SignInProvider& provider,
                                              const control::OidcEndpoints& endpoints,
                                              const std::function<void(const DevicePrompt&)>& show,
                                              const control::OidcWorld& world);

}  // namespace sluice::cli
