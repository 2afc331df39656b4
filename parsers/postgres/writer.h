// Writes what a gateway itself says, to a client as a server and to a server as
// a client, into room that the caller owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "parsers/postgres/frontend.h"
#include "parsers/postgres/message.h"
#include "parsers/postgres/startup.h"

namespace sluice::postgres {

/// An error or notice of the gateway's own.
struct ReportText {
  std::string_view severity = "ERROR";  ///< Not translated; stands for both 'S' and 'V'.
  std::string_view code;                ///< SQLSTATE, five characters.
  std::string_view message;
  std::string_view detail = {};  ///< Left out when empty, as is `hint`.
  std::string_view hint = {};
};

/// Appends messages to `room`. One that cannot be written (no room, a zero byte
/// inside a text, longer than our own decoder would take) is left out whole and
/// so is all that comes after it: check `failed()` before `written()` is sent.
class Writer {
 public:
  explicit Writer(ByteSpan room) noexcept : room_(room) {}

  // To a client.
  void authentication_ok() noexcept;
  void authentication_cleartext_password() noexcept;
  void authentication_sasl(std::span<const std::string_view> mechanisms) noexcept;
  void authentication_sasl_continue(ByteView data) noexcept;
  void authentication_sasl_final(ByteView data) noexcept;
  void backend_key_data(std::uint32_t process_id, ByteView key) noexcept;
  void parameter_status(std::string_view name, std::string_view value) noexcept;
  void ready_for_query(TransactionStatus status) noexcept;
  void error_response(const ReportText& report) noexcept;
  void notice_response(const ReportText& report) noexcept;
  void negotiate_protocol_version(ProtocolVersion newest,
                                  std::span<const std::string_view> unknown_options) noexcept;
  void command_complete(std::string_view tag) noexcept;
  void notification_response(std::uint32_t process_id, std::string_view channel,
                             std::string_view payload) noexcept;
  /// What has no body: ParseComplete, CloseComplete, NoData …
  void empty(BackendType type) noexcept;

  /// The header of a row and its count; values follow, body_bytes - 2 in all.
  void data_row_head(std::uint16_t columns, std::uint32_t body_bytes) noexcept;
  /// What stands before a value's bytes; nothing: NULL.
  void value_head(std::optional<std::uint32_t> value_bytes) noexcept;
  /// The header of a FunctionCallResponse; its value follows as in a row, body_bytes in all.
  void function_call_response_head(std::uint32_t body_bytes) noexcept;
  /// The header of a CopyData, whose body follows. Both sides have it alike.
  void copy_data_head(std::uint32_t body_bytes) noexcept;

  // To a server.
  void startup_message(ProtocolVersion version, std::span<const Parameter> parameters) noexcept;
  void cancel_request(std::uint32_t process_id, ByteView key) noexcept;
  void password_message(std::string_view password) noexcept;
  void sasl_initial_response(std::string_view mechanism, const Value& data) noexcept;
  void sasl_response(ByteView data) noexcept;
  void query(std::string_view text) noexcept;
  /// The beginning of a Parse, up to its statement's name, or of a Bind, up to it; the
  /// rest follows.
  void parse_head(std::string_view statement, std::uint32_t rest_bytes) noexcept;
  void bind_head(std::string_view portal, std::string_view statement,
                 std::uint32_t rest_bytes) noexcept;
  // A decoded message, perhaps under another name; or one of the gateway's own.
  void parse(const Parse& parse) noexcept;
  void bind(const Bind& bind) noexcept;
  void describe(Target::Kind kind, std::string_view name) noexcept;
  void execute(const Execute& execute) noexcept;
  void close(Target::Kind kind, std::string_view name) noexcept;
  /// What has no body: Sync, Flush, Terminate, CopyDone.
  void empty(FrontendType type) noexcept;

  [[nodiscard]] ByteSpan written() const noexcept { return room_.first(size_); }
  [[nodiscard]] bool failed() const noexcept { return failed_; }

 private:
  template <class Body>
  void message(Side side, std::uint8_t tag, Body body) noexcept;
  template <class Body>
  void message(BackendType type, Body body) noexcept;
  template <class Body>
  void message(FrontendType type, Body body) noexcept;
  template <class Body>
  void packet(Body body) noexcept;
  void head(std::uint8_t tag, std::size_t body_bytes) noexcept;
  void report(BackendType type, const ReportText& report) noexcept;
  void report_field(char code, std::string_view text) noexcept;

  std::uint8_t* take(std::size_t bytes) noexcept;
  void u8(std::uint8_t value) noexcept;
  void u16(std::uint16_t value) noexcept;
  void u32(std::uint32_t value) noexcept;
  void bytes(ByteView value) noexcept;
  void text(std::string_view value) noexcept;
  template <class List>
  void list(const List& items) noexcept;
  void give_up(std::size_t begin) noexcept;

  ByteSpan room_;
  std::size_t size_ = 0;
  bool failed_ = false;
};

}  // namespace sluice::postgres
