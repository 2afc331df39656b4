#include "dataplane/session/session_principal.h"

#include <optional>

namespace sluice::dataplane {
namespace {

std::optional<std::size_t> find_key(const identity::ApiKeys& keys, const config::Principal& who) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const config::Principal& other = keys.principal(i);
    if (other.credential_id == who.credential_id && other.subject == who.subject) return i;
  }
  return std::nullopt;
}

}  // namespace

SessionPrincipal::SessionPrincipal(TokenProof& proof, const Snapshot& snapshot,
                                   std::size_t listener, const TokenProofs& tokens)
    : who_(proof.proved(), &proof.proved()->principal),
      token_(proof.proved()),
      view_(proof.view(snapshot, listener)),
      generation_(snapshot.generation),
      keys_generation_(tokens.keys_generation()) {}

bool SessionPrincipal::renew(SnapshotView& current, std::size_t listener, const TokenProofs& tokens,
                             WallTime now) {
  const bool stands = certificate_ ? renew_certificate(current.snapshot(), listener, now)
                      : token_     ? renew_token(current, listener, tokens)
                                   : renew_key(current, listener);
  return stands && who_->expires > now;
}

/// Its groups and expiry may be others now.
bool SessionPrincipal::renew_key(SnapshotView& current, std::size_t listener) {
  const Snapshot& snapshot = current.snapshot();
  if (snapshot.generation == generation_) return true;
  if (snapshot.keys != keys_) {
    const auto found = find_key(*snapshot.keys, *who_);
    if (!found) return false;
    keys_ = snapshot.keys;
    key_ = *found;
    who_ = {keys_, &keys_->principal(key_)};
  }
  view_ = current.principal(listener, key_);
  generation_ = snapshot.generation;
  return true;
}

/// Its groups and expiry may be others now, but not whose it is.
bool SessionPrincipal::renew_certificate(const Snapshot& snapshot, std::size_t listener,
                                         WallTime now) {
  const CertificateProof::Answer& answer = certificate_->prove(snapshot, listener, now);
  if (!answer.principal || answer.principal->subject != who_->subject) return false;
  who_ = answer.principal;
  view_ = answer.view;
  generation_ = snapshot.generation;
  return true;
}

bool SessionPrincipal::renew_token(const SnapshotView& current, std::size_t listener,
                                   const TokenProofs& tokens) {
  const Snapshot& snapshot = current.snapshot();
  const bool is_same = snapshot.generation == generation_;
  if (is_same && tokens.keys_generation() == keys_generation_) return true;
  if (!still_holds(token_->grounds, tokens.trust(snapshot))) return false;
  if (!is_for_target(*who_, snapshot, listener)) return false;
  if (!is_same) {
    view_ = std::make_shared<const config::PrincipalView>(
        snapshot.listeners[listener].policy.view_of(*who_));
  }
  generation_ = snapshot.generation;
  keys_generation_ = tokens.keys_generation();
  return true;
}

}  // namespace sluice::dataplane
