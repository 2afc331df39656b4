// One end of one TLS connection: bytes in, bytes out. It knows no socket and no clock, keeps
// no plaintext of its own beyond one record, and calls nobody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "audit/sha256.h"
#include "base/bytes.h"
#include "dataplane/tls/openssl.h"
#include "dataplane/tls/record_count.h"
#include "dataplane/tls/secure_channel.h"
#include "dataplane/tls/tls_context.h"
#include "dataplane/tls/tls_fault.h"
#include "dataplane/transport/kernel_tls.h"

namespace sluice::dataplane {

/// Most plaintext in one record (RFC 8446 §5.1).
inline constexpr std::size_t tls_record_bytes_max = 16 * 1024;
/// What a record adds to it, at most, and a KeyUpdate that goes before it.
inline constexpr std::size_t tls_overhead_bytes_max = 256;
/// What a session ticket adds that goes before it: a sealed session, with the client's name for
/// the server (RFC 8446 §4.6.1).
inline constexpr std::size_t tls_ticket_bytes_max = 1024;

/// Room for ciphertext; the stream puts it behind what is there.
struct TlsOutput {
  ByteSpan room;
  std::size_t size_bytes = 0;
  /// Not 0: the bytes are the content of a record of this type, and the kernel makes the record.
  std::uint8_t record_type = 0;
  [[nodiscard]] std::size_t left_bytes() const noexcept { return room.size() - size_bytes; }
  [[nodiscard]] ByteView bytes() const noexcept { return room.first(size_bytes); }
};

/// The same bytes give the same plaintext, wherever they are split.
class TlsStream {
 public:
  /// peer_name  towards a target: the DNS name or IP address that its certificate must be for,
  ///            and, a DNS name only, that it is asked for (RFC 6066 §3). Else empty.
  explicit TlsStream(std::shared_ptr<const TlsContext> context, const std::string& peer_name = {});
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  ~TlsStream();

  /// Before anything else: keys may be given to the kernel, if it takes them.
  void offer_to_kernel(const KernelTls& kernel) noexcept;
  /// Has been given: nothing is written until what was written before has left, the kernel has
  /// the key, and key_is_placed was called. Null: the stream encrypts by itself, or it is done.
  [[nodiscard]] const KernelTlsKeys* key_for_kernel() const noexcept {
    return key_ ? &*key_ : nullptr;
  }
  /// From now on plaintext is sent as it is, and what the protocol says by itself is one record's
  /// content at a time (TlsOutput::record_type).
  void key_is_placed() noexcept;
  [[nodiscard]] bool is_kernels() const noexcept { return kernel_state_ == KernelState::placed; }

  /// The key of what is received is kept for the kernel: TLS 1.2 only.
  [[nodiscard]] bool has_received_key() const noexcept { return received_key_.has_value(); }
  /// As the kernel takes it here and now. Nothing: not open yet, the peer is inside of a record,
  /// or what it said before was not read.
  [[nodiscard]] std::optional<KernelTlsKeys> received_key() const noexcept;
  /// Records that it is about, and that the stream has taken itself.
  [[nodiscard]] std::uint64_t received_records() const noexcept { return records_.whole(); }
  /// From now on plaintext is received, and of what comes only hear() is told.
  void received_key_is_placed() noexcept;
  /// The stream goes on by itself.
  void forget_received_key() noexcept { received_key_.reset(); }
  [[nodiscard]] bool is_opened_by_kernel() const noexcept { return is_opened_by_kernel_; }
  /// The content of a record of another type than application_data, opened by the kernel. Any but
  /// close_notify is the end of it: a renegotiation is refused, and a kernel knows no other keys.
  void hear(std::uint8_t type, ByteView content) noexcept;

