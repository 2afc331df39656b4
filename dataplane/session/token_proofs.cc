#include "dataplane/session/token_proofs.h"

#include <algorithm>

#include "identity/credential.h"

namespace sluice::dataplane {
namespace {

/// The one issuer that is asked about tokens that only it can read; null: none is.
const config::OidcIssuer* asked_issuer(const config::Identity& identity) noexcept {
  const auto found = std::ranges::find_if(
      identity.oidc, [](const auto& issuer) { return issuer.introspection.has_value(); });
  return found == identity.oidc.end() ? nullptr : &*found;
}

}  // namespace

bool is_for_target(const config::Principal& who, const Snapshot& snapshot,
                   std::size_t listener) noexcept {
  return who.target.empty() ||
         who.target == snapshot.targets[snapshot.listeners[listener].target].settings.name;
}

const std::shared_ptr<const config::PrincipalView>& TokenProof::view(const Snapshot& snapshot,
                                                                     std::size_t listener) {
  auto& view = views_[listener];
  if (!view) {
    view = std::make_shared<const config::PrincipalView>(
        snapshot.listeners[listener].policy.view_of(principal()));
  }
  return view;
}

TokenProofs::Answer TokenProofs::prove(std::string_view token, const Fingerprint& print,
                                       const Snapshot& snapshot, std::size_t listener,
                                       const identity::Possession& has, const Now& now) {
  if (snapshot.generation >= configuration_) follow(snapshot);
  const bool may_know = is_under(snapshot);
  Answer answer;
  if (may_know) answer.proof = find(print, now.wall);
  if (answer.proof == nullptr) {
    const config::OidcIssuer* const asked =
        identity::is_opaque_token(token) ? asked_issuer(snapshot.settings.identity) : nullptr;
    if (asked == nullptr) {
      answer = verify(token, print, snapshot, has, now);
    } else {
      answer = may_know ? look_up(print, *asked, now.monotonic) : Answer{.asked = asked};
    }
  }
  if (answer.proof == nullptr) return answer;
  const config::Principal& who = answer.proof->principal();
  // What is remembered was proved by another bearer, perhaps.
  identity::TokenFault fault = identity::check_possession(who, has);
  if (fault == identity::TokenFault::none && !is_for_target(who, snapshot, listener)) {
    fault = identity::TokenFault::wrong_target;
  }
  return fault == identity::TokenFault::none ? answer : Answer{.fault = fault};
}

/// Never back to an older configuration: what is known under the newer one would be forgotten.
void TokenProofs::follow(const Snapshot& snapshot) {
  if (is_under(snapshot) && keys_generation_ == keys_->generation) return;
  configuration_ = snapshot.generation;
  keys_generation_ = keys_->generation;
  listeners_ = snapshot.listeners.size();
  young_.clear();
  old_.clear();
  refused_.clear();
  // Once: no table grows in the middle of a request.
  young_.reserve(tokens_max / 2);
  old_.reserve(tokens_max / 2);
}

TokenProofs::Answer TokenProofs::verify(std::string_view token, const Fingerprint& print,
                                        const Snapshot& snapshot, const identity::Possession& has,
                                        const Now& now) {
  auto verdict = identity::verify_token(token, trust(snapshot), now.wall, has);
  Answer answer;
  answer.fault = verdict.fault;
  if (verdict.fault == identity::TokenFault::none) {
    ProvedToken proved;
    if (verdict.issuer != nullptr) proved.grounds.issuer = *verdict.issuer;
    proved.grounds.key = std::move(verdict.key);
    proved.grounds.id = verdict.principal.credential_id;
    proved.principal = std::move(verdict.principal);
    answer.proof = is_under(snapshot)
                       ? &keep(print, std::move(proved))
                       : &older_.emplace(std::move(proved), snapshot.listeners.size());
  } else if (identity::is_about_keys(verdict.fault) && verdict.issuer != nullptr) {
    const identity::IssuerKeys* const keys = keys_->find(verdict.issuer->issuer);
    if (keys == nullptr || now.monotonic >= keys->ask_from) answer.awaited = verdict.issuer;
    if (keys != nullptr) answer.attempts = keys->attempts;
  }
  return answer;
}

TokenProofs::Answer TokenProofs::look_up(const Fingerprint& print, const config::OidcIssuer& issuer,
                                         Instant now) const {
  const auto refused = refused_.find(print);
  if (refused == refused_.end() || now >= refused->second.until) return {.asked = &issuer};
  return {.fault = refused->second.fault};
}

void TokenProofs::remember(const TokenAnswer& answer, Instant now) {
  if (answer.configuration != configuration_) return;
  if (answer.verdict) {
    keep(answer.print, {.principal = *answer.verdict, .grounds = {}});
    return;
  }
  if (refused_.size() >= refused_max) {
    std::erase_if(refused_, [now](const auto& one) { return now >= one.second.until; });
    // So many in so short a time are a flood: its tokens are asked about again, as often as may be.
    if (refused_.size() >= refused_max) refused_.clear();
  }
  refused_.insert_or_assign(answer.print, Refused{answer.verdict.error(), now + refused_for});
}

TokenProof& TokenProofs::keep(const Fingerprint& print, ProvedToken proved) {
  make_room();
  return young_.insert_or_assign(print, TokenProof(std::move(proved), listeners_)).first->second;
}

identity::TokenTrust TokenProofs::trust(const Snapshot& snapshot) const noexcept {
  return {.issuers = snapshot.settings.identity.oidc,
          .keys = *keys_,
          .gateway = snapshot.gateway_tokens ? &snapshot.gateway_tokens->proving() : nullptr,
          .revoked = *snapshot.revoked};
}

/// Null when it is not known, or was and has expired.
TokenProof* TokenProofs::find(const Fingerprint& print, WallTime now) {
  auto entry = young_.find(print);
  if (entry == young_.end()) {
    auto node = old_.extract(print);
    if (node.empty()) return nullptr;
    make_room();
    entry = young_.insert(std::move(node)).position;
  }
  return entry->second.principal().expires > now ? &entry->second : nullptr;
}

void TokenProofs::make_room() {
  constexpr std::size_t half = tokens_max / 2;
  if (young_.size() < half) return;
  std::swap(young_, old_);
  young_.clear();
}

}  // namespace sluice::dataplane
