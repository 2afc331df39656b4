// Cuts one direction of an HTTP/1.1 connection into heads, body pieces and ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "parsers/http1/message.h"

namespace sluice::http1 {

/// Limits in bytes unless named otherwise; each has a key in the configuration.
struct Limits {
  std::size_t head_bytes_max = 16 * 1024;  ///< Request or status line and all fields.
  std::size_t target_bytes_max = 8 * 1024;
  std::size_t fields_max = 100;  ///< At most http1::fields_max.
  std::size_t trailer_bytes_max = 4 * 1024;
  std::size_t chunk_extension_bytes_max =
      256;  ///< Per chunk. Extensions are dropped, never forwarded.
  std::uint64_t body_bytes_max = std::uint64_t{16} << 30;
};

/// Why bytes were refused. The session answers 400, 413, 414, 431, 501 or 505
/// (requests) or 502 (responses) and records `text(fault)`.
enum class Fault : std::uint8_t {
  none,
  bad_request_line,
  bad_status_line,
  bad_version,  // 505
  bad_method,
  bad_target,
  target_too_long,  // 414
  head_too_large,   // 431
  too_many_fields,  // 431
  bad_field_name,
  bad_field_value,
  bare_line_feed,
  obsolete_fold,
  space_before_colon,
  missing_host,
  repeated_host,
  bad_host,
  repeated_content_length,
  bad_content_length,
  length_with_transfer_encoding,
  unsupported_transfer_encoding,  // 501
  transfer_encoding_in_http10,
  body_too_large,  // 413
  bad_chunk_size,
  bad_chunk_extension,
  bad_chunk_end,
  bad_trailer,
  trailers_too_large,  // 431
  bad_connection_option,
  bad_expectation,     // 417
  disguised_field,     // Content_Length and the like
  overridden_request,  // a field that says another method or target is meant
  unexpected_upgrade,  // 101 towards a client that cannot have asked
  too_many_interim,    // 1xx without a final response
  truncated,           // the stream ended inside a message
};

std::string_view text(Fault fault) noexcept;
/// The status a client gets for a refused request.
std::uint16_t status_of(Fault fault) noexcept;

/// One step of a decoder.
struct Step {
  enum class Kind : std::uint8_t {
    needs_more,  ///< `size_bytes` consumed (0 inside a head); call again with more.
    head,        ///< A head; see request() / response().
    data,        ///< `data` is body payload, never empty.
    end,         ///< The message is over; `trailers` are its trailer fields. May use no bytes:
                 ///< after a head or data, call again even when `in` is used up.
    malformed,   ///< See `fault`. The connection cannot go on.
  };
  Kind kind = Kind::needs_more;
  Fault fault = Fault::none;
  /// Bytes of `in` that this step used up, framing included.
  std::size_t size_bytes = 0;
  ByteView data = {};
  std::span<const Field> trailers = {};
};

/// Body framing shared by both directions: length, chunked, until close.
///
/// in       unread bytes; may end anywhere.
/// returns  data pieces as views into `in`, then one end (repeated when called
///          on). Chunk framing is consumed and never shows. Only inside a
///          trailer section must the caller present the unconsumed bytes again,
///          contiguously.
/// limits   body_bytes_max, checked before a chunk's data is awaited;
///          chunk_extension_bytes_max, trailer_bytes_max, fields_max.
/// errors   bad_chunk_*, *trailer*, body_too_large, truncated, and those of fields.
/// source   RFC 9112 §6, §7.
class BodyDecoder {
 public:
  void start(Framing framing, std::uint64_t content_length, const Limits& limits) noexcept;
  Step decode(ByteView in, FieldTable& trailers) noexcept;
  /// The peer closed its side: an end for until_close, else `truncated`.
  [[nodiscard]] Step on_close() noexcept;
  /// What is still to come of a body whose length was told; 0 in any other.
  [[nodiscard]] std::uint64_t left_bytes() const noexcept {
    return state_ == State::fixed ? remaining_ : 0;
  }
  /// So many of left_bytes() went another way.
  void skip(std::uint64_t size_bytes) noexcept;

