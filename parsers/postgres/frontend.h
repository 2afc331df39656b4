// What a client's messages hold.
//
// in       a body: exactly the bytes that decode_header announced.
// returns  the message as views into it, its lists checked to their ends; or the
//          first fault. Never looks beyond, never leaves bytes unexplained.
// errors   truncated, trailing_bytes, unterminated_text, and those named below.
// source   PostgreSQL manual, "Message Formats".
//
// Flush, Sync, Terminate and CopyDone have no body; CopyData is its body.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "parsers/postgres/message.h"
#include "parsers/postgres/sequence.h"

namespace sluice::postgres {

/// Whole messages without a body.
inline constexpr auto flush_message = std::to_array<std::uint8_t>({'H', 0, 0, 0, 4});
inline constexpr auto sync_message = std::to_array<std::uint8_t>({'S', 0, 0, 0, 4});

struct Query {
  std::string_view text;
};
[[nodiscard]] Decoded<Query> decode_query(ByteView body) noexcept;

struct Parse {
  std::string_view statement;  ///< Its name; empty is the unnamed one.
  std::string_view text;
  Oids parameter_types;  ///< May name fewer than there are; 0 leaves one open.
};
/// errors  bad_count.
[[nodiscard]] Decoded<Parse> decode_parse(ByteView body) noexcept;

struct Bind {
  std::string_view portal;
  std::string_view statement;
  Formats parameter_formats;
  Values parameters;
  Formats result_formats;
};
/// errors  bad_count, bad_format, bad_value_length.
[[nodiscard]] Decoded<Bind> decode_bind(ByteView body) noexcept;

/// What Describe and Close name.
struct Target {
  enum class Kind : std::uint8_t { statement = 'S', portal = 'P' };
  Kind kind = Kind::statement;
  std::string_view name;
};
/// The body of a Describe. errors  bad_kind.
[[nodiscard]] Decoded<Target> decode_describe(ByteView body) noexcept;
/// The body of a Close. errors  bad_kind.
[[nodiscard]] Decoded<Target> decode_close(ByteView body) noexcept;

struct Execute {
  std::string_view portal;
  std::uint32_t row_limit = 0;  ///< 0: none. The server reads a negative one so.
};
[[nodiscard]] Decoded<Execute> decode_execute(ByteView body) noexcept;

struct FunctionCall {
  Oid function = 0;
  Formats argument_formats;
  Values arguments;
  Format result_format = Format::text;
};
/// errors  bad_count, bad_format, bad_value_length.
[[nodiscard]] Decoded<FunctionCall> decode_function_call(ByteView body) noexcept;

struct CopyFail {
  std::string_view reason;
};
[[nodiscard]] Decoded<CopyFail> decode_copy_fail(ByteView body) noexcept;

// The three that share a tag: which one it is follows from what the server asked for.

struct PasswordMessage {
  std::string_view password;
};
[[nodiscard]] Decoded<PasswordMessage> decode_password(ByteView body) noexcept;

struct SaslInitialResponse {
  std::string_view mechanism;
  Value data;  ///< Nothing: the mechanism sends none with its name.
};
/// errors  bad_value_length.
[[nodiscard]] Decoded<SaslInitialResponse> decode_sasl_initial_response(ByteView body) noexcept;

/// SASLResponse is its body, for the mechanism alone to read.

}  // namespace sluice::postgres
