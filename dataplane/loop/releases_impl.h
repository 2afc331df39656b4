// What leaves, and what waits: for the log, for its disk, for buffers.
#pragma once

#include <utility>

#include "dataplane/loop/loop.h"

namespace sluice::dataplane {

/// An answer up to this size leaves with its end, as one send instead of two.
inline constexpr std::size_t whole_answer_bytes = 16 * 1024;

template <Transport T>
void Loop<T>::settle(Connection& client) {
  Session& session = *client.session;
  client.deadline = {};
  if (session.wants_proof()) {
    const bool taken =
        options_.prove({options_.worker, client.id, session.keys(), session.take_proof_wish()});
    if (!taken) session.on_no_proof();
  }
  if (session.wants_keys()) await_keys(client);
  if (session.wants_issuer()) ask_issuer(client);
  pass_on_cancel(client);
  if (session.has_hold_news()) pass_on_holds(client);
  grant_wishes(client);
  const bool is_last_moment = stopping_ && !session.owes_record();
  if (session.client_end() == Session::ClientEnd::now || is_last_moment) return close(client);

  flush(client, session.to_client());
  if (session.client_end() == Session::ClientEnd::after_flush &&
      session.to_client().is_on_its_way() && !session.has_more_for_client() &&
      may_leave(client, session.to_client())) {
    // TLS says its end behind the last bytes, in the same send.
    const bool says_end = session.lingers() || transport_.stream(client.id) != nullptr;
    if (says_end && !std::exchange(client.shut, true)) transport_.shutdown(client.id);
    if (!client.sending && !session.lingers()) return close(client);
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
void Loop<T>::resume_waiting() {
  if (!waiting_for_buffers_.empty()) resume_waiting_for_buffers();
  const bool can_record = context_.recordings == nullptr || context_.recordings->has_room();
  if (!waiting_for_log_.empty() &&
      ((context_.log.has_room() && can_record) || context_.log.is_broken())) {
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
/// refused by their sessions). Once when that turns out, and with each sweep for what could not
/// end.
template <Transport T>
void Loop<T>::stop_releasing() {
  for (std::size_t i = 0; i < live_.size(); ++i) {
    Connection& connection = connections_[live_[i]];
    if (connection.role != Role::client) continue;
    connection.session->on_log_broken();
    settle(connection);
  }
}

}  // namespace sluice::dataplane
