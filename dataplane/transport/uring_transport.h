// The transport on io_uring: what the gateway runs on.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/transport/backlog.h"
#include "dataplane/transport/kernel_tls.h"
#include "dataplane/transport/published_buffers.h"
#include "dataplane/transport/splice_table.h"
#include "dataplane/transport/transport.h"
#include "dataplane/transport/transport_counters.h"
#include "dataplane/transport/uring_ring.h"
#include "dataplane/transport/wake_event.h"

namespace sluice::dataplane {

/// Fixed at start; nothing grows afterwards.
struct UringOptions {
  std::uint32_t connections_max = 4096;         ///< 1 to 2^24, clients and targets together.
  std::size_t buffer_bytes = 64 * 1024 * 1024;  ///< The whole pool.
  unsigned ring_entries = 1024;                 ///< Submissions per crossing.
  unsigned published_buffers = 256;             ///< Offered to the kernel at a time.
  std::uint16_t splices_max = 64;               ///< At once.
  bool plain = false;                           ///< Only what Linux 5.11 has; for tests.
  bool huge_pages = false;                      ///< Advise huge pages for the pool.
  /// What the kernel may be asked to protect. Where it is there, each connection keeps a
  /// descriptor beside its entry in the ring's file table, by which it can be asked.
  KernelTls kernel_tls{};
};

/// Keeps a Transport's promises (transport.h). Made on any thread; the thread
/// of the first poll owns it from then on.
///
/// Public calls only note what is wanted. poll() turns that into submissions
/// (`advance`), so that a call can be taken back before it costs anything and a
/// full submission queue delays work instead of losing it.
///
/// Receiving is multishot while messages are small: nothing to submit for the
/// next one. But a multishot receive cannot be held to a number of buffers, and
/// a cancellation misses it while the kernel has it queued to go on. So one that
/// overruns puts its buffers into a backlog, and the connection changes to one
/// buffer per submission until its messages are small again: memory held for a
/// slow reader stays bounded.
class UringTransport {
 public:
  static Result<std::unique_ptr<UringTransport>> make(const UringOptions& options);
  UringTransport(const UringTransport&) = delete;
  UringTransport& operator=(const UringTransport&) = delete;
  ~UringTransport();

  /// Listens on an address; its clients come with `listener`. Before the first poll.
  Result<void> listen(const Endpoint& endpoint, std::uint16_t listener);
  /// Takes over a socket that listens already.
  void listen_on(int fd, std::uint16_t listener);
  /// Where a listener really is, for one that asked for port 0.
  [[nodiscard]] Result<Endpoint> local_endpoint(std::uint16_t listener) const;
  void stop_accepting() noexcept;

  ConnId connect(const Endpoint& peer) noexcept;
  void receive(ConnId id) noexcept;
  void pause(ConnId id) noexcept;
  void send(ConnId id, std::span<const Slice> slices) noexcept;
  void splice(ConnId from, ConnId to, std::uint64_t size_bytes) noexcept;
  [[nodiscard]] const KernelTls* kernel_tls(ConnId id) noexcept;
  [[nodiscard]] int protect(ConnId id, const KernelTlsKeys& keys) noexcept;
  void send_record(ConnId id, std::uint8_t type, Slice content) noexcept;
  [[nodiscard]] int receive_protected(ConnId id, const KernelTlsKeys& keys) noexcept;
  [[nodiscard]] KernelTlsRecord take_record(ConnId id, ByteSpan content) noexcept;
  [[nodiscard]] std::size_t splices_free() const noexcept { return splices_.free_count(); }
  void shutdown(ConnId id) noexcept;
  void close(ConnId id) noexcept;
  std::size_t poll(std::span<Completion> done, Duration wait) noexcept;

  [[nodiscard]] Now now() const noexcept { return now_; }
  [[nodiscard]] BufferPool& pool() noexcept { return pool_; }
  [[nodiscard]] std::uint32_t connections_max() const noexcept { return connections_max_; }
  [[nodiscard]] Waker& waker() noexcept { return wake_event_; }
  [[nodiscard]] const TransportCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] const UringFeatures& features() const noexcept { return ring_.features(); }
  /// Slots of the pool that the kernel holds.
  [[nodiscard]] std::size_t buffers_lent() const noexcept;
  [[nodiscard]] std::uint32_t connections_open() const noexcept;

