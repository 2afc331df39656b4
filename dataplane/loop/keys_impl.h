// Requests whose tokens name a key that nobody has yet, or say nothing but to their issuer: they
// wait for newer keys, and for what the issuer says.
#pragma once

#include <algorithm>
#include <utility>

#include "dataplane/loop/loop.h"

namespace sluice::dataplane {

/// What waits is answered when the issuer's provider answers or fails, seconds later at most.
inline constexpr std::size_t waiting_for_keys_max = 256;

template <Transport T>
void Loop<T>::await_keys(Connection& client) {
  const std::string issuer = client.session->take_keys_wish();
  if (waiting_for_keys_.size() == waiting_for_keys_max) return client.session->on_no_proof();
  waiting_for_keys_.push_back(client.id);
  options_.want_keys(issuer);
}

template <Transport T>
void Loop<T>::resume_waiting_for_keys() {
  for (const ConnId id : std::exchange(waiting_for_keys_, {})) {
    Connection* const client = find(id);
    if (client == nullptr || client->role != Role::client) continue;
    client->session->on_token_news();
    settle(*client);
  }
}

/// Likewise.
inline constexpr std::size_t waiting_for_issuer_max = 256;

template <Transport T>
void Loop<T>::ask_issuer(Connection& client) {
  const auto question = client.session->take_token_question();
  if (waiting_for_issuer_.size() == waiting_for_issuer_max) return client.session->on_no_proof();
  const Fingerprint print = question->print;
  // One question does for all who show the token meanwhile.
  const bool is_asked = std::ranges::find(waiting_for_issuer_, print, &AwaitsIssuer::token) !=
                        waiting_for_issuer_.end();
  if (!is_asked && !options_.ask_issuer(std::move(*question))) {
    return client.session->on_no_proof();
  }
  waiting_for_issuer_.push_back({client.id, print});
}

template <Transport T>
void Loop<T>::take_answer(const TokenAnswer& answer) {
  context_.tokens.remember(answer, context_.now.monotonic);
  const auto others = std::ranges::stable_partition(
      waiting_for_issuer_,
      [&answer](const AwaitsIssuer& one) { return one.token != answer.print; });
  const std::vector<AwaitsIssuer> answered(others.begin(), others.end());
  waiting_for_issuer_.erase(others.begin(), others.end());
  for (const AwaitsIssuer& one : answered) {
    Connection* const client = find(one.client);
    if (client == nullptr || client->role != Role::client) continue;
    client->session->on_token_news();
    settle(*client);
  }
}

}  // namespace sluice::dataplane
