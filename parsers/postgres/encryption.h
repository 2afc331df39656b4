// What is said in clear before a connection is encrypted: the request for it, and its answer.
//
// source   PostgreSQL manual, "SSL Session Encryption", "GSSAPI Session Encryption".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace sluice::postgres {

/// An SSLRequest, and the length of a GSSENCRequest, too.
inline constexpr std::array<std::uint8_t, 8> ssl_request_packet{0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F};

// The whole answer to either request.
inline constexpr std::uint8_t encryption_accepted = 'S';
inline constexpr std::uint8_t encryption_refused = 'N';

/// How a client begins.
enum class Opening : std::uint8_t {
  needs_more,
  direct_tls,      ///< With TLS at once: a handshake record, as no packet in clear begins.
  ssl_request,     ///< It takes ssl_request_packet.size() bytes.
  gssenc_request,  ///< Likewise.
  in_clear,        ///< With any other packet, or with none at all.
};

/// in       what came of the connection's beginning; may end anywhere.
/// returns  decided by ssl_request_packet.size() bytes at the latest. What is behind a request was
/// sent
///          before its answer: the caller must refuse it (CVE-2021-23214).
[[nodiscard]] Opening decode_opening(ByteView in) noexcept;

/// How a server takes an SSLRequest.
enum class EncryptionAnswer : std::uint8_t {
  accepted,
  refused,  ///< It speaks no TLS. An error says the same: older servers do not know the request.
  early,    ///< More came with its consent, which somebody on the way may have put there
            ///< (CVE-2021-23222).
  malformed,
};
/// in  what came; at least one byte.
[[nodiscard]] EncryptionAnswer decode_encryption_answer(ByteView in) noexcept;

}  // namespace sluice::postgres
