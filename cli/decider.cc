#include "cli/decider.h"

#include <utility>

#include "identity/credential.h"

namespace sluice::cli {

void Decider::take_up(std::shared_ptr<const identity::TokenKeys> keys) {
  const std::lock_guard lock(mutex_);
  token_keys_ = std::move(keys);
}

config::Principal Decider::identify(std::string_view authorization,
                                    const dataplane::Snapshot& snapshot, WallTime now) const {
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
  std::shared_ptr<const identity::TokenKeys> keys;
  {
    const std::lock_guard lock(mutex_);
    keys = token_keys_;
  }
  if (keys == nullptr) return {};
  auto verdict =
      identity::verify_token(credential.presented(), snapshot.settings.identity.oidc, *keys, now);
  const bool is_proved = verdict.fault == identity::TokenFault::none;
  return is_proved ? std::move(verdict.principal) : config::Principal{};
}

}  // namespace sluice::cli
