#include "cli/authorization.h"

#include <utility>

#include "identity/credential.h"
#include "identity/gateway_tokens.h"

namespace sluice::cli {
namespace {

using control::api::Proving;

AuthorizationVerdict nobody(std::string_view fault) {
  return {.proving = {.fault = fault}, .awaited_issuer = {}};
}

AuthorizationVerdict proved(config::Principal who) {
  return {.proving = {.state = Proving::State::proved, .who = std::move(who)},
          .awaited_issuer = {}};
}

AuthorizationVerdict look_at_key(std::string_view presented, const ProofBasis& basis) {
  const auto verdict = basis.snapshot.keys->verify_slow(presented, basis.now);
  return verdict.fault == identity::KeyFault::none ? proved(*verdict.principal)
                                                   : nobody(identity::text(verdict.fault));
}

AuthorizationVerdict look_at_token(std::string_view presented, const ProofBasis& basis) {
  const dataplane::Snapshot& snapshot = basis.snapshot;
  const identity::IssuerKeys* const own =
      snapshot.gateway_tokens ? &snapshot.gateway_tokens->proving() : nullptr;
  auto verdict = identity::verify_token(
      presented, {snapshot.settings.identity.oidc, basis.keys, own, *snapshot.revoked}, basis.now);
  // An issuer that was asked just now has no such key.
  const identity::IssuerKeys* const known =
      verdict.issuer == nullptr ? nullptr : basis.keys.find(verdict.issuer->issuer);
  if (identity::is_about_keys(verdict.fault) && known != nullptr &&
      basis.monotonic >= known->ask_from) {
    return {
        .proving = {.state = Proving::State::awaits_keys, .fault = identity::text(verdict.fault)},
        .awaited_issuer = verdict.issuer->issuer};
  }
  if (verdict.fault != identity::TokenFault::none) return nobody(identity::text(verdict.fault));
  if (!verdict.principal.target.empty()) {
    return nobody(identity::text(identity::TokenFault::wrong_target));
  }
  return proved(std::move(verdict.principal));
}

AuthorizationVerdict look_at(std::string_view field, const ProofBasis& basis) {
  const identity::Credential credential = identity::parse_authorization(field);
  switch (credential.form()) {
    case identity::Credential::Form::malformed:
      return nobody("malformed");
    // This port checks no proofs of keys, and so takes nothing that is bound to one.
    case identity::Credential::Form::bound_token:
      return nobody(identity::text(identity::TokenFault::wrong_key));
    case identity::Credential::Form::key:
    case identity::Credential::Form::login:
      return look_at_key(credential.presented(), basis);
    case identity::Credential::Form::token:
      return look_at_token(credential.presented(), basis);
  }
  return nobody("malformed");
}

}  // namespace

AuthorizationVerdict Authorization::prove(std::string_view field, std::string_view source,
                                          const ProofBasis& basis) {
  const std::lock_guard lock(mutex_);
  const auto& rate = basis.snapshot.failed_proofs_per_source;
  const bool is_counted = !source.empty();
  if (is_counted && !failed_.may_try(rate, source, basis.monotonic)) {
    return {.proving = {.state = Proving::State::unseen, .fault = "too_many_failures"},
            .awaited_issuer = {}};
  }
  auto verdict = look_at(field, basis);
  if (is_counted && verdict.proving.state == Proving::State::nobody) {
    failed_.note(rate, source, basis.monotonic);
  }
  return verdict;
}

}  // namespace sluice::cli
