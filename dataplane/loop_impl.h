// Definitions of Loop; included once per transport, where it is instantiated.
#pragma once

#include <algorithm>

#include "base/assert.h"
#include "base/prefetch.h"
#include "dataplane/loop.h"

namespace sluice::dataplane {

/// How often deadlines are looked at: their precision, and the price of having
/// no timer to set per message.
inline constexpr Duration sweep_interval = milliseconds(100);
/// How long a connection that nobody has may take to be reset, and what cancels it to arrive.
inline constexpr Duration settling_timeout = seconds(5);
/// How long a turn waits while the audit ring is full.
inline constexpr Duration log_wait = milliseconds(1);
/// An answer up to this size leaves with its end, as one send instead of two.
inline constexpr std::size_t whole_answer_bytes = 16 * 1024;

template <Transport T>
Loop<T>::Loop(T& transport, audit::WorkerLog& log, WorkerMetrics& metrics,
              Mailbox<WorkerMail>& mailbox, std::shared_ptr<const Snapshot> snapshot,
              LoopOptions options)
    : transport_(transport),
      context_(transport.pool(), log, metrics),
      mailbox_(mailbox),
      options_(std::move(options)),
      connections_(transport.connections_max()),
      live_position_(transport.connections_max()) {
  context_.durable = options_.durable;
  context_.now = transport_.now();
  adopt(std::move(snapshot));
}

template <Transport T>
Loop<T>::~Loop() {
  for (const std::uint32_t index : live_) {
    connections_[index].session.reset();
    give_back_lent(connections_[index]);
  }
}

template <Transport T>
void Loop<T>::run() {
  while (turn(sweep_interval)) {
  }
}

template <Transport T>
bool Loop<T>::turn(Duration wait) {
  if (!waiting_for_log_.empty()) wait = std::min(wait, log_wait);
  const std::size_t count = transport_.poll(done_, wait);
  context_.now = transport_.now();
  context_.can_splice = transport_.splices_free() != 0;
  std::vector<WorkerMail> mail;
  if (mailbox_.maybe_has_mail()) mail = mailbox_.take();
  // Before the batch: a request in it may have been sent when the reload was
  // confirmed already, and must be judged by the new rules.
  for (WorkerMail& letter : mail) {
    if (letter.snapshot) adopt(std::move(letter.snapshot));
  }
  // Between two events of a connection the kernel has swept the caches; what an
  // event needs first is fetched while its predecessors are handled.
  for (std::size_t i = 0; i < count; ++i) {
    if (i + 4 < count) prefetch(done_[i + 4]);
    if (i + 2 < count) prefetch_session(done_[i + 2]);
    handle(done_[i]);
  }
  for (const WorkerMail& letter : mail) read(letter);
  if (context_.log.is_broken()) stop_releasing();
  resume_waiting();
  serve_waiting();
  if (context_.now.monotonic >= next_sweep_) {
    next_sweep_ = context_.now.monotonic + sweep_interval;
    sweep();
  }
  if (!may_splice_.empty()) begin_splices();
  if (!waiting_for_durable_.empty()) context_.log.request_flush();
  return !stopping_ || !live_.empty();
}

template <Transport T>
void Loop<T>::prefetch(const Completion& completion) const noexcept {
  if (completion.conn.index >= connections_.size()) return;
  prefetch_lines(&connections_[completion.conn.index], sizeof(Connection));
  if (completion.kind != Completion::Kind::received) return;
  constexpr std::uint32_t head_bytes_usual = 512;
  prefetch_lines(context_.pool.data(completion.buffer),
                 std::min(completion.size_bytes, head_bytes_usual));
}

template <Transport T>
void Loop<T>::prefetch_session(const Completion& completion) const noexcept {
  if (completion.conn.index >= connections_.size()) return;
  const Connection* connection = &connections_[completion.conn.index];
  if (connection->role == Role::upstream) connection = &connections_[connection->other.index];
  if (connection->session) connection->session->prefetch();
}

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
    case Kind::woken:
      return;
  }
}

