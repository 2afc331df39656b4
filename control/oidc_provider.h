// An OpenID Connect provider as a client sees it that signs a person in: where it is asked, and the
// tokens that it gives. Pure, but for the world it is given.
//
// source   OpenID Connect Discovery 1.0 §4, OpenID Connect Core 1.0 §3.1.3, RFC 6749 §5
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "config/model/settings.h"
#include "control/https_get.h"

namespace sluice::control {

struct OidcWorld {
  std::function<Result<std::string>(const std::string& url)> get;
  std::function<Result<HttpsReply>(const std::string& url, const std::string& form)> post;
  std::function<void(Duration)> sleep;
  std::function<WallTime()> now;

  /// now  the clock.
  /// ca   a file: who may have signed the provider's certificate; empty: the system's.
  static OidcWorld real(const std::string& ca, std::function<WallTime()> now);
};

/// As the gateway's control API names it.
struct SignInProvider {
  std::string name;
  std::string issuer;
  std::string client_id;
  std::vector<std::string> scopes;
  bool uses_id_token = true;  ///< Else the access token proves to the gateway who signed in.
};

/// As which client of an issuer's people sign in; nothing: nobody does.
[[nodiscard]] std::optional<SignInProvider> sign_in_provider(const config::OidcIssuer& issuer);

struct OidcEndpoints {
  std::string token;
  std::string authorization;  ///< Empty: it has none.
  std::string device;         ///< Likewise.
  bool names_issuer = false;  ///< In its redirections (RFC 9207).
};

struct OidcTokens {
  std::string id;  ///< Empty: none was given.
  std::string access;
  std::string refresh;  ///< Likewise.
};

struct OidcRefusal {
  std::string code;     ///< "authorization_pending"; empty: it could not be asked.
  std::string message;  ///< For people.
};

using Form = std::vector<std::pair<std::string, std::string>>;

/// application/x-www-form-urlencoded, and a query.
[[nodiscard]] std::string form_text(const Form& form);

/// errors  its document cannot be had, is another issuer's, or sends us to a place that is not
///         secure.
Result<OidcEndpoints> discover_endpoints(const SignInProvider& provider, const OidcWorld& world);

/// Asks the endpoint for tokens.
Result<OidcTokens, OidcRefusal> ask_for_tokens(const std::string& url, const Form& form,
                                               const OidcWorld& world);

/// Which of the provider's tokens the gateway takes as proof.
/// errors  the provider gave none.
Result<std::string> proof_of(const OidcTokens& tokens, const SignInProvider& provider);

/// Whether an ID token that came straight from the token endpoint is this sign-in's: its issuer,
/// audience and nonce. Its signature is for the gateway to check (§3.1.3.7).
/// nonce   empty: none was sent.
Result<void> check_id_token(const std::string& token, const SignInProvider& provider,
                            const std::string& nonce);

}  // namespace sluice::control
