// One turn, and what other threads have to say to it.
#pragma once

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/prefetch.h"
#include "dataplane/loop/loop.h"

namespace sluice::dataplane {

/// How often deadlines are looked at: their precision, and the price of having
/// no timer to set per message.
inline constexpr Duration sweep_interval = milliseconds(100);
/// Of so many connections in one turn, or more if turns take long: with thousands that are idle, or
/// wait for people, who is served never stands behind all of them.
inline constexpr std::size_t swept_per_turn = 32;
/// How long a turn waits while the audit ring is full.
inline constexpr Duration log_wait = milliseconds(1);

template <Transport T>
Loop<T>::Loop(T& transport, audit::WorkerLog& log, WorkerMetrics& metrics,
              Mailbox<WorkerMail>& mailbox, std::shared_ptr<const Snapshot> snapshot,
              LoopOptions options)
    : transport_(transport, metrics.tls_clients, metrics.tls_targets),
      context_(transport.pool(), log, metrics),
      mailbox_(mailbox),
      options_(std::move(options)),
      connections_(transport.connections_max()),
      live_position_(transport.connections_max()) {
  context_.durable = options_.durable;
  context_.recordings = options_.recordings;
  context_.replays = options_.replays;
  context_.now = transport_.now();
  if (const auto seed = std::exchange(options_.ticket_seed, nullptr)) {
    ticket_keys_ = std::make_shared<TicketKeys>(*seed);
  }
  adopt(std::move(snapshot));
}

template <Transport T>
Loop<T>::~Loop() {
  for (const std::uint32_t index : live_) {
    connections_[index].session.reset();
    give_back_lent(connections_[index]);
  }
  if (context_.recordings != nullptr) context_.recordings->finish();
}

template <Transport T>
void Loop<T>::run() {
  while (turn(sweep_interval)) {
  }
}

template <Transport T>
bool Loop<T>::turn(Duration wait) {
  if (!waiting_for_log_.empty() || !context_.session_ends.empty()) wait = std::min(wait, log_wait);
  if (to_sweep_ != 0) wait = {};
  const std::size_t count = transport_.poll(done_, wait);
  context_.now = transport_.now();
  context_.can_splice = transport_.splices_free() != 0;
  std::vector<WorkerMail> mail;
  if (mailbox_.maybe_has_mail()) mail = mailbox_.take();
  // Before the batch: a request in it may have been sent when the reload was
  // confirmed already, and must be judged by the new rules.
  bool has_new_keys = false;
  for (WorkerMail& letter : mail) {
    if (letter.snapshot) adopt(std::move(letter.snapshot));
    if (!letter.token_keys) continue;
    context_.tokens.take_up(std::move(letter.token_keys));
    has_new_keys = true;
  }
  // Between two events of a connection the kernel has swept the caches; what an
  // event needs first is fetched while its predecessors are handled.
  for (std::size_t i = 0; i < count; ++i) {
    if (i + 4 < count) prefetch(done_[i + 4]);
    if (i + 2 < count) prefetch_session(done_[i + 2]);
    handle(done_[i]);
  }
  for (const WorkerMail& letter : mail) read(letter);
  if (has_new_keys) resume_waiting_for_keys();
  const bool was_broken = std::exchange(is_log_broken_, context_.log.is_broken());
  if (is_log_broken_ && !was_broken) stop_releasing();
  context_.session_ends.flush();
  resume_waiting();
  serve_waiting();
  sweep_on();
  if (context_.now.monotonic >= next_sweep_) begin_sweep();
  if (!may_splice_.empty()) begin_splices();
  if (context_.recordings != nullptr) context_.recordings->flush(context_.now.monotonic);
  if (!waiting_for_durable_.empty()) context_.log.request_flush();
  const bool owes_records = !context_.session_ends.empty() && !context_.log.is_broken();
  return !stopping_ || !live_.empty() || owes_records;
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

/// All but the snapshot and the keys of issuers, which were taken up already.
template <Transport T>
void Loop<T>::read(const WorkerMail& mail) {
  if (Connection* const client = find(mail.proved); client && client->role == Role::client) {
    client->session->on_proof(mail.verdict);
    settle(*client);
  }
  if (mail.token_answer) take_answer(*mail.token_answer);
  if (mail.cancel) cancel(*mail.cancel);
  if (Connection* const client = find(mail.cancelled); client && client->role == Role::client) {
    client->session->on_cancel_settled();
    settle(*client);
  }
  if (Connection* const client = find(mail.held); client && client->role == Role::client) {
    client->session->on_hold_answer(mail.hold_answer);
    settle(*client);
  }
  if (mail.survey) answer_survey(*mail.survey);
  if (mail.lookup) answer_lookup(*mail.lookup);
  if (mail.drain || mail.stop) {
    context_.draining = true;
    transport_.stop_accepting();
    for (std::size_t i = 0; i < live_.size(); ++i) {
      Connection& connection = connections_[live_[i]];
      const bool is_nobody_yet = connection.role == Role::introducing ||
                                 connection.role == Role::opening ||
                                 connection.role == Role::arriving;
      if (is_nobody_yet) close(connection);
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

/// The one before it is over, as its time is.
template <Transport T>
void Loop<T>::begin_sweep() {
  next_sweep_ = context_.now.monotonic + sweep_interval;
  sweep_size_ = to_sweep_ = live_.size();
  if (ticket_keys_) ticket_keys_->advance(context_.now.monotonic);
  if (views_.size() > 1) retire_views();
  for (const auto& pool : pools_) expire_waiting(*pool);
  if (!context_.draining) check_health();
  if (is_log_broken_) stop_releasing();
  context_.metrics.buffers_free.set(context_.pool.free_count());
}

/// As much of the sweep as is due: it is over with its interval, however long turns take.
/// From the last to the first: into the place of one that is forgotten meanwhile comes the last,
/// which was looked at already or came after the sweep began.
template <Transport T>
void Loop<T>::sweep_on() {
  to_sweep_ = std::min(to_sweep_, live_.size());
  const Duration left = std::max(next_sweep_ - context_.now.monotonic, Duration{});
  const std::size_t may_stay =
      sweep_size_ * static_cast<std::size_t>(left.ns) / static_cast<std::size_t>(sweep_interval.ns);
  const std::size_t end = std::min(to_sweep_ - std::min(to_sweep_, swept_per_turn), may_stay);
  while (to_sweep_ > end) {
    --to_sweep_;
    // Of who rests nothing is read but what says so.
    if (to_sweep_ >= 4) prefetch_lines(&connections_[live_[to_sweep_ - 4]], resting_bytes);
    if (to_sweep_ >= 2) {
      const Connection& soon = connections_[live_[to_sweep_ - 2]];
      if (soon.session && context_.now.monotonic >= soon.deadline) soon.session->prefetch();
    }
    sweep(connections_[live_[to_sweep_]]);
  }
}

template <Transport T>
void Loop<T>::sweep(Connection& connection) {
  const bool late = context_.now.monotonic >= connection.deadline;
  switch (connection.role) {
    case Role::introducing:
      if (late) refuse_introduction(connection);
      return;
    case Role::client:
      if (!late) return;
      connection.session->on_tick();
      settle(connection);
      if (connection.role == Role::client) connection.deadline = connection.session->rests_until();
      return;
    case Role::opening:
    case Role::arriving:
      if (late) on_handshake_failed(connection, TlsFault::timeout);
      return;
    case Role::upstream:
      if (!connection.connecting || !late) return;
      if (transport_.stream(connection.id) != nullptr) {
        return on_handshake_failed(connection, TlsFault::timeout);
      }
      return give_up_connecting(connection, UpstreamTrouble::connect_timeout);
    case Role::idle_upstream:
      if (!late && !is_orphan(connection)) return;
      say_end(connection);
      return close(connection);
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

template <Transport T>
void Loop<T>::close(Connection& connection) {
  switch (connection.role) {
    case Role::none:
    case Role::gone:
      return;
    case Role::introducing:
    case Role::opening:
    case Role::arriving:
      context_.metrics.clients_open.subtract();
      break;
    case Role::client:
      close_upstream(connection);
      connection.session->end_hold(config::HoldEnd::withdrawn);
      pass_on_holds(connection);
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
void Loop<T>::set_receiving(Connection& connection, bool wanted) {
  if (connection.receiving == wanted || connection.role == Role::gone) return;
  connection.receiving = wanted;
  if (wanted) {
    transport_.receive(connection.id);
  } else {
    transport_.pause(connection.id);
  }
}

}  // namespace sluice::dataplane