template <Transport T>
void Loop<T>::on_accepted(const Completion& completion) {
  Connection& client = open(completion.conn, Role::client);
  context_.metrics.clients_accepted.add();
  context_.metrics.clients_open.add();
  // Unique in this process: the worker's number, and a count.
  const std::uint64_t number = std::uint64_t{options_.worker} << 48 | ++session_counter_;
  client.session = make_session(context_, completion.listener, completion.peer, number);
  if (context_.draining || stopping_) return close(client);
  set_receiving(client, true);
}

template <Transport T>
void Loop<T>::on_connected(Connection& connection) {
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
  client.session->on_upstream_ready(connection.address, false, nullptr);
  settle(client);
}

template <Transport T>
void Loop<T>::on_received(Connection& connection, const Completion& completion) {
  switch (connection.role) {
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
  switch (connection.role) {
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

template <Transport T>
void Loop<T>::on_probe_bytes(Connection& probe, const Completion& completion) {
  const ByteView bytes{context_.pool.data(completion.buffer), completion.size_bytes};
  const auto verdict = probe.probe->on_bytes(bytes, context_.fields);
  context_.pool.release(completion.buffer);
  if (verdict) end_probe(probe, *verdict);
}

template <Transport T>
void Loop<T>::end_probe(Connection& probe, bool ok) {
  // Probes begin with a view that is current; its pool outlives them (retire_views).
  for (const auto& target : context_.current->snapshot().targets) {
    if (target.settings.name != probe.pool->target_name()) continue;
    probe.pool->probed(probe.address, ok, target.settings.health, context_.now.monotonic);
  }
  close(probe);
}

template <Transport T>
void Loop<T>::settle(Connection& client) {
  Session& session = *client.session;
  if (session.wants_proof()) {
    const bool taken =
        options_.prove({options_.worker, client.id, session.keys(), session.take_proof_wish()});
    if (!taken) session.on_no_proof();
  }
  pass_on_cancel(client);
  grant_wishes(client);
  const bool is_last_moment = stopping_ && !session.owes_record();
  if (session.client_end() == Session::ClientEnd::now || is_last_moment) return close(client);

  flush(client, session.to_client());
  if (session.client_end() == Session::ClientEnd::after_flush && !client.shut &&
      session.to_client().empty() && !client.sending && may_leave(client, session.to_client())) {
    if (!session.lingers()) return close(client);
    client.shut = true;
    transport_.shutdown(client.id);
  }
  set_receiving(client, session.wants_client_bytes());
  if (Connection* const upstream = find(client.other); upstream && !upstream->connecting) {
    flush(*upstream, session.to_upstream());
    set_receiving(*upstream, session.wants_upstream_bytes());
    note_splice(client);
  }
  if (session.waits_for_log() && !client.waits_for_log) {
    client.waits_for_log = true;
    waiting_for_log_.push_back(client.id);
  }
  if (session.buffers_awaited() != 0 && !client.waits_for_buffers) {
    client.waits_for_buffers = true;
    waiting_for_buffers_.push_back(client.id);
  }
}

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
  Connection* upstream =
      session.wants_fresh_upstream() ? nullptr : take_idle(address, session.upstream_key());
  const bool reused = upstream != nullptr;
  if (!reused) {
    make_room(pool, session.target());
    const ConnId id = transport_.connect(address.endpoint);
    if (id.index >= connections_.size()) return no_address();
    upstream = &open(id, Role::upstream);
    upstream->connecting = true;
    upstream->deadline = context_.now.monotonic + session.target().connect_timeout;
    context_.metrics.upstreams_open.add();
  }
  upstream->role = Role::upstream;
  upstream->pool = &pool;
  upstream->address = *choice;
  upstream->other = client.id;
  client.other = upstream->id;
  pool.begin(*choice);
  if (reused) session.on_upstream_ready(*choice, true, std::move(upstream->state));
  return true;
}

/// The last one used that was kept with this key.
template <Transport T>
typename Loop<T>::Connection* Loop<T>::take_idle(UpstreamPool::Address& address,
                                                 const Fingerprint& key) {
  for (std::size_t i = address.idle.size(); i-- != 0;) {
    Connection* const idle = find(address.idle[i]);
    ASSERT(idle != nullptr && idle->role == Role::idle_upstream);
    if ((idle->state ? idle->state->key() : Fingerprint{}) != key) continue;
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

/// To the worker that the session lives on.
template <Transport T>
void Loop<T>::pass_on_cancel(Connection& client) {
  const auto key = client.session->take_cancel_wish();
  if (!key) return;
  WorkerMail mail;
  mail.cancel = CancelRequest{*key, options_.worker, client.id};
  if (!options_.post(key->process >> cancel_session_bits, std::move(mail))) {
    client.session->on_cancel_settled();
  }
}

template <Transport T>
void Loop<T>::cancel(const CancelRequest& request) {
  if (!begin_cancel(request)) answer_cancel(request.worker, request.client);
}

/// The target takes a cancel request on a connection of its own. False when nothing runs
/// that the key is for.
template <Transport T>
bool Loop<T>::begin_cancel(const CancelRequest& request) {
  for (std::size_t i = 0; i < live_.size(); ++i) {
    const Connection& client = connections_[live_[i]];
    if (client.role != Role::client) continue;
    auto order = client.session->on_cancel(request.key);
    if (!order) continue;
    Connection* const upstream = find(client.other);
    if (upstream == nullptr) return false;
    const ConnId id = transport_.connect(upstream->pool->address(upstream->address).endpoint);
    if (id.index >= connections_.size()) return false;
    Connection& canceller = open(id, Role::canceller);
    canceller.connecting = true;
    canceller.deadline = context_.now.monotonic + client.session->target().connect_timeout;
    canceller.packet = std::move(*order);
    canceller.other = upstream->id;
    canceller.asker_worker = request.worker;
    canceller.asker = request.client;
    ++upstream->cancels;
    return true;
  }
  return false;
}

/// Who asked may go on only now: else what it asks next could be hit.
template <Transport T>
void Loop<T>::answer_cancel(std::uint32_t worker, ConnId client) {
  WorkerMail mail;
  mail.cancelled = client;
  ASSERT(options_.post(worker, std::move(mail)));
}

/// The next session must not be hit by what was meant for the last one.
template <Transport T>
void Loop<T>::end_cancel(Connection& canceller, bool is_done) {
  if (Connection* const upstream = find(canceller.other)) {
    --upstream->cancels;
    upstream->may_be_cancelled = upstream->may_be_cancelled || !is_done;
    if (upstream->role == Role::settling) settle_upstream(*upstream);
  }
  answer_cancel(canceller.asker_worker, canceller.asker);
  close(canceller);
}

template <Transport T>
void Loop<T>::give_up_connecting(Connection& upstream, UpstreamTrouble trouble) {
  Connection& client = client_of(upstream);
  upstream.pool->failed(upstream.address, client.session->target().health, context_.now.monotonic);
  close_upstream(client);
  client.session->on_upstream_trouble(trouble);
  settle(client);
}

template <Transport T>
void Loop<T>::close(Connection& connection) {
  switch (connection.role) {
    case Role::none:
    case Role::gone:
      return;
    case Role::client:
      close_upstream(connection);
      connection.session.reset();
      context_.metrics.clients_open.subtract();
      break;
    case Role::upstream:
    case Role::settling:
      connection.pool->end(connection.address);
      context_.metrics.upstreams_open.subtract();
      break;
    case Role::idle_upstream: {
      auto& idle = connection.pool->address(connection.address).idle;
      std::erase(idle, connection.id);
      context_.metrics.upstreams_open.subtract();
      break;
    }
    case Role::probe:
    case Role::canceller:
      break;
  }
  connection.role = Role::gone;
  transport_.close(connection.id);
}

template <Transport T>
void Loop<T>::flush(Connection& connection, SliceQueue& queue) {
  if (connection.sending || queue.empty()) return;
  if (!may_leave(connection, queue) && queue.bytes() <= whole_answer_bytes) return;
  std::array<Slice, slices_per_send_max> slices;
  const std::size_t count = queue.begin_send(slices, connection.lent, durable_through_);
  if (count == 0) return;
  connection.lent_count = static_cast<std::uint8_t>(count);
  // The transport may still read these bytes when the session is long gone.
  for (std::size_t i = 0; i < count; ++i) {
    if (connection.lent[i] != no_buffer) context_.pool.hold(connection.lent[i]);
  }
  connection.sending = true;
  transport_.send(connection.id, {slices.data(), count});
}

/// Whether all of it may leave; if not, the connection is looked at again when more of
/// the log is durable.
template <Transport T>
bool Loop<T>::may_leave(Connection& connection, const SliceQueue& queue) {
  if (!options_.durable || queue.may_leave(durable_through_)) return true;
  if (!connection.waits_for_durable) {
    connection.waits_for_durable = true;
    waiting_for_durable_.push_back(connection.role == Role::client ? connection.id
                                                                   : connection.other);
  }
  return false;
}

template <Transport T>
void Loop<T>::give_back_lent(Connection& connection) {
  for (; connection.lent_count != 0; --connection.lent_count) {
    const BufferId buffer = connection.lent[connection.lent_count - 1U];
    if (buffer != no_buffer) context_.pool.release(buffer);
  }
}

template <Transport T>
void Loop<T>::note_splice(Connection& client) {
  const Session::Splices splices = client.session->splices();
  if (client.may_splice || splices.to_client_bytes + splices.to_upstream_bytes == 0) return;
  client.may_splice = true;
  may_splice_.push_back(client.id);
}

/// Only when all that the turn has brought was handled: the session has counted it.
template <Transport T>
void Loop<T>::begin_splices() {
  for (const ConnId id : may_splice_) {
    Connection* const client = find(id);
    if (client == nullptr || client->role != Role::client) continue;
    client->may_splice = false;
    const Connection* const upstream = find(client->other);
    if (upstream == nullptr || upstream->connecting) continue;
    const Session::Splices splices = client->session->splices();
    if (splices.to_client_bytes != 0) {
      transport_.splice(upstream->id, id, splices.to_client_bytes);
    } else if (splices.to_upstream_bytes != 0) {
      transport_.splice(id, upstream->id, splices.to_upstream_bytes);
    }
  }
  may_splice_.clear();
}

template <Transport T>
void Loop<T>::set_receiving(Connection& connection, bool wanted) {
  if (connection.receiving == wanted || connection.role == Role::gone) return;
  connection.receiving = wanted;
  if (wanted) {
    transport_.receive(connection.id);
  } else {
    transport_.pause(connection.id);
  }
}

/// In the order that they came, as far as there are buffers.
template <Transport T>
void Loop<T>::resume_waiting_for_buffers() {
  std::size_t resumed = 0;
  for (const std::size_t waiting = waiting_for_buffers_.size(); resumed < waiting; ++resumed) {
    Connection* const client = find(waiting_for_buffers_[resumed]);
    if (client == nullptr || client->role != Role::client) continue;
    if (context_.pool.free_count() < client->session->buffers_awaited()) break;
    client->waits_for_buffers = false;
    client->session->on_buffers();
    settle(*client);
  }
  waiting_for_buffers_.erase(waiting_for_buffers_.begin(),
                             waiting_for_buffers_.begin() + static_cast<std::ptrdiff_t>(resumed));
}

template <Transport T>
void Loop<T>::resume_waiting() {
  if (!waiting_for_buffers_.empty()) resume_waiting_for_buffers();
  if (!waiting_for_log_.empty() && (context_.log.has_room() || context_.log.is_broken())) {
    for (const ConnId id : std::exchange(waiting_for_log_, {})) {
      Connection* const client = find(id);
      if (client == nullptr || client->role != Role::client) continue;
      client->waits_for_log = false;
      client->session->on_log_room();
      settle(*client);
    }
  }
  if (options_.durable) resume_waiting_for_durable();
}

/// All that waited for the same batch of the log, at once.
template <Transport T>
void Loop<T>::resume_waiting_for_durable() {
  const std::uint64_t durable_through = context_.log.durable_through();
  if (durable_through == durable_through_) return;
  durable_through_ = durable_through;
  durable_again_.swap(waiting_for_durable_);
  for (const ConnId id : durable_again_) {
    Connection* const client = find(id);
    if (client == nullptr || client->role != Role::client) continue;
    client->waits_for_durable = false;
    if (Connection* const upstream = find(client->other)) upstream->waits_for_durable = false;
    settle(*client);
  }
  durable_again_.clear();
}

/// The log takes no more records: what is under way ends here (new requests are
/// refused by their sessions).
template <Transport T>
void Loop<T>::stop_releasing() {
  for (std::size_t i = 0; i < live_.size(); ++i) {
    Connection& connection = connections_[live_[i]];
    if (connection.role != Role::client) continue;
    connection.session->on_log_broken();
    settle(connection);
  }
}

/// All but the snapshot, which was adopted already.
template <Transport T>
void Loop<T>::read(const WorkerMail& mail) {
  if (Connection* const client = find(mail.proved); client && client->role == Role::client) {
    client->session->on_proof(mail.verdict);
    settle(*client);
  }
  if (mail.cancel) cancel(*mail.cancel);
  if (Connection* const client = find(mail.cancelled); client && client->role == Role::client) {
    client->session->on_cancel_settled();
    settle(*client);
  }
  if (mail.drain || mail.stop) {
    context_.draining = true;
    transport_.stop_accepting();
    for (std::size_t i = 0; i < live_.size(); ++i) {
      Connection& connection = connections_[live_[i]];
      if (connection.role != Role::client) continue;
      connection.session->on_drain();
      settle(connection);
    }
  }
  if (mail.stop) {
    stopping_ = true;
    for (std::size_t i = 0; i < live_.size(); ++i) {
      Connection& connection = connections_[live_[i]];
      const bool must_stay = connection.role == Role::client && connection.session->owes_record();
      if (!must_stay) close(connection);
    }
  }
}

template <Transport T>
void Loop<T>::adopt(std::shared_ptr<const Snapshot> snapshot) {
  for (matcher::Scratch* scratch : {&context_.scratch, &context_.text_scratch}) {
    ASSERT(scratch->prepare(*snapshot->masks).has_value());
    for (const ListenerPlan& plan : snapshot->listeners) {
      for (const auto& set : {plan.paths, plan.headers, plan.bodies, plan.statements}) {
        ASSERT(!set || scratch->prepare(*set).has_value());
      }
    }
  }
  std::size_t patterns = 0;
  for (const ListenerPlan& plan : snapshot->listeners) {
    for (const auto& set : {plan.paths, plan.headers, plan.bodies}) {
      if (set) patterns = std::max(patterns, set->size());
    }
  }
  context_.path_hits.reserve(patterns);
  context_.header_hits.reserve(patterns);

  std::vector<std::string_view> names;
  for (const TargetPlan& target : snapshot->targets) names.push_back(target.settings.name);
  auto latencies = context_.metrics.latencies.adopt(names);
  std::vector<TargetUse> targets;
  for (std::size_t i = 0; i < snapshot->targets.size(); ++i) {
    targets.push_back({&pool_for(snapshot->targets[i]), std::move(latencies[i])});
  }
  views_.push_back(std::make_unique<SnapshotView>(std::move(snapshot), std::move(targets)));
  context_.current = views_.back().get();
  retire_views();
}

template <Transport T>
UpstreamPool& Loop<T>::pool_for(const TargetPlan& target) {
  const auto known = std::ranges::find_if(pools_, [&target](const auto& pool) {
    return pool->serves(target.settings.name, target.endpoint_texts);
  });
  if (known != pools_.end()) return **known;
  pools_.push_back(std::make_unique<UpstreamPool>(target.settings.name, target.endpoints,
                                                  target.endpoint_texts));
  return *pools_.back();
}

/// Forgets snapshots that no operation uses any more.
template <Transport T>
void Loop<T>::retire_views() {
  std::erase_if(views_, [this](const auto& view) {
    if (view.get() == context_.current || view->operations != 0) return false;
    context_.statements.forget(*view);
    const identity::ApiKeys* const keys = view->snapshot().keys.get();
    if (keys != context_.current->snapshot().keys.get()) context_.proofs.forget(keys);
    return true;
  });
}

template <Transport T>
void Loop<T>::sweep() {
  if (views_.size() > 1) retire_views();
  for (const auto& pool : pools_) expire_waiting(*pool);
  for (std::size_t i = 0; i < live_.size(); ++i) sweep(connections_[live_[i]]);
  if (!context_.draining) check_health();
  context_.metrics.buffers_free.set(context_.pool.free_count());
}

template <Transport T>
void Loop<T>::sweep(Connection& connection) {
  const bool late = context_.now.monotonic >= connection.deadline;
  switch (connection.role) {
    case Role::client:
      connection.session->on_tick();
      return settle(connection);
    case Role::upstream:
      if (connection.connecting && late)
        give_up_connecting(connection, UpstreamTrouble::connect_timeout);
      return;
    case Role::idle_upstream:
    case Role::settling:
      if (late) close(connection);
      return;
    case Role::canceller:
      if (late) end_cancel(connection, false);
      return;
    case Role::probe:
      if (late) end_probe(connection, false);
      return;
    case Role::gone:
    case Role::none:
      return;
  }
}

template <Transport T>
void Loop<T>::check_health() {
  const Instant now = context_.now.monotonic;
  const auto& targets = context_.current->snapshot().targets;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const config::HealthCheck& health = targets[i].settings.health;
    if (health.path.empty()) continue;
    UpstreamPool& pool = context_.current->pool(i);
    for (std::size_t k = 0; k < pool.size(); ++k) {
      if (now < pool.address(k).next_check) continue;
      pool.address(k).next_check = now + health.interval;
      const ConnId id = transport_.connect(pool.address(k).endpoint);
      if (id.index >= connections_.size()) return;
      Connection& probe = open(id, Role::probe);
      probe.pool = &pool;
      probe.address = k;
      probe.connecting = true;
      probe.deadline = now + health.timeout;
      probe.probe = std::make_unique<HealthProbe>(health.path, pool.address(k).text);
    }
  }
}

template <Transport T>
typename Loop<T>::Connection* Loop<T>::find(ConnId id) noexcept {
  if (id.index >= connections_.size()) return nullptr;
  Connection& connection = connections_[id.index];
  return connection.role != Role::none && connection.id == id ? &connection : nullptr;
}

/// An upstream in use always has its client: closing the client closes it first.
template <Transport T>
typename Loop<T>::Connection& Loop<T>::client_of(const Connection& upstream) noexcept {
  Connection* const client = find(upstream.other);
  ASSERT(client != nullptr && client->session != nullptr);
  return *client;
}

template <Transport T>
typename Loop<T>::Connection& Loop<T>::open(ConnId id, Role role) noexcept {
  Connection& connection = connections_[id.index];
  ASSERT(connection.role == Role::none);
  connection.id = id;
  connection.role = role;
  live_position_[id.index] = static_cast<std::uint32_t>(live_.size());
  live_.push_back(id.index);
  return connection;
}

}  // namespace sluice::dataplane
