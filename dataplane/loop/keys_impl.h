// Requests whose tokens name a key that nobody has yet: they wait for newer keys.
#pragma once

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
    client->session->on_token_keys();
    settle(*client);
  }
}

}  // namespace sluice::dataplane
