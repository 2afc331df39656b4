// A transport whose connections may speak TLS: whoever is above sees plaintext, the transport
// below moves ciphertext.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/metrics.h"
#include "dataplane/tls/secure_connection.h"
#include "dataplane/transport/transport.h"

namespace sluice::dataplane {

/// Steps of handshakes that one turn takes; the others wait for the next ones. A signature is a
/// tenth of a millisecond (P-256) to one (RSA), which connections that stand would wait for.
inline constexpr unsigned handshake_steps_per_turn_max = 16;

/// A peer of TLS 1.2 that has said so much in one go, without a pause behind a record, is not
/// waited for any more: the kernel does not open what it says.
inline constexpr std::uint64_t records_before_kernel_max = 64;

/// Keeps the promises of a Transport (transport.h) for connections in clear and for secured
/// ones. What it adds:
///
/// secure    from now on the connection speaks TLS: as a server or towards one, as its context
///           says. Asked once, when nothing is being sent; plaintext may have gone both ways
///           before. Answered by one `secured`, or by `failed`. Until then nothing is asked of
///           it but `close`. What the same poll had reported of it already came in clear:
///           whoever asked refuses that, or somebody on the way could put words into the
///           peer's mouth (CVE-2021-23214). What came behind it is taken for TLS.
/// failed    with EPROTO: the TLS in it failed, `stream` knows why. With ECONNRESET: the
///           peer's end came without its saying so; what was received may be cut off.
/// peer_closed  the peer has said so inside of TLS.
/// shutdown  says so (close_notify), and sends no more.
/// close     as it is: the peer can tell that more was to come, unless shutdown was called.
///           An alert or close_notify is given a moment to go out.
/// kernel    where the transport below can protect what is sent (KernelTlsTransport), it does
///           from the handshake's end on, and plaintext is sent from where it lies. In TLS 1.2
///           plaintext is received, too, from the first moment behind the handshake in which
///           nothing of the peer's lies here.
/// splice    comes to nothing: what goes on must be encrypted.
template <Transport T>
class SecureTransport {
 public:
  /// below    outlives it; all its calls go through here.
  SecureTransport(T& below, TlsMetrics& as_server, TlsMetrics& as_client);
  SecureTransport(const SecureTransport&) = delete;
  SecureTransport& operator=(const SecureTransport&) = delete;
  ~SecureTransport() = default;

  /// peer_name  see TlsStream.
  void secure(ConnId id, std::shared_ptr<const TlsContext> context,
              const std::string& peer_name = {});
  /// What came in clear behind whatever asked for TLS, and belongs to it: a ClientHello that
  /// came with a PROXY header. Takes over one hold.
  void take_in(ConnId id, BufferId buffer, std::uint32_t size_bytes);
  /// Null for a connection in clear. Lives until `closed`.
  [[nodiscard]] const TlsStream* stream(ConnId id) noexcept;

  ConnId connect(const Endpoint& peer) { return below_.connect(peer); }
  void receive(ConnId id);
  void pause(ConnId id);
  void send(ConnId id, std::span<const Slice> slices);
  void splice(ConnId from, ConnId to, std::uint64_t size_bytes);
  [[nodiscard]] std::size_t splices_free() const noexcept { return below_.splices_free(); }
  void shutdown(ConnId id);
  void close(ConnId id);
  std::size_t poll(std::span<Completion> done, Duration wait);

  [[nodiscard]] Now now() const noexcept { return below_.now(); }
  [[nodiscard]] BufferPool& pool() noexcept { return below_.pool(); }
  [[nodiscard]] std::uint32_t connections_max() const noexcept { return below_.connections_max(); }
  [[nodiscard]] Waker& waker() noexcept { return below_.waker(); }
  void stop_accepting() { below_.stop_accepting(); }

 private:
  struct Secured {
    Secured(ConnId name, TlsRoom& room, std::shared_ptr<const TlsContext> context,
            const std::string& peer_name, TlsMetrics& counts)
        : id(name), link(room, std::move(context), peer_name), metrics(counts) {}

    ConnId id;
    SecureConnection link;
    TlsMetrics& metrics;
    std::uint64_t turn = 0;
    unsigned turn_receives = 0;     ///< Reported in turn `turn`.
    int error_below = 0;            ///< What the transport below failed with.
    bool is_listed = false;         ///< In ready_.
    bool has_shaken_hands = false;  ///< `secured` or `failed` was reported.
    bool wants_receive = false;
    bool receives_below = true;
    bool has_ended_below = false;
    bool has_told_end = false;
    bool has_told_failure = false;
    bool wants_shutdown = false;
    bool is_shut_below = false;
    bool is_closing = false;
  };
  /// What looking at a connection came to.
  enum class Look : std::uint8_t {
    reported,
    idle,
    again,  ///< It has more, for the next turn.
  };
  /// Closed above, with something left to say.
  struct Parting {
    ConnId id;
    Instant until;
  };

  [[nodiscard]] Secured* find(ConnId id) noexcept;
  void list(Secured& secured);
  [[nodiscard]] bool absorb(const Completion& completion);
  std::size_t report_ready(std::span<Completion> done);
  [[nodiscard]] Look look(Secured& secured, Completion& out);
  [[nodiscard]] Look look_at_handshake(Secured& secured, Completion& out);
  [[nodiscard]] bool take_handshake_step() noexcept;
  [[nodiscard]] Look look_at_input(Secured& secured, Completion& out);
  [[nodiscard]] bool may_receive(Secured& secured) noexcept;
  void set_receiving_below(Secured& secured, bool wanted);
  void flush(Secured& secured);
  void place_key(Secured& secured);
  void place_received_key(Secured& secured);
  void take_record(Secured& secured);
  void send_below(Secured& secured, std::span<const Slice> slices, std::uint8_t record_type);
  void finish_closing(Secured& secured);
  void close_late();
  void forget(Secured& secured);
  static Look tell(Completion& out, Completion::Kind kind, Secured& secured);
  static Look tell_failure(Completion& out, int error, Secured& secured);

  T& below_;
  TlsMetrics& as_server_;
  TlsMetrics& as_client_;
  TlsRoom room_;
  std::vector<std::unique_ptr<Secured>> secured_;  ///< By index; null: in clear.
  std::size_t count_ = 0;
  std::vector<ConnId> ready_;  ///< To be looked at.
  std::vector<Parting> partings_;
  std::uint64_t turn_ = 0;
  unsigned turn_handshake_steps_ = 0;
  bool has_deferred_ = false;  ///< Handshakes wait for the next turn.
};

}  // namespace sluice::dataplane
