// What happens on a worker's connections: connect, ask, answer, close, again.
#include <algorithm>

#include "load/worker.h"

namespace sluice::load {
namespace {

using dataplane::Completion;
using dataplane::ConnId;

/// A peer that refuses connections is asked again, but not in a tight loop.
constexpr Duration retry_after = milliseconds(20);
constexpr std::uint32_t no_slot = UINT32_MAX;

}  // namespace

void Worker::on(const Completion& done) {
  Connection* const connection = find(done.conn);
  if (connection == nullptr) {
    if (done.buffer != dataplane::no_buffer) transport_->pool().release(done.buffer);
    return;
  }
  switch (done.kind) {
    case Completion::Kind::connected:
      on_connected(*connection);
      break;
    case Completion::Kind::received:
      on_received(*connection, done);
      break;
    case Completion::Kind::sent:
      connection->sending = false;
      // The answer was quicker than the news that its request had been sent.
      if (!connection->awaiting && !connection->closing) go_on(*connection);
      break;
    case Completion::Kind::peer_closed:
      if (connection->awaiting) on_end(*connection);
      close(*connection);
      break;
    case Completion::Kind::failed:
      on_lost(*connection);
      break;
    case Completion::Kind::closed:
      on_closed(*connection);
      break;
    case Completion::Kind::accepted:
    case Completion::Kind::secured:
    case Completion::Kind::spliced:
    case Completion::Kind::record:
    case Completion::Kind::woken:
      break;
  }
}

void Worker::on_connected(Connection& connection) {
  connection.connected = true;
  ++connected_;
  connection.answers = 0;
  ever_connected_ = true;
  if (unsettled_ != 0) --unsettled_;
  ++figures_.connects;
  figures_.connecting.record(now() - connection.since);
  connection.driver->start();
  transport_->receive(connection.id);
  if (began_) go_on(connection);
}

void Worker::on_received(Connection& connection, const Completion& done) {
  figures_.bytes_received += done.size_bytes;
  const ByteView bytes{transport_->pool().data(done.buffer), done.size_bytes};
  // Bytes that nobody asked for mean that the peer and we no longer agree.
  const Answer answer = connection.awaiting
                            ? connection.driver->on_bytes(bytes)
                            : Answer{.kind = Answer::Kind::broken, .connection_ends = true};
  transport_->pool().release(done.buffer);
  if (!connection.closing) on_answer(connection, answer);
}

void Worker::on_answer(Connection& connection, const Answer& answer) {
  if (answer.kind == Answer::Kind::incomplete) return;
  if (connection.awaiting) --awaiting_;
  connection.awaiting = false;
  if (answer.kind == Answer::Kind::broken) {
    ++figures_.read_errors;
    ++tick_.errors;
    close(connection);
    return;
  }
  tick_.latency.record(now() - connection.since);
  if (share_.is_open_loop) figures_.service.record(now() - connection.sent_at);
  ++figures_.completed;
  ++figures_.statuses[std::min<std::size_t>(answer.status, statuses_max - 1)];
  if (answer.failed_check != no_check) {
    ++figures_.failed_checks[answer.failed_check];
    ++tick_.errors;
  }
  ++connection.answers;
  if (answer.connection_ends || connection.answers == share_.requests_per_connection) {
    close(connection);
  } else if (!connection.sending) {
    go_on(connection);
  }
}

/// The peer will send no more: an answer that is not whole now never will be.
void Worker::on_end(Connection& connection) {
  Answer answer = connection.driver->on_close();
  if (answer.kind == Answer::Kind::incomplete) answer.kind = Answer::Kind::broken;
  on_answer(connection, answer);
}

void Worker::on_lost(Connection& connection) {
  if (connection.closing) return;
  if (connection.awaiting) {
    ++figures_.read_errors;
    connection.awaiting = false;
    --awaiting_;
  } else {
    ++figures_.connect_errors;
    if (!connection.connected && unsettled_ != 0) --unsettled_;
  }
  ++tick_.errors;
  close(connection);
  connection.alarm_at = now() + retry_after;
  connection.waiting = true;
}

void Worker::on_closed(Connection& connection) {
  slots_[connection.id.index] = no_slot;
  connection.open = false;
  if (connection.connected && --connected_ == 0) alone_since_ = now();
  connection.connected = false;
  connection.closing = false;
  connection.sending = false;
  if (connection.finished) {
    --unfinished_;
  } else if (connection.waiting && connection.alarm_at > now()) {
    wake_later(connection, connection.alarm_at - now());
  } else {
    connection.waiting = false;
    open(connection);
  }
}

void Worker::open(Connection& connection) {
  connection.since = now();
  connection.id = transport_->connect(share_.peer);
  connection.open = connection.id.index != no_slot;
  if (!connection.open) return wake_later(connection, retry_after);
  slots_[connection.id.index] = number_of(connection);
}

/// The connection is free: for the next request, or for whatever comes before it.
void Worker::go_on(Connection& connection) {
  if (share_.is_open_loop) return idle_.push(number_of(connection));
  const Duration think = connection.answers == 0 ? Duration{} : connection.driver->think_time();
  think.ns > 0 ? wake_later(connection, think) : ask(connection);
}

void Worker::ask(Connection& connection) {
  if (!shared_.quota.take()) {
    connection.finished = true;
    close(connection);
    return;
  }
  send(connection, now());
}

void Worker::send(Connection& connection, Instant due) {
  const ByteView request = connection.driver->next_request();
  const dataplane::Slice slice{request.data(), static_cast<std::uint32_t>(request.size())};
  connection.sending = true;
  connection.awaiting = true;
  ++awaiting_;
  connection.since = due;
  connection.sent_at = now();
  transport_->send(connection.id, {&slice, 1});
}

void Worker::close(Connection& connection) {
  if (connection.closing) return;
  connection.closing = true;
  connection.waiting = false;
  transport_->close(connection.id);
}

void Worker::wake_later(Connection& connection, Duration wait) {
  connection.alarm_at = now() + wait;
  connection.waiting = true;
  alarms_.push_back({connection.alarm_at, number_of(connection)});
  std::push_heap(alarms_.begin(), alarms_.end());
}

Worker::Connection* Worker::find(ConnId id) noexcept {
  if (id.index >= slots_.size() || slots_[id.index] == no_slot) return nullptr;
  Connection& connection = connections_[slots_[id.index]];
  return connection.id == id ? &connection : nullptr;
}

std::uint32_t Worker::number_of(const Connection& connection) const noexcept {
  return static_cast<std::uint32_t>(&connection - connections_.data());
}

}  // namespace sluice::load
