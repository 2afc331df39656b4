// The untagged packet that opens a connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "parsers/postgres/message.h"
#include "parsers/postgres/sequence.h"

namespace sluice::postgres {

/// As the server has it: what may follow the length.
inline constexpr std::size_t startup_body_bytes_max = 10'000;
inline constexpr std::size_t startup_parameters_max = 128;

struct Parameter {
  std::string_view name;
  std::string_view value;
};

/// An extension of the protocol, not a setting (manual, "Protocol Versions").
inline bool is_protocol_option(std::string_view parameter_name) noexcept {
  return parameter_name.starts_with("_pq_.");
}

Parameter read_parameter(Reader& reader) noexcept;
using Parameters = Sequence<Parameter, read_parameter, 2>;

struct StartupMessage {
  ProtocolVersion version;    ///< 3.x; a minor that is not known is for the caller to negotiate.
  Parameters parameters;      ///< All of them; no name twice.
  std::string_view user;      ///< Never empty.
  std::string_view database;  ///< Empty: the server takes the user's name.
};

struct CancelRequest {
  std::uint32_t process_id = 0;
  ByteView key;  ///< cancel_key_bytes_min to cancel_key_bytes_max.
};

struct StartupStep {
  enum class Kind : std::uint8_t {
    needs_more,
    startup_message,
    ssl_request,
    gssenc_request,
    cancel_request,
    malformed,
  };
  Kind kind = Kind::needs_more;
  Fault fault = Fault::none;
  std::size_t size_bytes = 0;  ///< Of the packet; 0 unless it is there whole.
  StartupMessage startup;      ///< Of startup_message.
  CancelRequest cancel;        ///< Of cancel_request.
};

/// The packet at the beginning of `in`, once it is there whole.
///
/// in       unread bytes, oldest first; may end anywhere.
/// returns  views into `in`; valid until those bytes go. Bytes behind an
///          SSLRequest or GSSENCRequest were sent before its answer: the caller
///          must refuse them (CVE-2021-23214).
/// limits   startup_body_bytes_max and the length that each kind has, checked
///          before the packet is awaited; startup_parameters_max.
/// errors   bad_length, unsupported_version, missing_user, repeated_parameter,
///          too_many_parameters, truncated, unterminated_text, trailing_bytes.
/// source   PostgreSQL manual, "Message Flow: Start-up", "Message Formats".
[[nodiscard]] StartupStep decode_startup(ByteView in) noexcept;

}  // namespace sluice::postgres
