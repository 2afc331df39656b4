// What `sluice login` leaves for later verbs: a file of the person's own, one for each gateway.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/instant.h"
#include "base/result.h"
#include "control/oidc_provider.h"

namespace sluice::cli {

/// A token of a gateway's own.
struct GatewayToken {
  std::string token;
  std::string id;
  std::string subject;
  WallTime expires;
};

struct StoredLogin {
  GatewayToken token;
  control::SignInProvider provider;  ///< That the person signed in with.
  std::string provider_ca;           ///< As OidcWorld::real() takes it.
  std::string refresh;  ///< By which the provider gives newer tokens; empty: by nothing.
};

/// "HOST_PORT.json" in $XDG_STATE_HOME/sluice/logins, or in ~/.local/state/sluice/logins.
/// errors  neither variable is set.
Result<std::string> login_path(const std::string& host, std::uint16_t port);

/// Nothing: there is no such file.
/// errors  it is not as write_login() leaves it, or others may read it.
Result<std::optional<StoredLogin>> read_login(const std::string& path);

/// Replaces it as one step. Only its owner may read it, from its first byte on.
Result<void> write_login(const std::string& path, const StoredLogin& login);

}  // namespace sluice::cli
