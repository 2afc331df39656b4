// HTTP/1.1 messages as values: what a decoder found in the bytes, as views.
//
// source   RFC 9110 (semantics), RFC 9112 (HTTP/1.1 messages).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"

namespace sluice::http1 {

enum class Method : std::uint8_t {
  get,
  head,
  post,
  put,
  delete_,
  patch,
  options,
  trace,
  connect,
  other
};

/// Fields the gateway itself reads or rewrites. Everything else is `other`.
enum class FieldName : std::uint8_t {
  other,
  accept_encoding,
  accept_ranges,
  authorization,
  connection,
  content_digest,
  content_encoding,
  content_length,
  content_md5,
  content_type,
  date,
  digest,
  dpop,       ///< Shows that who brings a token has its key (RFC 9449), to the gateway.
  disguised,  ///< One of these with '_' for '-': the same to a target that reads CGI variables.
  expect,
  forwarded,
  host,
  if_range,
  keep_alive,
  overriding,  ///< Says that another method or target is meant than the request line's.
  proxy_authenticate,
  proxy_authorization,
  proxy_connection,
  range,
  repr_digest,
  te,
  trailer,
  transfer_encoding,
  upgrade,
  via,
  x_api_key,
  x_forwarded_for,
  x_forwarded_host,
  x_forwarded_proto,
  x_real_ip,
  sluice_request,  ///< The name of a request that people decide on, for the gateway.
};

/// One field line. `value` has no surrounding whitespace. Both views point into
/// the decoded bytes and die with them.
struct Field {
  std::string_view name;
  std::string_view value;
  FieldName id = FieldName::other;
  /// Named by a Connection option of the same message: dies at this hop (RFC 9110 §7.6.1).
  bool is_hop_by_hop = false;
};

inline constexpr std::size_t fields_max = 128;

/// Room for one head's fields; a worker owns one and lends it to each decode.
struct FieldTable {
  std::array<Field, fields_max> fields;
  std::size_t count = 0;

  [[nodiscard]] std::span<const Field> view() const noexcept { return {fields.data(), count}; }
};

/// How a body's end is known (RFC 9112 §6.3).
enum class Framing : std::uint8_t { none, length, chunked, until_close };

struct RequestHead {
  Method method = Method::other;
  std::string_view method_text;
  std::string_view target;  ///< As sent; see target.h for what policy sees.
  std::string_view host;    ///< The one Host field's value.
  std::span<const Field> fields;
  std::uint64_t content_length = 0;  ///< Bytes; meaningful with Framing::length.
  Framing framing = Framing::none;
  std::uint8_t version_minor = 1;  ///< 0 or 1.
  bool keep_alive = true;          ///< What the client asks for, by version and Connection.
  bool expects_continue = false;
  bool wants_upgrade = false;
};

struct ResponseHead {
  std::uint16_t status = 0;
  std::string_view reason;
  std::span<const Field> fields;
  std::uint64_t content_length = 0;
  Framing framing = Framing::none;
  std::uint8_t version_minor = 1;
  bool keep_alive = true;
  /// 1xx other than 101: another head follows.
  [[nodiscard]] bool is_interim() const noexcept { return status >= 100 && status < 200; }
};

}  // namespace sluice::http1
