// Cuts a stream into messages: what comes next, and how long it is.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "parsers/postgres/message.h"

namespace sluice::postgres {

/// A tag and a length.
inline constexpr std::size_t header_bytes = 5;

/// What the server takes, and what it can build: one allocation less its terminator.
inline constexpr std::uint32_t body_bytes_max = 0x3FFFFFFE;

struct Header {
  std::uint8_t tag = 0;
  std::uint32_t body_bytes = 0;  ///< What follows the header; the wire's length less itself.

  /// The tag, as known for the side that was given to decode_header.
  [[nodiscard]] FrontendType frontend() const noexcept { return static_cast<FrontendType>(tag); }
  [[nodiscard]] BackendType backend() const noexcept { return static_cast<BackendType>(tag); }
  [[nodiscard]] std::size_t message_bytes() const noexcept { return header_bytes + body_bytes; }
};

struct HeaderStep {
  enum class Kind : std::uint8_t { needs_more, header, malformed };
  Kind kind = Kind::needs_more;
  Fault fault = Fault::none;
  Header header;
};

/// The header of the message at the beginning of `in`.
///
/// sender   who sent `in`.
/// in       unread bytes, oldest first; may end anywhere. Nothing is consumed: a
///          header takes header_bytes.
/// limits   each kind's own, checked before its body is awaited: a message without
///          a body has none, a row may have up to body_bytes_max. What the caller
///          has room for is for the caller to compare.
/// errors   unknown_message (at the first byte), bad_length.
/// source   PostgreSQL manual, "Message Formats"; bounds as the server and libpq
///          keep them.
[[nodiscard]] HeaderStep decode_header(Side sender, ByteView in) noexcept;

}  // namespace sluice::postgres
