// The line or packet by which a proxy in front of us names the client it speaks for.
//
// source   "The PROXY protocol, Versions 1 & 2" (HAProxy, doc/proxy-protocol.txt).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace sluice::proxy_protocol {

/// A whole line of version 1, its end included (§2.1).
inline constexpr std::size_t line_bytes_max = 107;
/// What may follow the sixteen bytes that version 2 begins with: addresses and extensions.
inline constexpr std::size_t packet_body_bytes_max = 2'048;

enum class Fault : std::uint8_t {
  none,
  no_header,           ///< It begins otherwise: who sends it does not speak the protocol.
  bad_line,            ///< Version 1: not in its form, or too long.
  bad_address,         ///< Version 1: no address of its family, or no port.
  bad_version,         ///< Neither 1 nor 2.
  bad_command,         ///< Neither LOCAL nor PROXY.
  unsupported_family,  ///< Neither TCP over IPv4 or IPv6, nor unspecified.
  bad_length,          ///< Too short for its addresses, or beyond packet_body_bytes_max.
  bad_extension,       ///< Extensions that do not fill what they are in.
  bad_checksum,
};
std::string_view text(Fault fault) noexcept;

struct Address {
  std::array<std::uint8_t, 16> bytes{};  ///< In network order; IPv4 has the first four.
  std::uint16_t port = 0;
  bool is_v6 = false;
  friend bool operator==(const Address&, const Address&) = default;
};

struct HeaderStep {
  enum class Kind : std::uint8_t { needs_more, header, malformed };
  Kind kind = Kind::needs_more;
  Fault fault = Fault::none;
  /// False: the connection speaks for itself (LOCAL, UNKNOWN, unspecified).
  bool has_addresses = false;
  std::size_t size_bytes = 0;  ///< Of the header; 0 unless it is there whole.
  Address source{};            ///< The client.
  Address destination{};       ///< Where the client arrived.
};

/// The header at the beginning of `in`, of either version, once it is there whole.
///
/// in       unread bytes, oldest first; may end anywhere.
/// limits   line_bytes_max; packet_body_bytes_max, checked before the packet is awaited.
/// errors   a Fault; decided by the first byte that makes it certain.
/// A checksum that is there is checked; what other extensions say is passed over.
[[nodiscard]] HeaderStep decode_header(ByteView in) noexcept;

enum class Version : std::uint8_t { v1 = 1, v2 };

inline constexpr std::size_t written_bytes_max = line_bytes_max;

/// Where only one of the two is IPv4, it is written as the IPv6 address that is mapped to it.
/// returns  how many bytes of `out` it takes.
std::size_t write_header(Version version, const Address& source, const Address& destination,
                         std::span<std::uint8_t, written_bytes_max> out) noexcept;
/// Of a connection that speaks for itself, such as one that asks whether the other side is well.
std::size_t write_own_header(Version version,
                             std::span<std::uint8_t, written_bytes_max> out) noexcept;

}  // namespace sluice::proxy_protocol
