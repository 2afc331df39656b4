#include "cli/authorization.h"

#include <utility>

#include "identity/credential.h"
#include "identity/gateway_tokens.h"

namespace sluice::cli {

config::Principal principal_of(std::string_view authorization, const dataplane::Snapshot& snapshot,
                               const identity::TokenKeys& keys, WallTime now) {
  const identity::Credential credential = identity::parse_authorization(authorization);
  switch (credential.form()) {
    case identity::Credential::Form::malformed:
      return {};
    case identity::Credential::Form::key:
    case identity::Credential::Form::login: {
      const auto verdict = snapshot.keys->verify_slow(credential.presented(), now);
      const bool is_proved = verdict.fault == identity::KeyFault::none;
      return is_proved ? *verdict.principal : config::Principal{};
    }
    case identity::Credential::Form::token:
      break;
  }
  const identity::IssuerKeys* const own =
      snapshot.gateway_tokens ? &snapshot.gateway_tokens->proving() : nullptr;
  auto verdict = identity::verify_token(
      credential.presented(), {snapshot.settings.identity.oidc, keys, own, *snapshot.revoked}, now);
  const bool is_proved =
      verdict.fault == identity::TokenFault::none && verdict.principal.target.empty();
  return is_proved ? std::move(verdict.principal) : config::Principal{};
}

}  // namespace sluice::cli