 private:
  enum class State : std::uint8_t {
    done,
    fixed,
    until_close,
    size,
    extension,
    size_line_feed,
    chunk,
    chunk_return,
    chunk_line_feed,
    trailers,
    failed,
  };
  Step refuse(Fault fault) noexcept;
  Step decode_fixed(ByteView in) noexcept;
  Step decode_until_close(ByteView in) noexcept;
  Step decode_chunked(ByteView in, FieldTable& trailers) noexcept;
  Step decode_trailers(ByteView in, std::size_t framing_bytes, FieldTable& trailers) noexcept;
  Fault take_framing_byte(std::uint8_t byte) noexcept;
  Fault take_size_digit(std::uint8_t byte) noexcept;
  Fault begin_chunk() noexcept;

  Limits limits_;
  std::uint64_t remaining_ = 0;  ///< Of the body or chunk; the size so far while that is read.
  std::uint64_t total_ = 0;      ///< Payload bytes begun, for body_bytes_max.
  std::size_t extension_bytes_ = 0;
  std::size_t seen_ = 0;  ///< Of an unfinished trailer section.
  std::uint8_t size_digits_ = 0;
  State state_ = State::done;
  Fault fault_ = Fault::none;
};

/// Requests, client to gateway.
///
/// in       unread bytes, oldest first; may end anywhere. A head must be
///          presented whole: until then needs_more with size_bytes 0. One empty
///          line before a request line is taken off (RFC 9112 §2.2).
/// returns  head, data…, end, and again for the next request. A bad head is
///          refused at the next control byte (a line's end at the latest) or
///          when a limit is reached.
/// limits   checked before more bytes are awaited.
/// errors   every Fault; after one, each further call repeats it.
/// source   RFC 9112 §2–§7, §11 (smuggling).
class RequestDecoder {
 public:
  explicit RequestDecoder(const Limits& limits) noexcept : limits_(limits) {}

  Step decode(ByteView in, FieldTable& scratch) noexcept;
  /// Valid after a head step until the next decode.
  [[nodiscard]] const RequestHead& request() const noexcept { return head_; }
  /// Between messages, nothing begun.
  [[nodiscard]] bool is_idle() const noexcept { return phase_ == Phase::head; }
  /// As in BodyDecoder.
  [[nodiscard]] std::uint64_t left_bytes() const noexcept {
    return phase_ == Phase::body ? body_.left_bytes() : 0;
  }
  void skip(std::uint64_t size_bytes) noexcept { body_.skip(size_bytes); }

 private:
  enum class Phase : std::uint8_t { head, body, failed };
  Step refuse(Fault fault) noexcept;
  Step decode_head(ByteView in, FieldTable& scratch) noexcept;
  Step decode_body(ByteView in, FieldTable& scratch) noexcept;

  Limits limits_;
  RequestHead head_;
  BodyDecoder body_;
  std::size_t seen_ = 0;  ///< Of an unfinished head.
  Phase phase_ = Phase::head;
  Fault fault_ = Fault::none;
  bool took_empty_line_ = false;
};

/// Responses, target to gateway. `expect` must be called once per request sent,
/// because a response's framing depends on it (RFC 9112 §6.3).
class ResponseDecoder {
 public:
  explicit ResponseDecoder(const Limits& limits) noexcept : limits_(limits) {}

  void expect(Method request_method) noexcept;
  /// Interim (1xx) heads come as head steps without an end; the final head
  /// follows. Bytes before `expect` are `bad_status_line`.
  Step decode(ByteView in, FieldTable& scratch) noexcept;
  /// The peer closed its side: the end of a close-delimited body, `truncated`
  /// inside anything else, needs_more between messages. Decode what came before it first.
  [[nodiscard]] Step on_close() noexcept;
  [[nodiscard]] const ResponseHead& response() const noexcept { return head_; }
  [[nodiscard]] bool is_idle() const noexcept { return phase_ == Phase::idle; }
  /// As in BodyDecoder.
  [[nodiscard]] std::uint64_t left_bytes() const noexcept {
    return phase_ == Phase::body ? body_.left_bytes() : 0;
  }
  void skip(std::uint64_t size_bytes) noexcept { body_.skip(size_bytes); }

 private:
  enum class Phase : std::uint8_t { idle, head, body, failed };
  Step refuse(Fault fault) noexcept;
  Step decode_head(ByteView in, FieldTable& scratch) noexcept;
  Step pass_on(const Step& body_step) noexcept;

  Limits limits_;
  ResponseHead head_;
  BodyDecoder body_;
  std::size_t seen_ = 0;  ///< Of an unfinished head.
  std::uint32_t interim_heads_ = 0;
  Method request_method_ = Method::other;
  Phase phase_ = Phase::idle;
  Fault fault_ = Fault::none;
};

}  // namespace sluice::http1
