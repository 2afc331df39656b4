// The seam between the loop and the world: submit now, collect later.
#pragma once

#include <netinet/in.h>

#include <concepts>
#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "dataplane/transport/buffer_pool.h"
#include "dataplane/transport/kernel_tls.h"

namespace sluice::dataplane {

/// Names a connection beyond a call: a stale one no longer matches its slot.
struct ConnId {
  std::uint32_t index = 0xFFFFFFFF;
  std::uint32_t generation = 0;
  auto operator<=>(const ConnId&) const = default;
};

/// An IPv4 or IPv6 address with port, as the kernel takes it.
struct Endpoint {
  union {
    sockaddr generic;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  socklen_t size_bytes = 0;
};
/// "192.0.2.7:8080" or "[2001:db8::1]:8080".
Result<Endpoint> parse_endpoint(const std::string& host, std::uint16_t port);
/// address  4 or 16 bytes in network order.
Endpoint endpoint(ByteView address, std::uint16_t port) noexcept;
std::string text(const Endpoint& endpoint);
/// The address alone, 4 or 16 bytes in network order; none for other families. Dies with
/// `endpoint`.
ByteView address_bytes(const Endpoint& endpoint) noexcept;
/// Whose attempts are counted together: an address, but of IPv6 its network, of which one host has
/// all addresses (RFC 4291 §2.5.1). Points into `endpoint`.
ByteView source_of(const Endpoint& endpoint) noexcept;

/// Bytes to send. They stay untouched until the send's completion.
struct Slice {
  const std::uint8_t* data = nullptr;
  std::uint32_t size_bytes = 0;
};
inline constexpr std::size_t slices_per_send_max = 16;

/// Buffers that one connection can be handed in one turn. Whoever queues them
/// pauses while there is still room for so many.
inline constexpr unsigned receives_per_turn_max = 8;

struct Completion {
  enum class Kind : std::uint8_t {
    accepted,     ///< `conn` is new, on `listener`, from `peer`. Receiving has not begun.
    connected,    ///< connect() succeeded.
    secured,      ///< A TLS handshake is over (dataplane/tls/secure_transport.h).
    received,     ///< `size_bytes` at pool.data(buffer); the loop now owns one hold on it.
    peer_closed,  ///< The peer will send no more. Sending may still work.
    sent,         ///< The whole send is over; its slices are free.
    spliced,      ///< `size_bytes` of what `conn` sent have gone to where it is spliced.
    record,       ///< Behind receive_protected: one of another type is to be taken (take_record).
    failed,       ///< `error` (errno). Connect, receive or send failed; close it.
    closed,  ///< After close(): nothing is in flight any more, slices are free, the id is dead.
    woken,   ///< Waker::wake was called.
  };
  Kind kind = Kind::woken;
  std::uint16_t listener = 0;
  BufferId buffer = no_buffer;
  std::uint32_t size_bytes = 0;
  int error = 0;
  ConnId conn;
  Endpoint peer;
};

/// Thread-safe: makes the transport's poll return.
class Waker {
 public:
  virtual ~Waker() = default;
  virtual void wake() noexcept = 0;
};

/// What a transport offers. One worker owns it and calls from one thread.
///
/// receive  starts or resumes reading; completions follow until pause, peer_closed or failed,
///          at most receives_per_turn_max `received` of one connection per poll.
/// pause    stops reading: later polls report neither `received` nor `peer_closed` until
///          receive. What the same poll had reported already still counts.
/// send     at most one in flight per connection and at most slices_per_send_max
///          slices; completes once, when every byte went out.
/// splice   the next `size_bytes` from one connection may go to another as they are, inside the
///          kernel: each `spliced` tells how many did. Ends when all have, or with the first
///          `received`, `peer_closed` or `failed` of the one it is from; until then it is only
///          a permission, which may come to nothing, and nothing else is sent to the other.
///          To be asked when nothing is being sent there, and all that was polled of the one is
///          counted. A connection is in one at a time.
/// shutdown no more sends: the peer sees the end after what was sent (FIN).
/// close    always answered by one `closed`; later polls report nothing else of the id, and
///          calls with it are ignored. Its index is given out again by a later poll at the
///          earliest, so within a batch an index names one connection.
/// poll     submits what is pending, waits at most `wait` for something to
///          report, and fills `done`. Calls the kernel once.
/// Some kernels can protect what is sent (KernelTlsTransport):
/// kernel_tls   what the kernel would do for this connection; null: nothing.
/// protect      from now on what is sent leaves as TLS records, keys as kernel_tls takes them.
///              Once, when nothing is being sent. Returns 0 or an errno: close it then.
/// send_record  like a send, of one record of another type than application_data.
/// receive_protected  from now on what comes are TLS records, and `received` brings their content.
///              Behind protect, when all that was reported ended with a record: `keys` are those
///              of the next. Returns 0; EAGAIN: more was taken off the socket than was reported,
///              ask after a later poll; another errno: it cannot be had, all is as it was.
///              `failed` with EBADMSG, EMSGSIZE or EINVAL: what came is no record of these keys.
/// take_record  the one that `record` told of, before the next poll.
/// When the pool is empty, receiving stalls and goes on when buffers return.
/// When the connection table is full, new clients are closed at once and counted.
template <class T>
concept Transport = requires(T t, ConnId id, const Endpoint& peer, std::span<const Slice> slices,
                             std::span<Completion> done, Duration wait, std::uint64_t size_bytes) {
  { t.connect(peer) } -> std::same_as<ConnId>;  // index 0xFFFFFFFF: table full
  t.receive(id);
  t.pause(id);
  t.send(id, slices);
  t.splice(id, id, size_bytes);
  { t.splices_free() } -> std::same_as<std::size_t>;  // 0 also where there can be none
  t.shutdown(id);
  t.close(id);
  { t.poll(done, wait) } -> std::same_as<std::size_t>;
  { t.now() } -> std::same_as<Now>;
  { t.pool() } -> std::same_as<BufferPool&>;
  { t.connections_max() } -> std::convertible_to<std::uint32_t>;
  { t.waker() } -> std::same_as<Waker&>;
  t.stop_accepting();
};

template <class T>
concept KernelTlsTransport = Transport<T> &&
    requires(T t, ConnId id, const KernelTlsKeys& keys, std::uint8_t type, Slice content,
             ByteSpan room) {
  { t.kernel_tls(id) } -> std::same_as<const KernelTls*>;
  { t.protect(id, keys) } -> std::same_as<int>;
  t.send_record(id, type, content);
  { t.receive_protected(id, keys) } -> std::same_as<int>;
  { t.take_record(id, room) } -> std::same_as<KernelTlsRecord>;
};

}  // namespace sluice::dataplane
