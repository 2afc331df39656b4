// The part of UringTransport that moves bytes from socket to socket inside the kernel.
//
// The ring's own splice operation runs on kernel worker threads, so the ring only waits
// until a socket is ready and splice(2), which does not wait, does the rest.
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/assert.h"
#include "dataplane/transport/uring_transport.h"

namespace sluice::dataplane {
namespace {

/// Gives a socket of the file table a descriptor (6.8). Newer than our liburing.
constexpr std::uint8_t op_fixed_fd_install = 54;

/// Who waits on the ring must not see a socket that does not wait: its operations would
/// fail instead of waiting. So it is one for as long as it is spliced to.
void set_waiting(int fd, bool waits) noexcept {
  int does_not_wait = waits ? 0 : 1;
  ::ioctl(fd, FIONBIO, &does_not_wait);
}

bool is_passing(std::int64_t result) noexcept {
  return result == -EAGAIN || result == -EINTR;
}

}  // namespace

void UringTransport::splice(ConnId from, ConnId to, std::uint64_t size_bytes) noexcept {
  Connection* const source = find(from);
  Connection* const sink = find(to);
  if (source == nullptr || source->failed || source->ended) return;
  if (sink == nullptr || sink->failed || size_bytes == 0) return;
  ASSERT(!sink->wants_send && (sink->in_flight & bit(Op::send)) == 0 && !sink->wants_shutdown);
  if (source->splice != SpliceTable::none || sink->splice != SpliceTable::none) return;
  // Of a splice that was given up.
  const int leftovers = bit(Op::install) | bit(Op::writable);
  if (((source->in_flight | sink->in_flight) & leftovers) != 0) return;

  const SpliceTable::Index index = splices_.take();
  if (index == SpliceTable::none) return;
  Splice& splice = splices_[index];
  splice.from = from.index;
  splice.to = to.index;
  splice.left_bytes = size_bytes;
  source->splice = sink->splice = index;
  mark(from.index);
}

/// What the connection is spliced from, if it is.
Splice* UringTransport::splice_from(std::uint32_t index) noexcept {
  const SpliceTable::Index number = connections_[index].splice;
  if (number == SpliceTable::none || splices_[number].from != index) return nullptr;
  return &splices_[number];
}

/// While bytes of it are moved it does not wait, so the ring cannot for it.
bool UringTransport::is_spliced_to(std::uint32_t index) noexcept {
  const SpliceTable::Index number = connections_[index].splice;
  return number != SpliceTable::none && splices_[number].to == index && splices_[number].begun;
}

/// False when the connection has to be received from as ever.
bool UringTransport::advance_splice(std::uint32_t index) noexcept {
  Splice* const splice = splice_from(index);
  Connection& connection = connections_[index];
  if (splice == nullptr || !connection.wants_receive) return false;
  if (splice->begun) {
    await_splice(*splice);
    return true;
  }
  if (!connection.backlog.empty() || connection.end_waits) return false;
  if (connection.starved) unstarve(index);
  const int receiving = bit(Op::receive) | bit(Op::readable);
  if ((connection.in_flight & receiving) != 0) {
    cancel(Op::receive, index);
    cancel(Op::readable, index);
  } else if (!published_) {
    begin_splice(*splice, connection.fd, connections_[splice->to].fd);
  } else if ((connection.in_flight & bit(Op::install)) == 0) {
    install(splice->from);
    install(splice->to);
  }
  return true;
}

void UringTransport::install(std::uint32_t index) noexcept {
  io_uring_sqe* const entry = ring_.entry();
  io_uring_prep_nop(entry);
  entry->opcode = op_fixed_fd_install;
  begin(Op::install, index, entry);
}

void UringTransport::on_install(std::uint32_t index, int result) noexcept {
  const SpliceTable::Index number = connections_[index].splice;
  if (number == SpliceTable::none) {
    if (result >= 0) ::close(result);
    return;
  }
  Splice& splice = splices_[number];
  if (result < 0) {
    if (result == -EINVAL) splices_.disable();  // an older kernel
    return end_splice(number);
  }
  (splice.from == index ? splice.from_fd : splice.to_fd) = result;
  if (splice.from_fd >= 0 && splice.to_fd >= 0) {
    begin_splice(splice, splice.from_fd, splice.to_fd);
  }
}

void UringTransport::begin_splice(Splice& splice, int from_fd, int to_fd) noexcept {
  splice.from_fd = from_fd;
  splice.to_fd = to_fd;
  splice.begun = true;
  set_waiting(to_fd, false);
  mark(splice.from);
}

/// Until one of the two sockets is ready.
void UringTransport::await_splice(const Splice& splice) noexcept {
  const bool is_full = splice.held_bytes != 0;
  const std::uint32_t index = is_full ? splice.to : splice.from;
  const Op op = is_full ? Op::writable : Op::readable;
  if ((connections_[index].in_flight & bit(op)) != 0) return;
  io_uring_sqe* const entry = ring_.entry();
  io_uring_prep_poll_add(entry, 0, is_full ? POLLOUT : POLLIN);
  begin(op, index, entry);
}

/// A socket that `index` is one of is ready: moves what can be moved.
bool UringTransport::run_splice(std::uint32_t index, Completion& out) noexcept {
  const SpliceTable::Index number = connections_[index].splice;
  if (number == SpliceTable::none || !splices_[number].begun) return false;
  Splice& splice = splices_[number];
  Connection& source = connections_[splice.from];
  mark(splice.from);  // to wait again
  if (splice.held_bytes == 0) {
    if (index != splice.from || !source.wants_receive) return false;
    const std::int64_t filled = splice.fill();
    if (filled <= 0) {
      if (!is_passing(filled)) end_source(number, static_cast<int>(filled));
      return false;
    }
  }
  const std::int64_t moved = splice.drain();
  if (moved <= 0) {
    if (is_passing(moved)) return false;
    return fail(splice.to, moved == 0 ? EPIPE : static_cast<int>(-moved), out);
  }
  out = report(Completion::Kind::spliced, splice.from);
  out.size_bytes = static_cast<std::uint32_t>(moved);
  counters_.spliced_bytes.add(static_cast<std::uint64_t>(moved));
  if (splice.left_bytes == 0 && splice.held_bytes == 0) end_splice(number);
  return true;
}

/// The source's end comes after what was moved of it.
void UringTransport::end_source(SpliceTable::Index number, int result) noexcept {
  const std::uint32_t index = splices_[number].from;
  end_splice(number);
  connections_[index].end_waits = true;
  connections_[index].end_result = result;
  list(index);
}

/// Both sockets are as they were before.
void UringTransport::end_splice(SpliceTable::Index number) noexcept {
  Splice& splice = splices_[number];
  if (splice.begun) set_waiting(splice.to_fd, true);
  if (published_) {
    for (const int fd : {splice.from_fd, splice.to_fd}) {
      if (fd >= 0) ::close(fd);
    }
  }
  Connection& source = connections_[splice.from];
  source.bulk = true;
  source.socket_empty = false;
  source.small_receives = 0;
  source.splice = connections_[splice.to].splice = SpliceTable::none;
  mark(splice.from);
  mark(splice.to);
  splices_.give_back(number);
}

}  // namespace sluice::dataplane
