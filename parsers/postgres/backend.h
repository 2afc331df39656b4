// What a server's messages hold.
//
// in       a body: exactly the bytes that decode_header announced.
// returns  the message as views into it, its lists checked to their ends; or the
//          first fault. Never looks beyond, never leaves bytes unexplained.
// errors   truncated, trailing_bytes, unterminated_text, and those named below.
// source   PostgreSQL manual, "Message Formats", "Error and Notice Message Fields".
//
// BindComplete, CloseComplete, CopyDone, EmptyQueryResponse, NoData, ParseComplete
// and PortalSuspended have no body; CopyData is its body. Rows that are larger than
// a buffer: data_row_cutter.h.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "parsers/postgres/message.h"
#include "parsers/postgres/sequence.h"

namespace sluice::postgres {

struct Authentication {
  enum class Kind : std::uint8_t {
    ok,
    cleartext_password,
    md5_password,
    sasl,
    sasl_continue,
    sasl_final,
    unsupported,  ///< Kerberos, GSSAPI, SSPI, or unknown: see `code`.
  };
  Kind kind = Kind::unsupported;
  std::uint32_t code = 0;
  ByteView data;  ///< md5_password: the salt, 4 bytes. sasl_continue, sasl_final: the mechanism's.
  Texts mechanisms;  ///< Of sasl, best first; at least one.
};
/// errors  bad_mechanisms.
[[nodiscard]] Decoded<Authentication> decode_authentication(ByteView body) noexcept;

struct BackendKeyData {
  std::uint32_t process_id = 0;
  ByteView key;  ///< cancel_key_bytes_min to cancel_key_bytes_max.
};
/// errors  bad_length.
[[nodiscard]] Decoded<BackendKeyData> decode_backend_key_data(ByteView body) noexcept;

struct ParameterStatus {
  std::string_view name;
  std::string_view value;
};
[[nodiscard]] Decoded<ParameterStatus> decode_parameter_status(ByteView body) noexcept;

/// errors  bad_transaction_status.
[[nodiscard]] Decoded<TransactionStatus> decode_ready_for_query(ByteView body) noexcept;

/// One column of a result.
struct Field {
  std::string_view name;
  Oid table = 0;            ///< Whose column it is; 0 for an expression.
  std::int16_t column = 0;  ///< Its attribute number there; 0 for an expression.
  Oid type = 0;
  std::int16_t type_bytes = 0;  ///< Negative: of variable size.
  std::int32_t type_modifier = 0;
  Format format = Format::text;  ///< Always text when a statement, not a portal, is described.
};
Field read_field(Reader& reader) noexcept;
using Fields = Sequence<Field, read_field, 1 + 4 + 2 + 4 + 2 + 4 + 2>;
/// errors  bad_count, bad_format.
[[nodiscard]] Decoded<Fields> decode_row_description(ByteView body) noexcept;

/// errors  bad_count.
[[nodiscard]] Decoded<Oids> decode_parameter_description(ByteView body) noexcept;

/// errors  bad_count, bad_value_length.
[[nodiscard]] Decoded<Values> decode_data_row(ByteView body) noexcept;

struct CommandComplete {
  std::string_view tag;  ///< "SELECT 5", "INSERT 0 1", "BEGIN".
};
[[nodiscard]] Decoded<CommandComplete> decode_command_complete(ByteView body) noexcept;

/// CopyInResponse, CopyOutResponse and CopyBothResponse.
struct CopyResponse {
  Format format = Format::text;  ///< Of the whole; text is lines.
  Formats columns;
};
/// errors  bad_count, bad_format.
[[nodiscard]] Decoded<CopyResponse> decode_copy_response(ByteView body) noexcept;

/// A part of an error or a notice. Codes that are not known are to be passed over.
struct ReportField {
  std::uint8_t code = 0;  ///< 'S', 'V' severity, 'C' SQLSTATE, 'M' message, 'D' detail, 'H' hint …
  std::string_view text;
};
ReportField read_report_field(Reader& reader) noexcept;
using ReportFields = Sequence<ReportField, read_report_field, 2>;

/// ErrorResponse and NoticeResponse.
struct Report {
  ReportFields fields;

  /// The first of this code; empty when there is none.
  [[nodiscard]] std::string_view find(char code) const noexcept;
};
[[nodiscard]] Decoded<Report> decode_report(ByteView body) noexcept;

struct NotificationResponse {
  std::uint32_t process_id = 0;
  std::string_view channel;
  std::string_view payload;
};
[[nodiscard]] Decoded<NotificationResponse> decode_notification_response(ByteView body) noexcept;

struct NegotiateProtocolVersion {
  ProtocolVersion newest;  ///< That the server speaks, of major version 3.
  Texts unknown_options;   ///< "_pq_." parameters that it did not know.
};
/// errors  bad_count, unsupported_version.
[[nodiscard]] Decoded<NegotiateProtocolVersion> decode_negotiate_protocol_version(
    ByteView body) noexcept;

/// errors  bad_value_length.
[[nodiscard]] Decoded<Value> decode_function_call_response(ByteView body) noexcept;

}  // namespace sluice::postgres
