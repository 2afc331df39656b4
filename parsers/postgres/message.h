// What both directions of PostgreSQL's protocol 3 share: the kinds of messages,
// the small codes inside them, and why bytes are refused.
//
// source   PostgreSQL manual, "Frontend/Backend Protocol": "Message Formats".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace sluice::postgres {

/// Who sent the bytes. The frontend is the client, the backend the server.
enum class Side : std::uint8_t { frontend, backend };

/// Tags of a client's messages.
enum class FrontendType : std::uint8_t {
  bind = 'B',
  close = 'C',
  copy_data = 'd',
  copy_done = 'c',
  copy_fail = 'f',
  describe = 'D',
  execute = 'E',
  flush = 'H',
  function_call = 'F',
  parse = 'P',
  /// PasswordMessage, SASLInitialResponse, SASLResponse or GSSResponse: what was
  /// asked for decides.
  password = 'p',
  query = 'Q',
  sync = 'S',
  terminate = 'X',
};

/// Tags of a server's messages.
enum class BackendType : std::uint8_t {
  authentication = 'R',
  backend_key_data = 'K',
  bind_complete = '2',
  close_complete = '3',
  command_complete = 'C',
  copy_both_response = 'W',
  copy_data = 'd',
  copy_done = 'c',
  copy_in_response = 'G',
  copy_out_response = 'H',
  data_row = 'D',
  empty_query_response = 'I',
  error_response = 'E',
  function_call_response = 'V',
  negotiate_protocol_version = 'v',
  no_data = 'n',
  notice_response = 'N',
  notification_response = 'A',
  parameter_description = 't',
  parameter_status = 'S',
  parse_complete = '1',
  portal_suspended = 's',
  ready_for_query = 'Z',
  row_description = 'T',
};

/// What ReadyForQuery says.
enum class TransactionStatus : std::uint8_t { idle = 'I', in_transaction = 'T', failed = 'E' };

enum class Format : std::uint8_t { text = 0, binary = 1 };

struct ProtocolVersion {
  std::uint16_t major = 3;
  std::uint16_t minor = 0;

  friend bool operator==(const ProtocolVersion&, const ProtocolVersion&) = default;
};

/// Type of an object: of a parameter, a column, a table.
using Oid = std::uint32_t;

/// A column's or parameter's value; nothing is NULL.
using Value = std::optional<ByteView>;

/// A cancel key has 4 bytes in 3.0 and up to this many from 3.2 on.
inline constexpr std::size_t cancel_key_bytes_min = 4;
inline constexpr std::size_t cancel_key_bytes_max = 256;

/// Why bytes were refused. The session ends the connection (08P01) and records `text(fault)`.
enum class Fault : std::uint8_t {
  none,
  unknown_message,         // a tag that this side never sends
  bad_length,              // a length that a message of this kind cannot have
  unsupported_version,     // of the protocol: not 3.x
  missing_user,            // a StartupMessage that names nobody
  repeated_parameter,      // a startup parameter given twice
  too_many_parameters,     // in a StartupMessage
  truncated,               // the body ends inside a field
  trailing_bytes,          // the body goes on behind its last field
  unterminated_text,       // a text without its zero byte
  bad_count,               // more items than the body can hold, or than go with another count
  bad_value_length,        // negative, and not the -1 of NULL
  bad_format,              // neither text nor binary, or binary columns in a textual COPY
  bad_kind,                // neither statement nor portal
  bad_transaction_status,  // in ReadyForQuery
  bad_mechanisms,          // AuthenticationSASL that offers nothing
};

std::string_view text(Fault fault) noexcept;

/// A message's body in parts, or why it is none.
template <class T>
using Decoded = Result<T, Fault>;

}  // namespace sluice::postgres