 private:
  /// What a completion answers. Those before `accept` can be in flight for a
  /// connection and are numbered to make bits.
  enum class Op : std::uint8_t {
    connect,
    receive,
    readable,  ///< Plain path and splices: bytes wait to be taken.
    send,
    shutdown,
    close,
    writable,  ///< Splices: there is room for bytes.
    install,   ///< Splices: a descriptor for calls outside of the ring.
    accept,
    wake,
    cancel,
  };

  struct Connection {
    std::uint32_t generation = 1;
    int fd = -1;    ///< Plain path, where there is no file table; or kept for the kernel's TLS.
    int error = 0;  ///< Why connecting could not even begin.
    std::uint8_t in_flight = 0;  ///< Bits of Op.
    std::uint8_t cancelled = 0;  ///< Bits of Op: asked to end early.
    bool in_use = false;
    bool has_file = false;
    bool wants_connect = false;
    bool wants_receive = false;
    bool wants_send = false;
    bool wants_shutdown = false;
    bool connected = false;
    bool ended = false;        ///< The peer will send no more.
    bool is_readable = false;  ///< Plain path.
    bool failed = false;
    bool closing = false;
    bool dirty = false;
    bool starved = false;
    bool listed = false;           ///< In `ready_`.
    bool bulk = false;             ///< One receive per submission, into many slots where it can.
    bool multishot = false;        ///< The receive in flight goes on by itself.
    bool socket_empty = false;     ///< As far as the last receive could tell.
    bool end_waits = false;        ///< The end was seen, behind a backlog or a pause.
    int end_result = 0;            ///< 0 or a negative errno.
    bool is_protected = false;     ///< The kernel makes TLS records of what is sent.
    bool opens_records = false;    ///< It opens those that come.
    std::uint8_t record_type = 0;  ///< Of the send that is next or in flight; 0: application_data.
    std::uint8_t small_receives = 0;
    std::uint8_t turn_receives = 0;  ///< Reported in turn `turn`.
    std::uint32_t turn = 0;
    Backlog backlog{};
    Backlog filling{};  ///< Slots that a receive in flight was given.
    std::uint32_t starved_previous = 0;
    std::uint32_t starved_next = 0;
    SpliceTable::Index splice = SpliceTable::none;  ///< That it is an end of.
  };

  /// What the kernel reads while a send or connect is in flight.
  struct Outgoing {
    std::array<iovec, slices_per_send_max> parts;
    msghdr message;
    alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(std::uint8_t))> control;
    Endpoint peer;
    std::uint32_t first = 0;  ///< Parts before it went out.
    std::uint32_t count = 0;
    std::size_t left_bytes = 0;
    std::size_t total_bytes = 0;

