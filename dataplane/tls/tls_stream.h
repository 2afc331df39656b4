// One end of one TLS connection: bytes in, bytes out. It knows no socket and no clock, keeps
// no plaintext of its own beyond one record, and calls nobody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "dataplane/tls/openssl.h"
#include "dataplane/tls/tls_context.h"
#include "dataplane/tls/tls_fault.h"

namespace sluice::dataplane {

/// Most plaintext in one record (RFC 8446 §5.1).
inline constexpr std::size_t tls_record_bytes_max = 16 * 1024;
/// What a record adds to it, at most, and a KeyUpdate that goes before it.
inline constexpr std::size_t tls_overhead_bytes_max = 256;

/// Room for ciphertext; the stream puts it behind what is there.
struct TlsOutput {
  ByteSpan room;
  std::size_t size_bytes = 0;
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

  enum class State : std::uint8_t {
    handshake,
    open,
    failed,  ///< See fault(). An alert that says so may be in the output.
  };
  [[nodiscard]] State state() const noexcept { return state_; }
  [[nodiscard]] const TlsFailure& failure() const noexcept { return failure_; }
  /// The peer has said that it will send no more (close_notify). An end of the connection
  /// below without it is a truncation.
  [[nodiscard]] bool has_peer_ended() const noexcept { return has_peer_ended_; }

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

  /// Makes one record of at most tls_record_bytes_max. Only while open.
  /// returns  how much of `plain` is in it: all, unless it is longer than a record or `out` has
  ///          not tls_overhead_bytes_max more than it. 0: it failed.
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

 private:
  /// What OpenSSL reads from and writes to, during a call.
  struct Wire {
    ByteView in;
    TlsOutput* out = nullptr;
  };
  struct WireMethod;

  void expect_peer(const std::string& peer_name);
  void shake_hands() noexcept;
  [[nodiscard]] bool goes_on(int result) noexcept;

  std::shared_ptr<const TlsContext> context_;
  Wire wire_;
  Openssl<SSL> ssl_;
  State state_ = State::handshake;
  bool has_peer_ended_ = false;
  TlsFailure failure_;
};

}  // namespace sluice::dataplane
