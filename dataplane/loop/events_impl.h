// What the transport brought, by the role of the connection it is of.
#pragma once

#include "base/assert.h"
#include "dataplane/loop/loop.h"

namespace sluice::dataplane {

template <Transport T>
void Loop<T>::handle(const Completion& completion) {
  using Kind = Completion::Kind;
  if (completion.kind == Kind::woken) return;
  if (completion.kind == Kind::accepted) return on_accepted(completion);
  Connection* const connection = find(completion.conn);
  if (connection == nullptr) {
    if (completion.kind == Kind::received) context_.pool.release(completion.buffer);
    return;
  }
  switch (completion.kind) {
    case Kind::connected:
      return on_connected(*connection);
    case Kind::secured:
      return on_secured(*connection);
    case Kind::received:
      return on_received(*connection, completion);
    case Kind::peer_closed:
      return on_ended(*connection, false);
    case Kind::sent:
      return on_sent(*connection);
    case Kind::spliced:
      return on_spliced(*connection, completion.size_bytes);
    case Kind::failed:
      return on_ended(*connection, true);
    case Kind::closed:
      return on_closed(*connection);
    case Kind::accepted:
    case Kind::record:  // SecureTransport's own
    case Kind::woken:
      return;
  }
}

template <Transport T>
void Loop<T>::on_accepted(const Completion& completion) {
  Connection& client = open(completion.conn, Role::arriving);
  context_.metrics.clients_accepted.add();
  context_.metrics.clients_open.add();
  client.listener = completion.listener;
  client.peer = completion.peer;
  if (context_.draining || stopping_) return close(client);
  const ListenerPlan& plan = context_.current->snapshot().listeners[client.listener];
  is_introduced(plan, client.peer) ? await_introduction(client, *plan.settings.proxy_protocol)
                                   : arrive(client);
}

/// Whose it is is known.
template <Transport T>
void Loop<T>::arrive(Connection& client) {
  if (!listener_tls_[client.listener]) return begin_session(client);
  if (!may_shake_hands(client)) return on_handshake_failed(client, TlsFault::too_many);
  const config::Listener& listener =
      context_.current->snapshot().listeners[client.listener].settings;
  client.deadline = context_.now.monotonic + listener.tls->handshake_timeout;
  if (!asks_for_tls(listener.protocol)) return begin_handshake(client);
  client.role = Role::opening;
  set_receiving(client, true);
}

template <Transport T>
void Loop<T>::begin_session(Connection& client) {
  client.role = Role::client;
  client.since = context_.now.wall;
  client.deadline = {};
  // Unique in this process: the worker's number, and a count.
  const std::uint64_t number = std::uint64_t{options_.worker} << 48 | ++session_counter_;
  const TlsStream* const tls = transport_.stream(client.id);
  client.session = make_session(context_, client.listener, client.peer, number,
                                tls == nullptr ? std::nullopt : std::optional(tls->channel()));
  set_receiving(client, true);
}

template <Transport T>
void Loop<T>::on_connected(Connection& connection) {
  if (connection.role == Role::gone) return;
  if (!introduce(connection)) on_introduced(connection);
}

/// The target knows whose connection it is, where it wants to.
template <Transport T>
void Loop<T>::on_introduced(Connection& connection) {
  const bool is_secured = connection.pool != nullptr && connection.pool->tls() != nullptr;
  if (!is_secured) return on_ready(connection);
  asks_for_tls(connection.pool->tls()->client()->protocol) ? ask_for_tls(connection)
                                                           : begin_handshake(connection);
}

/// A connection to a target stands.
template <Transport T>
void Loop<T>::on_ready(Connection& connection) {
  connection.connecting = false;
  if (connection.role == Role::probe) {
    const ByteView request = connection.probe->request();
    const Slice slice{request.data(), static_cast<std::uint32_t>(request.size())};
    transport_.send(connection.id, {&slice, 1});
    return set_receiving(connection, true);
  }
  if (connection.role == Role::canceller) {
    const Slice slice{connection.packet.data(),
                      static_cast<std::uint32_t>(connection.packet.size())};
    connection.sending = true;
    return transport_.send(connection.id, {&slice, 1});
  }
  if (connection.role != Role::upstream) return;
  context_.metrics.upstreams_opened.add();
  set_receiving(connection, true);
  Connection& client = client_of(connection);
  const TlsStream* const tls = transport_.stream(connection.id);
  client.session->on_upstream_ready(connection.address, false, nullptr,
                                    tls == nullptr ? std::nullopt : std::optional(tls->channel()));
  settle(client);
}

template <Transport T>
void Loop<T>::on_received(Connection& connection, const Completion& completion) {
  if (connection.connecting && connection.role != Role::gone) {
    return on_tls_answer(connection, completion);
  }
  switch (connection.role) {
    case Role::introducing:
      return on_introduction_bytes(connection, completion);
    case Role::opening:
      return on_opening_bytes(connection, completion);
    case Role::client:
      connection.session->on_client_bytes(completion.buffer, completion.size_bytes);
      return settle(connection);
    case Role::upstream: {
      Connection& client = client_of(connection);
      client.session->on_upstream_bytes(completion.buffer, completion.size_bytes);
      return settle(client);
    }
    case Role::probe:
      return on_probe_bytes(connection, completion);
    case Role::settling:
      return on_reset_bytes(connection, completion);
    case Role::idle_upstream:
      // Nobody asked: whatever this is, no later request may take it for its answer.
      context_.pool.release(completion.buffer);
      return close(connection);
    case Role::arriving:
      // Behind a PROXY header. Else the turn that brought the request for TLS brought this, too.
      if (transport_.stream(connection.id) == nullptr) {
        return refuse_early_bytes(connection, completion);
      }
      return transport_.take_in(connection.id, completion.buffer, completion.size_bytes);
    case Role::canceller:
    case Role::gone:
    case Role::none:
      return context_.pool.release(completion.buffer);
  }
}

/// The peer will send no more; when the connection broke, it takes no more either.
template <Transport T>
void Loop<T>::on_ended(Connection& connection, bool is_broken) {
  connection.receiving = false;
  const bool is_in_between = connection.role == Role::arriving || connection.connecting;
  const TlsStream* const tls = is_in_between ? transport_.stream(connection.id) : nullptr;
  if (tls != nullptr && connection.role != Role::gone) {
    // Its end may have come with a PROXY header, before TLS saw it.
    const TlsFault fault = tls->failure().fault;
    return on_handshake_failed(connection, fault == TlsFault::none ? TlsFault::truncated : fault);
  }
  switch (connection.role) {
    case Role::introducing:
    case Role::opening:
    case Role::arriving:
      return close(connection);
    case Role::client: {
      Session& session = *connection.session;
      is_broken ? session.on_client_lost() : session.on_client_end();
      return settle(connection);
    }
    case Role::upstream: {
      if (connection.connecting) {
        return give_up_connecting(connection, UpstreamTrouble::connect_failed);
      }
      Connection& client = client_of(connection);
      is_broken ? client.session->on_upstream_lost() : client.session->on_upstream_end();
      return settle(client);
    }
    case Role::probe:
      return end_probe(connection, false);
    case Role::idle_upstream:
    case Role::settling:
      return close(connection);
    case Role::canceller:
      // The target closes it once what ran has been told.
      return end_cancel(connection, !is_broken && !connection.connecting && !connection.sending);
    case Role::gone:
    case Role::none:
      return;
  }
}

template <Transport T>
void Loop<T>::on_closed(Connection& connection) {
  ASSERT(connection.role == Role::gone);
  give_back_lent(connection);
  const std::uint32_t index = connection.id.index;
  connection = Connection{};
  const std::uint32_t position = live_position_[index];
  live_[position] = live_.back();
  live_position_[live_[position]] = position;
  live_.pop_back();
}

template <Transport T>
void Loop<T>::on_sent(Connection& connection) {
  connection.sending = false;
  give_back_lent(connection);
  if (!connection.header.empty()) {
    connection.header = {};
    return on_introduced(connection);
  }
  if (connection.awaits_tls) return set_receiving(connection, true);
  if (connection.role == Role::opening || connection.role == Role::arriving) {
    return on_request_answered(connection);
  }
  if (connection.role == Role::client) {
    connection.session->on_client_sent();
    settle(connection);
  } else if (connection.role == Role::upstream) {
    Connection& client = client_of(connection);
    client.session->on_upstream_sent();
    settle(client);
  } else if (connection.role == Role::canceller) {
    set_receiving(connection, true);
  }
}

template <Transport T>
void Loop<T>::on_spliced(Connection& connection, std::uint64_t size_bytes) {
  if (connection.role == Role::client) {
    connection.session->on_client_spliced(size_bytes);
    settle(connection);
  } else if (connection.role == Role::upstream) {
    Connection& client = client_of(connection);
    client.session->on_upstream_spliced(size_bytes);
    settle(client);
  }
}

}  // namespace sluice::dataplane