    /// The message is the content of a TLS record of that type.
    void name_record(std::uint8_t type) noexcept;
  };

  /// What the kernel reads when it is given slots to receive into.
  struct Incoming {
    std::array<iovec, receives_per_turn_max> parts;
    msghdr message;
  };

  struct Listener {
    int fd = -1;
    std::uint16_t index = 0;
    bool armed = false;
    bool stopped = false;
    Instant retry_at{};  ///< After a failure of the kernel's.
  };

  UringTransport(const UringOptions& options, UringRing ring, BufferPool pool, int wake_fd);

  static std::uint64_t tag(Op op, std::uint32_t index, std::uint32_t generation) noexcept;
  static std::uint8_t bit(Op op) noexcept {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(op));
  }

  // uring_transport.cc: from wishes to submissions.
  [[nodiscard]] Connection* find(ConnId id) noexcept;
  [[nodiscard]] std::optional<std::uint32_t> claim() noexcept;
  [[nodiscard]] int place(std::uint32_t index, int fd) noexcept;
  void mark(std::uint32_t index) noexcept;
  [[nodiscard]] bool advance_all() noexcept;
  void advance(std::uint32_t index) noexcept;
  void advance_receiving(std::uint32_t index) noexcept;
  void advance_closing(std::uint32_t index) noexcept;
  void begin(Op op, std::uint32_t index, io_uring_sqe* entry) noexcept;
  void begin_connect(std::uint32_t index) noexcept;
  void begin_receive(std::uint32_t index) noexcept;
  void begin_plain_receive(std::uint32_t index) noexcept;
  [[nodiscard]] bool begin_filling(std::uint32_t index) noexcept;
  [[nodiscard]] std::size_t slots_to_fill(const Connection& connection) const noexcept;
  void begin_send(std::uint32_t index) noexcept;
  void begin_close(std::uint32_t index) noexcept;
  void cancel(Op op, std::uint32_t index) noexcept;
  void list(std::uint32_t index) noexcept;
  [[nodiscard]] Duration arm_listeners(Duration wait) noexcept;
  void arm(std::uint32_t listener) noexcept;
  void stop(std::uint32_t listener) noexcept;
  void arm_wake_event() noexcept;
  void starve(std::uint32_t index) noexcept;
  void unstarve(std::uint32_t index) noexcept;
  void feed_starved() noexcept;
  void read_clocks() noexcept;

  // uring_splice.cc: from socket to socket.
  [[nodiscard]] Splice* splice_from(std::uint32_t index) noexcept;
  [[nodiscard]] bool is_spliced_to(std::uint32_t index) noexcept;
  [[nodiscard]] bool advance_splice(std::uint32_t index) noexcept;
  void install(std::uint32_t index) noexcept;
  void on_install(std::uint32_t index, int result) noexcept;
  void begin_splice(Splice& splice, int from_fd, int to_fd) noexcept;
  void await_splice(const Splice& splice) noexcept;
  bool run_splice(std::uint32_t index, Completion& out) noexcept;
  void end_source(SpliceTable::Index number, int result) noexcept;
  void end_splice(SpliceTable::Index number) noexcept;

  // uring_completions.cc: from the kernel's answers to completions. Each fills
  // `out` and returns true when there is something to report.
  bool take_in(const io_uring_cqe& answer, Completion& out) noexcept;
  bool on_accept(Listener& listener, int result, bool more, Completion& out) noexcept;
  bool on_connect(std::uint32_t index, int result, Completion& out) noexcept;
  bool on_receive(std::uint32_t index, const io_uring_cqe& answer, Completion& out) noexcept;
  void on_filled(std::uint32_t index, std::size_t size_bytes) noexcept;
  bool on_received(std::uint32_t index, BacklogTable::Entry entry, Completion& out) noexcept;
  void note_size(Connection& connection, std::size_t size_bytes) noexcept;
  [[nodiscard]] bool may_report(Connection& connection) noexcept;
  std::size_t report_backlogs(std::span<Completion> done) noexcept;
  bool report_backlog(std::uint32_t index, Completion& out) noexcept;
  void report_received(std::uint32_t index, BacklogTable::Entry entry, Completion& out) noexcept;
  bool report_end(std::uint32_t index, int result, Completion& out) noexcept;
  void drop_backlog(std::uint32_t index) noexcept;
  void on_cancel_missed(std::uint32_t index, std::uint32_t generation) noexcept;
  bool on_receive_end(std::uint32_t index, int result, Completion& out) noexcept;
  bool on_send(std::uint32_t index, int result, Completion& out) noexcept;
  bool on_close(std::uint32_t index, Completion& out) noexcept;
  bool fail(std::uint32_t index, int error, Completion& out) noexcept;
  [[nodiscard]] Completion report(Completion::Kind kind, std::uint32_t index) const noexcept;

  // The ring goes first: the kernel must be done with what the others hold.
  BufferPool pool_;
  WakeEvent wake_event_;
  std::optional<PublishedBuffers> published_;
  std::vector<Connection> connections_;
  std::vector<Outgoing> outgoing_;
  BacklogTable backlogs_;
  SpliceTable splices_;
  UringRing ring_;

  std::vector<std::uint32_t> free_;   ///< Last closed, first used.
  std::vector<std::uint32_t> freed_;  ///< Closed by the last poll; free from the next on.
  std::vector<std::uint32_t> dirty_;  ///< Connections whose wishes changed.
  std::vector<std::uint32_t> ready_;  ///< Connections with something to report from before.
  std::vector<Listener> listeners_;
  std::vector<Incoming> incoming_;  ///< Of entries that the kernel has not taken yet.
  std::uint32_t starved_first_ = 0;
  std::uint32_t starved_last_ = 0;
  std::uint32_t connections_max_;
  KernelTls kernel_tls_;
  bool wake_armed_ = false;
  Now now_{};
  TransportCounters counters_;
};

}  // namespace sluice::dataplane
