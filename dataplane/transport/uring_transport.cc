#include "dataplane/transport/uring_transport.h"

#include <fmt/format.h>
#include <linux/tls.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <utility>

#include "base/assert.h"
#include "dataplane/transport/listening_socket.h"

namespace sluice::dataplane {
namespace {

constexpr std::uint32_t connections_limit = 1U << 24;  // tag() gives the index 24 bits
constexpr std::uint32_t none = 0xFFFFFFFF;
constexpr std::uint32_t no_generation = 0;  // connections count from 1
/// Receives into many slots that may be submitted at once.
constexpr std::size_t incoming_max = 64;
/// Entries that one connection can need in one turn.
constexpr unsigned entries_per_connection = 8;

/// Of both sockets, and the two ends of a pipe.
constexpr std::uint32_t descriptors_per_splice = 4;

/// The kernel counts the file table against RLIMIT_NOFILE, whose soft value is
/// often 1,024 for the sake of select(), which we do not use.
Result<void> allow_open_files(std::uint32_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= count) return {};
  limit.rlim_cur = count;
  if (count <= limit.rlim_max && ::setrlimit(RLIMIT_NOFILE, &limit) == 0) return {};
  return fail(fmt::format(
      "connections and splices need RLIMIT_NOFILE of at least {}, the hard limit is {}: raise it, "
      "under systemd with LimitNOFILE={}",
      count, limit.rlim_max, count));
}

std::int64_t read_clock(clockid_t clock) noexcept {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

static_assert(Transport<UringTransport>);

Result<std::unique_ptr<UringTransport>> UringTransport::make(const UringOptions& options) {
  if (options.connections_max == 0 || options.connections_max > connections_limit) {
    return sluice::fail(fmt::format("a worker holds 1 to {} connections, not {}", connections_limit,
                                    options.connections_max));
  }
  // What a send can be told with MSG_NOSIGNAL, splice(2) cannot.
  ::signal(SIGPIPE, SIG_IGN);
  auto pool = BufferPool::make(options.buffer_bytes, options.huge_pages);
  if (!pool) return tl::unexpected(pool.error());
  const std::uint32_t kept = options.kernel_tls.is_there() ? options.connections_max : 0;
  const std::uint32_t files_max =
      options.connections_max + kept + descriptors_per_splice * std::uint32_t{options.splices_max};
  if (auto allowed = allow_open_files(files_max); !allowed) {
    return tl::unexpected(allowed.error());
  }
  auto ring = UringRing::make(options.ring_entries, options.plain);
  if (!ring) return tl::unexpected(ring.error());
  const auto wake_fd = WakeEvent::open();
  if (!wake_fd) return tl::unexpected(wake_fd.error());

  std::unique_ptr<UringTransport> made(
      new UringTransport(options, *std::move(ring), *std::move(pool), *wake_fd));
  if (!made->features().modern_sockets) return made;

  io_uring* const raw = made->ring_.raw();
  if (const int status = io_uring_register_files_sparse(raw, options.connections_max); status < 0) {
    return sluice::fail(fmt::format("the kernel takes no file table of {} entries: {}",
                                    options.connections_max, std::strerror(-status)));
  }
  auto published = PublishedBuffers::make(raw, &made->pool_, options.published_buffers);
  if (!published) return tl::unexpected(published.error());
  made->published_.emplace(*std::move(published));
  return made;
}

UringTransport::UringTransport(const UringOptions& options, UringRing ring, BufferPool pool,
                               int wake_fd)
    : pool_(std::move(pool)),
      wake_event_(wake_fd),
      connections_(options.connections_max),
      outgoing_(options.connections_max),
      backlogs_(pool_.size()),
      splices_(options.splices_max),
      ring_(std::move(ring)),
      starved_first_(none),
      starved_last_(none),
      connections_max_(options.connections_max),
      kernel_tls_(options.kernel_tls) {
  free_.reserve(connections_max_);
  freed_.reserve(connections_max_);
  dirty_.reserve(connections_max_);
  ready_.reserve(connections_max_);
  incoming_.reserve(incoming_max);
  for (std::uint32_t i = connections_max_; i-- > 0;) free_.push_back(i);
  read_clocks();
}

UringTransport::~UringTransport() {
  for (Connection& connection : connections_) {
    if (connection.splice != SpliceTable::none) end_splice(connection.splice);
  }
  for (const Listener& listener : listeners_) {
    if (listener.fd >= 0) ::close(listener.fd);
  }
  for (const Connection& connection : connections_) {
    if (connection.fd >= 0) ::close(connection.fd);
  }
}

Result<void> UringTransport::listen(const Endpoint& endpoint, std::uint16_t listener) {
  const auto fd = open_listening_socket(endpoint);
  if (!fd) return tl::unexpected(fd.error());
  listen_on(*fd, listener);
  return {};
}

void UringTransport::listen_on(int fd, std::uint16_t listener) {
  listeners_.push_back({.fd = fd, .index = listener});
}

Result<Endpoint> UringTransport::local_endpoint(std::uint16_t listener) const {
  const auto found = std::find_if(listeners_.begin(), listeners_.end(),
                                  [&](const Listener& l) { return l.index == listener; });
  Endpoint endpoint{};
  endpoint.size_bytes = sizeof endpoint.v6;
  if (found == listeners_.end() ||
      ::getsockname(found->fd, &endpoint.generic, &endpoint.size_bytes) != 0) {
    return sluice::fail(fmt::format("there is no listener {}", listener));
  }
  return endpoint;
}

void UringTransport::stop_accepting() noexcept {
  for (Listener& listener : listeners_) {
    listener.stopped = true;
    if (!listener.armed && listener.fd >= 0) ::close(std::exchange(listener.fd, -1));
  }
}

ConnId UringTransport::connect(const Endpoint& peer) noexcept {
  const auto index = claim();
  if (!index) return {};
  counters_.connects.add();
  Connection& connection = connections_[*index];
  connection.wants_connect = true;
  outgoing_[*index].peer = peer;
  // A failure is reported by poll like any other.
  const int fd = open_outgoing_socket(peer);
  connection.error = fd < 0 ? -fd : -place(*index, fd);
  mark(*index);
  return {*index, connection.generation};
}

void UringTransport::receive(ConnId id) noexcept {
  Connection* const connection = find(id);
  if (connection == nullptr || connection->wants_receive || connection->failed) return;
  connection->wants_receive = true;
  mark(id.index);
}

void UringTransport::pause(ConnId id) noexcept {
  Connection* const connection = find(id);
  if (connection == nullptr || !connection->wants_receive) return;
  connection->wants_receive = false;
  connection->bulk = true;  // someone reads more slowly than it sends
  mark(id.index);
}

void UringTransport::send(ConnId id, std::span<const Slice> slices) noexcept {
  Connection* const connection = find(id);
  if (connection == nullptr || connection->failed) return;
  ASSERT(!slices.empty() && slices.size() <= slices_per_send_max);
  ASSERT(!connection->wants_send && (connection->in_flight & bit(Op::send)) == 0);
  ASSERT(!connection->wants_shutdown && !is_spliced_to(id.index));

  Outgoing& out = outgoing_[id.index];
  out.first = 0;
  out.count = static_cast<std::uint32_t>(slices.size());
  out.total_bytes = 0;
  for (std::size_t i = 0; i < slices.size(); ++i) {
    // The kernel's type has no const; a send only reads.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
    out.parts[i] = {const_cast<std::uint8_t*>(slices[i].data), slices[i].size_bytes};
    out.total_bytes += slices[i].size_bytes;
  }
  out.left_bytes = out.total_bytes;
  connection->wants_send = true;
  mark(id.index);
}

const KernelTls* UringTransport::kernel_tls(ConnId id) noexcept {
  const Connection* const connection = find(id);
  const bool can = connection != nullptr && connection->fd >= 0 && kernel_tls_.is_there();
  return can ? &kernel_tls_ : nullptr;
}

/// Needs the descriptor; the ring has its own.
int UringTransport::protect(ConnId id, const KernelTlsKeys& keys) noexcept {
  Connection* const connection = find(id);
  if (connection == nullptr || connection->failed) return ECONNRESET;
  ASSERT(connection->fd >= 0 && !connection->is_protected);
  ASSERT(!connection->wants_send && (connection->in_flight & bit(Op::send)) == 0);
  connection->is_protected = true;
  const int error = begin_kernel_tls(connection->fd, keys);
  if (published_ && !kernel_tls_.opens(keys)) ::close(std::exchange(connection->fd, -1));
  return error;
}

/// Between two polls nothing is taken off a socket, whatever waits on it: the ring's work is done
/// when it is entered. So what was not reported is in the ring, in a backlog or in the socket.
int UringTransport::receive_protected(ConnId id, const KernelTlsKeys& keys) noexcept {
  Connection* const connection = find(id);
  if (connection == nullptr || connection->failed) return ECONNRESET;
  ASSERT(connection->is_protected && !connection->opens_records && connection->fd >= 0);
  const bool is_ahead = !connection->backlog.empty() || !connection->filling.empty() ||
                        connection->end_waits || connection->ended || !ring_.is_drained();
  if (is_ahead) return EAGAIN;
  const int error = begin_kernel_tls_receive(connection->fd, keys);
  connection->opens_records = error == 0;
  return error;
}

KernelTlsRecord UringTransport::take_record(ConnId id, ByteSpan content) noexcept {
  const Connection* const connection = find(id);
  if (connection == nullptr || connection->failed) return {};
  ASSERT(connection->opens_records);
  return take_kernel_tls_record(connection->fd, content);
}

void UringTransport::send_record(ConnId id, std::uint8_t type, Slice content) noexcept {
  Connection* const connection = find(id);
  if (connection == nullptr || connection->failed) return;
  ASSERT(connection->is_protected && type != 0);
  send(id, {&content, 1});
  connection->record_type = type;
}

void UringTransport::shutdown(ConnId id) noexcept {
  Connection* const connection = find(id);
  if (connection == nullptr || connection->failed) return;
  connection->wants_shutdown = true;
  mark(id.index);
}

void UringTransport::close(ConnId id) noexcept {
  Connection* const connection = find(id);
  if (connection == nullptr) return;
  connection->closing = true;
  if (connection->starved) unstarve(id.index);
  if (connection->splice != SpliceTable::none) end_splice(connection->splice);
  drop_backlog(id.index);
  mark(id.index);
}

std::size_t UringTransport::poll(std::span<Completion> done, Duration wait) noexcept {
  counters_.turns.add();
  free_.insert(free_.end(), freed_.begin(), freed_.end());  // within the reserved capacity
  freed_.clear();
  if (published_) published_->top_up();
  if (!ring_.has_unsubmitted()) incoming_.clear();
  feed_starved();
  arm_wake_event();
  wait = arm_listeners(wait);
  const bool all_submitted = advance_all();
  const bool idle = all_submitted && ready_.empty() && ring_.peek() == nullptr;
  ring_.enter(idle ? wait : Duration{0});
  read_clocks();

  std::size_t count = report_backlogs(done);
  while (count < done.size()) {
    const io_uring_cqe* const answer = ring_.peek();
    if (answer == nullptr) break;
    if (take_in(*answer, done[count])) ++count;
    ring_.seen();
  }
  return count + report_backlogs(done.subspan(count));
}

std::size_t UringTransport::buffers_lent() const noexcept {
  return published_ ? published_->count() : 0;
}

std::uint32_t UringTransport::connections_open() const noexcept {
  return connections_max_ - static_cast<std::uint32_t>(free_.size() + freed_.size());
}

std::uint64_t UringTransport::tag(Op op, std::uint32_t index, std::uint32_t generation) noexcept {
  return std::uint64_t{static_cast<std::uint8_t>(op)} << 56 | std::uint64_t{index} << 32 |
         generation;
}

/// Null for a name that is dead or was closed: whoever still uses it is late,
/// which is no error.
UringTransport::Connection* UringTransport::find(ConnId id) noexcept {
  if (id.index >= connections_max_) return nullptr;
  Connection& connection = connections_[id.index];
  const bool alive =
      connection.in_use && connection.generation == id.generation && !connection.closing;
  return alive ? &connection : nullptr;
}

std::optional<std::uint32_t> UringTransport::claim() noexcept {
  if (free_.empty()) return std::nullopt;
  const std::uint32_t index = free_.back();
  free_.pop_back();
  Connection& connection = connections_[index];
  ASSERT(!connection.in_use && connection.in_flight == 0 && connection.backlog.empty());
  connection = {.generation = connection.generation,
                .in_use = true,
                .dirty = connection.dirty,
                .listed = connection.listed};
  return index;
}

/// Gives the connection its socket; 0 or a negative errno, and the descriptor is gone.
int UringTransport::place(std::uint32_t index, int fd) noexcept {
  Connection& connection = connections_[index];
  if (!features().modern_sockets) {
    connection.fd = fd;
    connection.has_file = true;
    return 0;
  }
  const int status = io_uring_register_files_update(ring_.raw(), index, &fd, 1);
  if (status == 1 && kernel_tls_.is_there()) {
    connection.fd = fd;
  } else {
    ::close(fd);
  }
  connection.has_file = status == 1;
  return status == 1 ? 0 : (status < 0 ? status : -EIO);
}

void UringTransport::mark(std::uint32_t index) noexcept {
  Connection& connection = connections_[index];
  if (connection.dirty) return;
  connection.dirty = true;
  dirty_.push_back(index);  // within the capacity reserved at start
}

/// False when the submission queue could not take everything.
bool UringTransport::advance_all() noexcept {
  std::size_t done = 0;
  for (; done < dirty_.size(); ++done) {
    if (!ring_.has_room(entries_per_connection)) break;
    connections_[dirty_[done]].dirty = false;
    advance(dirty_[done]);
  }
  dirty_.erase(dirty_.begin(), dirty_.begin() + static_cast<std::ptrdiff_t>(done));
  return dirty_.empty();
}

void UringTransport::advance(std::uint32_t index) noexcept {
  Connection& connection = connections_[index];
  if (connection.closing) return advance_closing(index);
  if (connection.wants_connect) return begin_connect(index);
  if (!connection.connected || connection.failed) return;

  advance_receiving(index);
  if (connection.wants_send) begin_send(index);
  const bool sending = (connection.in_flight & bit(Op::send)) != 0;
  if (connection.wants_shutdown && !sending) {
    connection.wants_shutdown = false;
    io_uring_sqe* const entry = ring_.entry();
    io_uring_prep_shutdown(entry, 0, SHUT_WR);
    begin(Op::shutdown, index, entry);
  }
}

void UringTransport::advance_receiving(std::uint32_t index) noexcept {
  Connection& connection = connections_[index];
  if (connection.ended || advance_splice(index)) return;
  const bool behind = !connection.backlog.empty() || connection.end_waits;
  if (behind && connection.wants_receive) list(index);
  if (behind || !connection.wants_receive) {
    // What receives once may as well wait where it is; its bytes join the backlog.
    if (connection.multishot) cancel(Op::receive, index);
    return;
  }
  const bool receiving = (connection.in_flight & (bit(Op::receive) | bit(Op::readable))) != 0;
  if (receiving || connection.starved) return;
  const bool is_plain = !published_ || is_spliced_to(index);
  is_plain ? begin_plain_receive(index) : begin_receive(index);
}

void UringTransport::advance_closing(std::uint32_t index) noexcept {
  if (connections_[index].in_flight == 0) return begin_close(index);
  for (const Op op : {Op::connect, Op::receive, Op::readable, Op::send, Op::writable}) {
    cancel(op, index);
  }
}

/// Completes a prepared entry: whose it is and which socket it is for.
void UringTransport::begin(Op op, std::uint32_t index, io_uring_sqe* entry) noexcept {
  Connection& connection = connections_[index];
  connection.in_flight |= bit(op);
  if (published_) {
    entry->fd = static_cast<int>(index);
    entry->flags |= IOSQE_FIXED_FILE;
  } else {
    entry->fd = connection.fd;
  }
  io_uring_sqe_set_data64(entry, tag(op, index, connection.generation));
}

void UringTransport::begin_connect(std::uint32_t index) noexcept {
  Connection& connection = connections_[index];
  connection.wants_connect = false;
  io_uring_sqe* const entry = ring_.entry();
  if (connection.error != 0) {
    // Nothing to connect; on_connect finds the error.
    io_uring_prep_nop(entry);
    connection.in_flight |= bit(Op::connect);
    io_uring_sqe_set_data64(entry, tag(Op::connect, index, connection.generation));
    return;
  }
  const Endpoint& peer = outgoing_[index].peer;
  io_uring_prep_connect(entry, 0, &peer.generic, peer.size_bytes);
  begin(Op::connect, index, entry);
}

void UringTransport::begin_receive(std::uint32_t index) noexcept {
  Connection& connection = connections_[index];
  connection.multishot = !connection.bulk;
  if (connection.bulk && !connection.socket_empty && begin_filling(index)) return;
  io_uring_sqe* const entry = ring_.entry();
  if (connection.multishot) {
    io_uring_prep_recv_multishot(entry, 0, nullptr, 0, 0);
  } else {
    io_uring_prep_recv(entry, 0, nullptr, 0, 0);
    // Saves an attempt that would find nothing.
    if (connection.socket_empty) entry->ioprio |= IORING_RECVSEND_POLL_FIRST;
  }
  entry->flags |= IOSQE_BUFFER_SELECT;
  entry->buf_group = PublishedBuffers::group;
  begin(Op::receive, index, entry);
}

/// Without buffer rings a slot is taken only when there is something to put
/// into it, so that idle connections hold none. Also for sockets that do not wait.
void UringTransport::begin_plain_receive(std::uint32_t index) noexcept {
  Connection& connection = connections_[index];
  if (!connection.is_readable) {
    io_uring_sqe* const entry = ring_.entry();
    io_uring_prep_poll_add(entry, 0, POLLIN);
    begin(Op::readable, index, entry);
    return;
  }
  if (!begin_filling(index)) starve(index);
}

/// Receives what is there already into slots of the connection's own: one call of the
/// kernel's for all of them. False when there is no slot.
bool UringTransport::begin_filling(std::uint32_t index) noexcept {
  Connection& connection = connections_[index];
  const std::size_t slots = slots_to_fill(connection);
  std::array<iovec, receives_per_turn_max> parts;
  std::size_t count = 0;
  for (; count < slots; ++count) {
    const BufferId slot = pool_.take_to_receive();
    if (slot == no_buffer) break;
    backlogs_.push(connection.filling, {slot, 0});
    parts[count] = {pool_.data(slot), buffer_data_bytes_max};
  }
  if (count == 0) return false;
  io_uring_sqe* const entry = ring_.entry();
  if (count == 1) {
    io_uring_prep_recv(entry, 0, parts[0].iov_base, parts[0].iov_len, MSG_DONTWAIT);
  } else {
    Incoming& in = incoming_.emplace_back();  // within the capacity reserved at start
    in.parts = parts;
    in.message = {};
    in.message.msg_iov = in.parts.data();
    in.message.msg_iovlen = count;
    io_uring_prep_recvmsg(entry, 0, &in.message, MSG_DONTWAIT);
  }
  begin(Op::receive, index, entry);
  return true;
}

void UringTransport::Outgoing::name_record(std::uint8_t type) noexcept {
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_TLS;
  header->cmsg_type = TLS_SET_RECORD_TYPE;
  header->cmsg_len = CMSG_LEN(sizeof type);
  *CMSG_DATA(header) = type;
}

/// Many only while the loop has enough left to answer with.
std::size_t UringTransport::slots_to_fill(const Connection& connection) const noexcept {
  const bool may_take_many =
      connection.bulk && incoming_.size() < incoming_max && pool_.free_count() > pool_.size() / 2;
  return may_take_many ? receives_per_turn_max : 1;
}

void UringTransport::begin_send(std::uint32_t index) noexcept {
  connections_[index].wants_send = false;
  Outgoing& out = outgoing_[index];
  iovec* const parts = &out.parts[out.first];
  const std::uint32_t count = out.count - out.first;
  // Where the kernel honours MSG_WAITALL it continues partial sends by itself; for sockets that
  // it protects it knows no such flag.
  const Connection& connection = connections_[index];
  const unsigned flags = connection.is_protected ? MSG_NOSIGNAL : MSG_NOSIGNAL | MSG_WAITALL;
  io_uring_sqe* const entry = ring_.entry();
  if (count == 1 && connection.record_type == 0) {
    io_uring_prep_send(entry, 0, parts->iov_base, parts->iov_len, static_cast<int>(flags));
  } else {
    out.message = {};
    out.message.msg_iov = parts;
    out.message.msg_iovlen = count;
    if (connection.record_type != 0) out.name_record(connection.record_type);
    io_uring_prep_sendmsg(entry, 0, &out.message, flags);
  }
  begin(Op::send, index, entry);
}

void UringTransport::begin_close(std::uint32_t index) noexcept {
  Connection& connection = connections_[index];
  connection.in_flight |= bit(Op::close);
  io_uring_sqe* const entry = ring_.entry();
  if (!connection.has_file) {
    io_uring_prep_nop(entry);
  } else if (published_) {
    if (connection.fd >= 0) ::close(std::exchange(connection.fd, -1));
    io_uring_prep_close_direct(entry, index);
  } else {
    io_uring_prep_close(entry, std::exchange(connection.fd, -1));
  }
  io_uring_sqe_set_data64(entry, tag(Op::close, index, connection.generation));
}

/// Asks an operation to end early; it still answers, late bytes included.
void UringTransport::cancel(Op op, std::uint32_t index) noexcept {
  Connection& connection = connections_[index];
  if ((connection.in_flight & ~connection.cancelled & bit(op)) == 0) return;
  connection.cancelled |= bit(op);
  io_uring_sqe* const entry = ring_.entry();
  io_uring_prep_cancel64(entry, tag(op, index, connection.generation), 0);
  if (published_) entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(entry, tag(Op::cancel, index, connection.generation));
}

/// It has something to report that no completion of the kernel's will bring.
void UringTransport::list(std::uint32_t index) noexcept {
  Connection& connection = connections_[index];
  if (connection.listed) return;
  connection.listed = true;
  ready_.push_back(index);  // within the capacity reserved at start
}

/// Returns how long poll may wait without missing a retry.
Duration UringTransport::arm_listeners(Duration wait) noexcept {
  for (std::uint32_t i = 0; i < listeners_.size(); ++i) {
    Listener& listener = listeners_[i];
    if (listener.fd < 0 || listener.armed == !listener.stopped || !ring_.has_room(1)) continue;
    if (listener.stopped) {
      stop(i);
    } else if (listener.retry_at > now_.monotonic) {
      wait = std::min(wait, listener.retry_at - now_.monotonic);
    } else {
      arm(i);
    }
  }
  return wait;
}

void UringTransport::arm(std::uint32_t listener) noexcept {
  io_uring_sqe* const entry = ring_.entry();
  const int fd = listeners_[listener].fd;
  if (features().modern_sockets) {
    io_uring_prep_multishot_accept(entry, fd, nullptr, nullptr, SOCK_CLOEXEC);
  } else {
    io_uring_prep_accept(entry, fd, nullptr, nullptr, SOCK_CLOEXEC);
  }
  io_uring_sqe_set_data64(entry, tag(Op::accept, listener, 0));
  listeners_[listener].armed = true;
}

/// Its last answer closes the listener (on_accept).
void UringTransport::stop(std::uint32_t listener) noexcept {
  io_uring_sqe* const entry = ring_.entry();
  io_uring_prep_cancel64(entry, tag(Op::accept, listener, 0), 0);
  io_uring_sqe_set_data64(entry, tag(Op::cancel, 0, no_generation));
}

void UringTransport::arm_wake_event() noexcept {
  if (wake_armed_ || !ring_.has_room(1)) return;
  io_uring_sqe* const entry = ring_.entry();
  io_uring_prep_read(entry, wake_event_.fd(), wake_event_.count(), sizeof(std::uint64_t), 0);
  io_uring_sqe_set_data64(entry, tag(Op::wake, 0, 0));
  wake_armed_ = true;
}

void UringTransport::starve(std::uint32_t index) noexcept {
  Connection& connection = connections_[index];
  connection.starved = true;
  connection.starved_previous = starved_last_;
  connection.starved_next = none;
  (starved_last_ == none ? starved_first_ : connections_[starved_last_].starved_next) = index;
  starved_last_ = index;
  counters_.starvations.add();
}

void UringTransport::unstarve(std::uint32_t index) noexcept {
  Connection& connection = connections_[index];
  const std::uint32_t previous = connection.starved_previous;
  const std::uint32_t next = connection.starved_next;
  (previous == none ? starved_first_ : connections_[previous].starved_next) = next;
  (next == none ? starved_last_ : connections_[next].starved_previous) = previous;
  connection.starved = false;
}

/// Those that waited longest go on, no more of them than there are buffers.
void UringTransport::feed_starved() noexcept {
  std::size_t buffers = published_ ? published_->count() : pool_.receivable_count();
  for (; starved_first_ != none && buffers > 0; --buffers) {
    const std::uint32_t index = starved_first_;
    unstarve(index);
    mark(index);
  }
}

void UringTransport::read_clocks() noexcept {
  now_ = {.monotonic = {read_clock(CLOCK_MONOTONIC)}, .wall = {read_clock(CLOCK_REALTIME)}};
}

}  // namespace sluice::dataplane
