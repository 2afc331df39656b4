// The other half of UringTransport: what the kernel answered, as completions.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/assert.h"
#include "dataplane/transport/uring_transport.h"

namespace sluice::dataplane {
namespace {

/// When the kernel cannot accept (no descriptors, no memory), asking again at
/// once would only spin.
constexpr Duration accept_retry = milliseconds(50);

bool is_passing(int result) noexcept {
  return result == -ECANCELED || result == -EINTR || result == -EAGAIN;
}

}  // namespace

bool UringTransport::take_in(const io_uring_cqe& answer, Completion& out) noexcept {
  const auto op = static_cast<Op>(answer.user_data >> 56);
  const auto index = static_cast<std::uint32_t>(answer.user_data >> 32) & 0xFFFFFF;
  const bool more = (answer.flags & IORING_CQE_F_MORE) != 0;
  const auto generation = static_cast<std::uint32_t>(answer.user_data);
  if (op == Op::cancel) {
    if (answer.res < 0) on_cancel_missed(index, generation);
    return false;
  }
  if (op == Op::accept) return on_accept(listeners_[index], answer.res, more, out);
  if (op == Op::wake) {
    wake_armed_ = false;
    if (answer.res < 0) return false;
    wake_event_.seen();
    out = {};
    return true;
  }

  Connection& connection = connections_[index];
  // A connection is not let go while anything of it is in flight.
  ASSERT(connection.generation == generation);
  ASSERT((connection.in_flight & bit(op)) != 0);
  if (!more) {
    connection.in_flight &= static_cast<std::uint8_t>(~bit(op));
    connection.cancelled &= static_cast<std::uint8_t>(~bit(op));
    if (op != Op::close) mark(index);
  }
  switch (op) {
    case Op::connect:
      return on_connect(index, answer.res, out);
    case Op::receive:
      return on_receive(index, answer, out);
    case Op::send:
      return on_send(index, answer.res, out);
    case Op::close:
      return on_close(index, out);
    case Op::readable:
      connection.is_readable = answer.res >= 0;
      return splice_from(index) != nullptr && run_splice(index, out);
    case Op::writable:
      return run_splice(index, out);
    case Op::install:
      on_install(index, answer.res);
      return false;
    default:
      return false;  // a shutdown of what the peer reset already changes nothing
  }
}

bool UringTransport::on_accept(Listener& listener, int result, bool more,
                               Completion& out) noexcept {
  if (!more) listener.armed = false;
  if (listener.stopped && !listener.armed && listener.fd >= 0) {
    ::close(std::exchange(listener.fd, -1));
  }
  if (result < 0) {
    // A client that left before it was accepted is not the kernel's failure.
    if (is_passing(result) || result == -ECONNABORTED) return false;
    counters_.accept_failures.add();
    listener.retry_at = now_.monotonic + accept_retry;
    return false;
  }
  Endpoint peer{};
  peer.size_bytes = sizeof peer.v6;
  if (::getpeername(result, &peer.generic, &peer.size_bytes) != 0) {
    ::close(result);  // it left already
    return false;
  }
  const auto index = claim();
  if (!index) {
    ::close(result);
    counters_.refused.add();
    return false;
  }
  if (place(*index, result) != 0) {
    connections_[*index].in_use = false;
    free_.push_back(*index);
    counters_.accept_failures.add();
    return false;
  }
  connections_[*index].connected = true;
  counters_.accepted.add();
  out = report(Completion::Kind::accepted, *index);
  out.listener = listener.index;
  out.peer = peer;
  return true;
}

bool UringTransport::on_connect(std::uint32_t index, int result, Completion& out) noexcept {
  Connection& connection = connections_[index];
  if (connection.error != 0) result = -connection.error;
  if (result < 0) return fail(index, -result, out);
  if (connection.closing) return false;
  connection.connected = true;
  out = report(Completion::Kind::connected, index);
  return true;
}

bool UringTransport::on_receive(std::uint32_t index, const io_uring_cqe& answer,
                                Completion& out) noexcept {
  Connection& connection = connections_[index];
  connection.is_readable = false;
  connection.socket_empty = (answer.flags & IORING_CQE_F_SOCK_NONEMPTY) == 0;
  if (!connection.filling.empty()) {
    on_filled(index, answer.res > 0 ? static_cast<std::size_t>(answer.res) : 0);
    return answer.res <= 0 && on_receive_end(index, answer.res, out);
  }
  BufferId buffer = no_buffer;
  if ((answer.flags & IORING_CQE_F_BUFFER) != 0) {
    buffer = static_cast<BufferId>(answer.flags >> IORING_CQE_BUFFER_SHIFT);
    published_->taken();
  }
  if (answer.res > 0) {
    return on_received(index, {buffer, static_cast<std::uint32_t>(answer.res)}, out);
  }
  if (buffer != no_buffer) pool_.release(buffer);
  return on_receive_end(index, answer.res, out);
}

/// This turn still reports the slots that were filled; the others go back.
void UringTransport::on_filled(std::uint32_t index, std::size_t size_bytes) noexcept {
  Connection& connection = connections_[index];
  if (connection.closing) size_bytes = 0;
  if (size_bytes > 0) note_size(connection, size_bytes);
  while (!connection.filling.empty()) {
    const BufferId slot = backlogs_.pop(connection.filling).buffer;
    const std::size_t filled = std::min(size_bytes, buffer_data_bytes_max);
    if (filled == 0) {
      pool_.release(slot);
      continue;
    }
    backlogs_.push(connection.backlog, {slot, static_cast<std::uint32_t>(filled)});
    size_bytes -= filled;
  }
  if (!connection.backlog.empty() && connection.wants_receive) list(index);
}

bool UringTransport::on_received(std::uint32_t index, BacklogTable::Entry entry,
                                 Completion& out) noexcept {
  Connection& connection = connections_[index];
  ASSERT(entry.buffer != no_buffer);
  if (connection.closing) {
    pool_.release(entry.buffer);
    return false;
  }
  note_size(connection, entry.size_bytes);
  if (connection.wants_receive && connection.backlog.empty() && may_report(connection)) {
    report_received(index, entry, out);
    return true;
  }
  backlogs_.push(connection.backlog, entry);
  connection.bulk = true;
  connection.small_receives = 0;
  mark(index);  // lists it, and stops what overran
  return false;
}

bool UringTransport::on_receive_end(std::uint32_t index, int result, Completion& out) noexcept {
  Connection& connection = connections_[index];
  if (is_passing(result) || connection.closing || connection.failed) return false;
  if (result == -ENOBUFS) {
    starve(index);
    return false;
  }
  // A failure need not wait for a paused reader, but bytes come before both.
  if (connection.backlog.empty() && (connection.wants_receive || result < 0)) {
    return report_end(index, result, out);
  }
  connection.end_waits = true;
  connection.end_result = result;
  return false;
}

/// Many small messages in a row end what pause() or an overrun began.
void UringTransport::note_size(Connection& connection, std::size_t size_bytes) noexcept {
  constexpr std::uint8_t small_receives_enough = 16;
  if (!connection.bulk) return;
  if (size_bytes > buffer_data_bytes_max / 2) {
    connection.small_receives = 0;
  } else if (++connection.small_receives == small_receives_enough) {
    connection.bulk = false;
    connection.small_receives = 0;
  }
}

/// Whether this turn may bring the connection one more buffer; counts it.
bool UringTransport::may_report(Connection& connection) noexcept {
  const auto turn = static_cast<std::uint32_t>(counters_.turns.read());
  if (connection.turn != turn) {
    connection.turn = turn;
    connection.turn_receives = 0;
  }
  if (connection.turn_receives == receives_per_turn_max) return false;
  ++connection.turn_receives;
  return true;
}

/// Before the kernel's news, so that bytes stay in order.
std::size_t UringTransport::report_backlogs(std::span<Completion> done) noexcept {
  std::size_t count = 0;
  std::size_t kept = 0;
  for (const std::uint32_t index : ready_) {
    while (count < done.size() && report_backlog(index, done[count])) ++count;
    Connection& connection = connections_[index];
    const bool behind = !connection.backlog.empty() || connection.end_waits;
    connection.listed = behind && connection.wants_receive;
    if (connection.listed) ready_[kept++] = index;
  }
  ready_.resize(kept);
  return count;
}

bool UringTransport::report_backlog(std::uint32_t index, Completion& out) noexcept {
  Connection& connection = connections_[index];
  if (connection.closing || !connection.wants_receive) return false;
  if (!connection.backlog.empty()) {
    if (!may_report(connection)) return false;
    report_received(index, backlogs_.pop(connection.backlog), out);
    mark(index);  // once the backlog is empty, receiving goes on
    return true;
  }
  if (!std::exchange(connection.end_waits, false)) return false;
  return report_end(index, connection.end_result, out);
}

void UringTransport::report_received(std::uint32_t index, BacklogTable::Entry entry,
                                     Completion& out) noexcept {
  if (splice_from(index) != nullptr) end_splice(connections_[index].splice);
  out = report(Completion::Kind::received, index);
  out.buffer = entry.buffer;
  out.size_bytes = entry.size_bytes;
  counters_.receives.add();
  counters_.received_bytes.add(entry.size_bytes);
}

bool UringTransport::report_end(std::uint32_t index, int result, Completion& out) noexcept {
  if (result == -EIO && connections_[index].opens_records) {
    out = report(Completion::Kind::record, index);
    mark(index);  // receiving goes on behind it
    return true;
  }
  if (result < 0) return fail(index, -result, out);
  if (splice_from(index) != nullptr) end_splice(connections_[index].splice);
  connections_[index].ended = true;
  out = report(Completion::Kind::peer_closed, index);
  return true;
}

void UringTransport::drop_backlog(std::uint32_t index) noexcept {
  Connection& connection = connections_[index];
  while (!connection.backlog.empty()) pool_.release(backlogs_.pop(connection.backlog).buffer);
  connection.end_waits = false;
}

/// The operation was just then being run and is in flight still: ask again.
void UringTransport::on_cancel_missed(std::uint32_t index, std::uint32_t generation) noexcept {
  Connection& connection = connections_[index];
  if (!connection.in_use || connection.generation != generation) return;
  connection.cancelled = 0;
  mark(index);
}

bool UringTransport::on_send(std::uint32_t index, int result, Completion& out) noexcept {
  Connection& connection = connections_[index];
  Outgoing& sending = outgoing_[index];
  if (connection.closing) return false;
  if (result < 0 && !is_passing(result)) return fail(index, -result, out);
  if (result == 0 && sending.left_bytes > 0) return fail(index, EPIPE, out);
  std::size_t went = result > 0 ? static_cast<std::size_t>(result) : 0;
  ASSERT(went <= sending.left_bytes);
  sending.left_bytes -= went;
  if (sending.left_bytes > 0) {
    counters_.partial_sends.add();
    for (; went >= sending.parts[sending.first].iov_len; ++sending.first) {
      went -= sending.parts[sending.first].iov_len;
    }
    iovec& part = sending.parts[sending.first];
    part.iov_base = static_cast<std::uint8_t*>(part.iov_base) + went;
    part.iov_len -= went;
    connection.wants_send = true;  // marked already
    return false;
  }
  connection.record_type = 0;
  out = report(Completion::Kind::sent, index);
  out.size_bytes = static_cast<std::uint32_t>(sending.total_bytes);
  counters_.sends.add();
  counters_.sent_bytes.add(sending.total_bytes);
  return true;
}

bool UringTransport::on_close(std::uint32_t index, Completion& out) noexcept {
  Connection& connection = connections_[index];
  out = report(Completion::Kind::closed, index);
  connection.in_use = false;
  connection.has_file = false;
  ++connection.generation;
  freed_.push_back(index);
  return true;
}

/// A connection fails once; after that there is only closing it.
bool UringTransport::fail(std::uint32_t index, int error, Completion& out) noexcept {
  Connection& connection = connections_[index];
  if (connection.closing || connection.failed) return false;
  connection.failed = true;
  connection.wants_receive = false;
  if (connection.splice != SpliceTable::none) end_splice(connection.splice);
  drop_backlog(index);
  out = report(Completion::Kind::failed, index);
  out.error = error;
  return true;
}

Completion UringTransport::report(Completion::Kind kind, std::uint32_t index) const noexcept {
  Completion completion{};
  completion.kind = kind;
  completion.conn = {index, connections_[index].generation};
  return completion;
}

}  // namespace sluice::dataplane
