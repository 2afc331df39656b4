// Connections to targets: lent to sessions, waited for, kept, reset.
#pragma once

#include <utility>

#include "base/assert.h"
#include "dataplane/loop/loop.h"

namespace sluice::dataplane {

/// How long a connection that nobody has may take to be reset, and what cancels it to arrive.
inline constexpr Duration settling_timeout = seconds(5);

template <Transport T>
void Loop<T>::grant_wishes(Connection& client) {
  using Wish = Session::UpstreamWish;
  for (;;) {
    switch (client.session->take_upstream_wish()) {
      case Wish::none:
        return;
      case Wish::discard:
        close_upstream(client);
        break;
      case Wish::keep:
        keep_upstream(client);
        break;
      case Wish::acquire:
        acquire_upstream(client);
        break;
    }
  }
}

template <Transport T>
void Loop<T>::acquire_upstream(Connection& client) {
  Session& session = *client.session;
  UpstreamPool& pool = session.upstream_pool();
  const bool may_wait = session.may_wait_for_upstream();
  if (may_wait && !pool.waiting().empty()) return wait_for_upstream(client, pool);
  if (lend_upstream(client)) return;
  if (may_wait) return wait_for_upstream(client, pool);
  session.on_upstream_trouble(UpstreamTrouble::no_address);
}

/// False when all of the target's connections are in use.
template <Transport T>
bool Loop<T>::lend_upstream(Connection& client) {
  Session& session = *client.session;
  UpstreamPool& pool = session.upstream_pool();
  if (pool.is_full(session.target())) return false;
  const auto no_address = [&session] {
    session.on_upstream_trouble(UpstreamTrouble::no_address);
    return true;
  };
  const auto choice = pool.choose(session.target(), context_.now.monotonic);
  if (!choice) return no_address();

  UpstreamPool::Address& address = pool.address(*choice);
  const bool is_private = pool.proxy_header() != config::ProxyHeader::off;
  const ConnId spoken_for = is_private ? client.id : ConnId{};
  Connection* upstream = session.wants_fresh_upstream()
                             ? nullptr
                             : take_idle(address, session.upstream_key(), spoken_for);
  const bool reused = upstream != nullptr;
  if (!reused) {
    make_room(pool, session.target());
    const ConnId id = transport_.connect(address.endpoint);
    if (id.index >= connections_.size()) return no_address();
    upstream = &open(id, Role::upstream);
    upstream->connecting = true;
    upstream->spoken_for = spoken_for;
    upstream->deadline = context_.now.monotonic + session.target().connect_timeout;
    context_.metrics.upstreams_open.add();
  }
  upstream->role = Role::upstream;
  upstream->pool = &pool;
  upstream->address = *choice;
  upstream->other = client.id;
  client.other = upstream->id;
  pool.begin(*choice);
  if (reused) session.on_upstream_ready(*choice, true, std::move(upstream->state), std::nullopt);
  return true;
}

/// The last one used that was kept with this key.
template <Transport T>
typename Loop<T>::Connection* Loop<T>::take_idle(UpstreamPool::Address& address,
                                                 const Fingerprint& key, ConnId spoken_for) {
  for (std::size_t i = address.idle.size(); i-- != 0;) {
    Connection* const idle = find(address.idle[i]);
    ASSERT(idle != nullptr && idle->role == Role::idle_upstream);
    if ((idle->state ? idle->state->key() : Fingerprint{}) != key) continue;
    if (idle->spoken_for != spoken_for) continue;
    address.idle.erase(address.idle.begin() + static_cast<std::ptrdiff_t>(i));
    return idle;
  }
  return nullptr;
}

/// Idle connections count too: the one that was idle for longest goes.
template <Transport T>
void Loop<T>::make_room(UpstreamPool& pool, const config::Target& target) {
  if (pool.idle() == 0 || pool.in_use() + pool.idle() < target.pool_connections_max) return;
  Connection* oldest = nullptr;
  for (std::size_t i = 0; i < pool.size(); ++i) {
    if (pool.address(i).idle.empty()) continue;
    Connection* const idle = find(pool.address(i).idle.front());
    ASSERT(idle != nullptr);
    if (oldest == nullptr || idle->deadline < oldest->deadline) oldest = idle;
  }
  close(*oldest);
}

template <Transport T>
void Loop<T>::wait_for_upstream(Connection& client, UpstreamPool& pool) {
  const config::PoolQueue& queue = client.session->target().queue;
  if (pool.waiting().size() >= queue.sessions_max) {
    return client.session->on_upstream_trouble(UpstreamTrouble::queue_full);
  }
  pool.waiting().push_back({client.id, context_.now.monotonic + queue.wait_max});
  client.awaited = &pool;
}

template <Transport T>
void Loop<T>::stop_waiting(Connection& client) {
  UpstreamPool* const pool = std::exchange(client.awaited, nullptr);
  if (pool == nullptr) return;
  std::erase_if(pool->waiting(),
                [&client](const auto& waiting) { return waiting.client == client.id; });
}

/// Connections became free, or none has to wait for one any more.
template <Transport T>
void Loop<T>::serve_waiting() {
  for (const auto& pool : pools_) {
    while (!pool->waiting().empty()) {
      Connection* const client = find(pool->waiting().front().client);
      ASSERT(client != nullptr && client->awaited == pool.get());
      // After a reload its target may have another pool: it goes there.
      const bool has_moved = &client->session->upstream_pool() != pool.get();
      if (!has_moved && pool->is_full(client->session->target())) break;
      pool->waiting().pop_front();
      client->awaited = nullptr;
      if (has_moved) {
        acquire_upstream(*client);
      } else {
        ASSERT(lend_upstream(*client));
      }
      settle(*client);
    }
  }
}

template <Transport T>
void Loop<T>::expire_waiting(UpstreamPool& pool) {
  while (!pool.waiting().empty() && context_.now.monotonic >= pool.waiting().front().deadline) {
    Connection* const client = find(pool.waiting().front().client);
    ASSERT(client != nullptr);
    pool.waiting().pop_front();
    client->awaited = nullptr;
    client->session->on_upstream_trouble(UpstreamTrouble::wait_timeout);
    settle(*client);
  }
}

template <Transport T>
void Loop<T>::keep_upstream(Connection& client) {
  auto state = client.session->take_upstream_state();
  Connection* const upstream = find(std::exchange(client.other, {}));
  if (upstream == nullptr) return;
  upstream->state = std::move(state);
  upstream->role = Role::settling;
  upstream->other = {};
  upstream->deadline = context_.now.monotonic + settling_timeout;
  set_receiving(*upstream, true);
  settle_upstream(*upstream);
}

/// Brings a connection that nobody has to where the next may get it.
template <Transport T>
void Loop<T>::settle_upstream(Connection& upstream) {
  if (upstream.cancels != 0) return;
  if (upstream.may_be_cancelled) return close(upstream);
  const ByteView reset = upstream.state ? upstream.state->reset_request() : ByteView();
  if (!reset.empty()) {
    ASSERT(!upstream.sending);
    const Slice slice{reset.data(), static_cast<std::uint32_t>(reset.size())};
    upstream.is_resetting = upstream.sending = true;
    return transport_.send(upstream.id, {&slice, 1});
  }
  upstream.pool->end(upstream.address);
  upstream.role = Role::idle_upstream;
  upstream.deadline = context_.now.monotonic + idle_timeout_of(*upstream.pool);
  upstream.pool->address(upstream.address).idle.push_back(upstream.id);
}

template <Transport T>
void Loop<T>::on_reset_bytes(Connection& upstream, const Completion& completion) {
  const ByteView bytes{context_.pool.data(completion.buffer), completion.size_bytes};
  const auto verdict =
      upstream.is_resetting ? upstream.state->on_reset_bytes(bytes) : std::optional<bool>(false);
  context_.pool.release(completion.buffer);
  if (!verdict) return;
  upstream.is_resetting = false;
  *verdict ? settle_upstream(upstream) : close(upstream);
}

template <Transport T>
Duration Loop<T>::idle_timeout_of(const UpstreamPool& pool) const {
  for (const auto& target : context_.current->snapshot().targets) {
    if (target.settings.name == pool.target_name()) return target.settings.idle_timeout;
  }
  return {};  // the target is no longer configured
}

template <Transport T>
void Loop<T>::close_upstream(Connection& client) {
  if (Connection* const upstream = find(client.other)) close(*upstream);
  client.other = {};
  stop_waiting(client);
}

template <Transport T>
void Loop<T>::give_up_connecting(Connection& upstream, UpstreamTrouble trouble) {
  Connection& client = client_of(upstream);
  upstream.pool->failed(upstream.address, client.session->target().health, context_.now.monotonic);
  close_upstream(client);
  client.session->on_upstream_trouble(trouble);
  settle(client);
}

}  // namespace sluice::dataplane
