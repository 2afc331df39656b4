// Why a TLS connection came to nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::dataplane {

enum class TlsFault : std::uint8_t {
  none,
  not_tls,      ///< The peer's first bytes are something else, such as a request in clear.
  version,      ///< Neither TLS 1.2 nor 1.3.
  algorithms,   ///< No cipher, group or signature that both know.
  protocol,     ///< ALPN names none that is spoken here.
  untrusted,    ///< The peer's certificate was signed by nobody who is trusted.
  expired,      ///< Or is not valid yet.
  wrong_name,   ///< Its certificate is for somebody else.
  wrong_key,    ///< None of the public keys that it may have.
  wrong_use,    ///< It is for something else, as a server's is in a client's hand.
  revoked,      ///< Its authority has taken it back.
  no_crl,       ///< No revocation list that is good now says whether.
  missing,      ///< A client showed none where one is required.
  alert,        ///< The peer ended it with an alert.
  malformed,    ///< Bytes that TLS does not allow, or that are not the peer's.
  truncated,    ///< The peer's end, without its saying so inside of TLS.
  unreachable,  ///< The connection below broke.
  timeout,      ///< The handshake took too long.
  no_room,      ///< No memory here.
  key_update,   ///< The peer wants new keys on both sides, and the kernel takes one.
  early_bytes,  ///< Bytes came in clear with the request for TLS, or with the consent to it.
  refused,      ///< The target was asked for TLS, and speaks none.
  too_many,     ///< Handshakes of one source.
};
inline constexpr std::size_t tls_faults = 23;

/// As metrics and records name it: "wrong-name".
std::string_view text(TlsFault fault) noexcept;

/// The peer showed a certificate, and it was not accepted.
[[nodiscard]] constexpr bool is_about_certificate(TlsFault fault) noexcept {
  return fault == TlsFault::untrusted || fault == TlsFault::expired ||
         fault == TlsFault::wrong_name || fault == TlsFault::wrong_key ||
         fault == TlsFault::wrong_use || fault == TlsFault::revoked || fault == TlsFault::no_crl ||
         fault == TlsFault::missing;
}
/// What OpenSSL's verdict on a certificate (X509_V_ERR_…) comes to.
TlsFault fault_of_verdict(long verdict) noexcept;
/// Whether a handshake can fail with it; else it comes behind one.
[[nodiscard]] constexpr bool is_of_handshake(TlsFault fault) noexcept {
  return fault != TlsFault::none && fault != TlsFault::key_update;
}

/// What OpenSSL's last error and its verdict on the peer's certificate come to. Empties the
/// thread's queue of errors.
struct TlsFailure {
  TlsFault fault = TlsFault::none;
  /// In OpenSSL's words; lives for ever. Empty when there are none.
  std::string_view detail;
};
TlsFailure take_tls_failure(long verify_result) noexcept;

}  // namespace sluice::dataplane
