#include "dataplane/session/token_proofs.h"

namespace sluice::dataplane {

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
                                       const Snapshot& snapshot, const Now& now) {
  if (configuration_ != snapshot.generation || keys_generation_ != keys_->generation) {
    configuration_ = snapshot.generation;
    keys_generation_ = keys_->generation;
    young_.clear();
    old_.clear();
    // Once: no table grows in the middle of a request.
    young_.reserve(tokens_max / 2);
    old_.reserve(tokens_max / 2);
  }
  Answer answer;
  answer.proof = find(print, now.wall);
  if (answer.proof != nullptr) return answer;

  auto verdict = identity::verify_token(token, snapshot.settings.identity.oidc, *keys_, now.wall);
  answer.fault = verdict.fault;
  if (verdict.fault == identity::TokenFault::none) {
    make_room();
    ProvedToken proved{std::move(verdict.principal), {*verdict.issuer, std::move(verdict.key)}};
    const auto [entry, is_new] = young_.insert_or_assign(
        print, TokenProof(std::move(proved), snapshot.listeners.size()));
    answer.proof = &entry->second;
  } else if (identity::is_about_keys(verdict.fault)) {
    const identity::IssuerKeys* const keys = keys_->find(verdict.issuer->issuer);
    if (keys == nullptr || now.monotonic >= keys->ask_from) answer.awaited = verdict.issuer;
    if (keys != nullptr) answer.attempts = keys->attempts;
  }
  return answer;
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