  enum class State : std::uint8_t {
    handshake,
    open,
    failed,  ///< See fault(). An alert that says so may be in the output.
  };
  [[nodiscard]] State state() const noexcept { return state_; }
  [[nodiscard]] const TlsFailure& failure() const noexcept { return failure_; }
  /// SHA-256 of the client's certificate that was refused; nothing: none was.
  [[nodiscard]] const std::optional<audit::Hash>& refused() const noexcept { return refused_; }
  /// For the context, while it verifies the peer.
  void note_refused(const X509* certificate) noexcept;
  /// The peer has said that it will send no more (close_notify). An end of the connection
  /// below without it is a truncation.
  [[nodiscard]] bool has_peer_ended() const noexcept { return has_peer_ended_; }
  /// What comes behind the peer's end, or a failure, is nothing.
  [[nodiscard]] bool is_over() const noexcept { return has_peer_ended_ || state_ == State::failed; }

  struct Read {
    std::size_t taken_bytes = 0;  ///< Of `in`; less than all when `plain` or `out` is full.
    std::size_t plain_bytes = 0;
  };
  /// Takes the peer's ciphertext. What the protocol answers by itself goes to `out`; a client's
  /// first flight is the answer to nothing.
  /// plain  for decrypted bytes; may be empty, and then the handshake goes on and no more.
  Read read(ByteView in, ByteSpan plain, TlsOutput& out) noexcept;
  /// Decrypted bytes wait inside for room.
  [[nodiscard]] bool has_plaintext() const noexcept;

  /// Makes one record of at most tls_record_bytes_max. Only while open, and not the kernel's.
  /// A client's ticket goes before the first.
  /// returns  how much of `plain` is in it: all, unless it is longer than a record or `out` has
  ///          not tls_overhead_bytes_max more than it, and at first tls_ticket_bytes_max. 0: it
  ///          failed.
  std::size_t write(ByteView plain, TlsOutput& out) noexcept;
  /// Says that no more will be sent (close_notify). Only while open.
  void end(TlsOutput& out) noexcept;
  /// The peer's end came, or no memory is left for it: a handshake has failed.
  void give_up(TlsFault fault) noexcept;

  // What was agreed on, once it is open.
  [[nodiscard]] bool is_server() const noexcept { return context_->is_server(); }
  [[nodiscard]] bool is_tls13() const noexcept;
  [[nodiscard]] bool is_resumed() const noexcept;
  [[nodiscard]] std::string_view cipher() const noexcept;
  [[nodiscard]] std::string_view alpn() const noexcept;
  /// The name that a client asked for; empty when it asked for none.
  [[nodiscard]] std::string_view server_name() const noexcept;
  /// What sessions may know of it.
  [[nodiscard]] SecureChannel channel() const;

 private:
  /// What OpenSSL reads from and writes to, during a call.
  struct Wire {
    ByteView in;
    TlsOutput* out = nullptr;
  };
  struct WireMethod;
  enum class KernelState : std::uint8_t { none, offered, given, placed };

  void expect_peer(const std::string& peer_name);
  /// True when the kernel is to have it.
  [[nodiscard]] bool take_key(const void* crypto_info) noexcept;
  void keep_received_key(const void* crypto_info) noexcept;
  void shake_hands() noexcept;
  [[nodiscard]] bool goes_on(int result) noexcept;

  std::shared_ptr<const TlsContext> context_;
  Wire wire_;
  Openssl<SSL> ssl_;
  State state_ = State::handshake;
  bool has_peer_ended_ = false;
  bool owes_ticket_ = false;
  TlsFailure failure_;
  std::optional<audit::Hash> refused_;
  KernelTls kernel_;
  std::optional<KernelTlsKeys> key_;
  KernelState kernel_state_ = KernelState::none;
  std::uint8_t record_type_ = 0;  ///< Of what OpenSSL writes next, once the key is given.
  std::optional<KernelTlsKeys> received_key_;
  RecordCount records_;  ///< Of what OpenSSL has read with it.
  bool is_opened_by_kernel_ = false;
};

}  // namespace sluice::dataplane
