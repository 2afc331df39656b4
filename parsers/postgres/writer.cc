#include "parsers/postgres/writer.h"

#include <cstring>

#include "parsers/postgres/byte_order.h"
#include "parsers/postgres/header.h"
#include "parsers/postgres/startup_codes.h"

namespace sluice::postgres {
namespace {

constexpr std::uint32_t row_limit_max = 0x7FFFFFFF;  // above, the server reads none at all

}  // namespace

// Messages.

/// `body` writes what follows the header. The message stands only if our own decoder
/// would take it for one of that side.
template <class Body>
void Writer::message(Side side, std::uint8_t tag, Body body) noexcept {
  const std::size_t begin = size_;
  u8(tag);
  u32(0);
  body();
  const std::size_t message_bytes = size_ - begin;
  if (failed_ || message_bytes > header_bytes + body_bytes_max) return give_up(begin);
  store_u32(room_.data() + begin + 1, static_cast<std::uint32_t>(message_bytes - 1));
  const HeaderStep step = decode_header(side, room_.subspan(begin, message_bytes));
  if (step.kind != HeaderStep::Kind::header) give_up(begin);
}

template <class Body>
void Writer::message(BackendType type, Body body) noexcept {
  message(Side::backend, static_cast<std::uint8_t>(type), body);
}

template <class Body>
void Writer::message(FrontendType type, Body body) noexcept {
  message(Side::frontend, static_cast<std::uint8_t>(type), body);
}

/// The same without a tag, for what opens a connection.
template <class Body>
void Writer::packet(Body body) noexcept {
  const std::size_t begin = size_;
  u32(0);
  body();
  const std::size_t packet_bytes = size_ - begin;
  if (failed_ || packet_bytes > 4 + startup_body_bytes_max) return give_up(begin);
  store_u32(room_.data() + begin, static_cast<std::uint32_t>(packet_bytes));
  const StartupStep step = decode_startup(room_.subspan(begin, packet_bytes));
  if (step.size_bytes != packet_bytes) give_up(begin);
}

void Writer::head(std::uint8_t tag, std::size_t body_bytes) noexcept {
  const std::size_t begin = size_;
  u8(tag);
  u32(static_cast<std::uint32_t>(4 + body_bytes));
  if (failed_ || body_bytes > body_bytes_max) give_up(begin);
}

/// What was taken from a message, behind its count: of 16 bits there as here.
template <class List>
void Writer::list(const List& items) noexcept {
  u16(static_cast<std::uint16_t>(items.size()));
  bytes(items.bytes());
}

// To a client.

void Writer::authentication_ok() noexcept {
  message(BackendType::authentication, [&] { u32(0); });
}

void Writer::authentication_cleartext_password() noexcept {
  message(BackendType::authentication, [&] { u32(3); });
}

void Writer::authentication_sasl(std::span<const std::string_view> mechanisms) noexcept {
  message(BackendType::authentication, [&] {
    u32(10);
    for (const std::string_view mechanism : mechanisms) text(mechanism);
    u8(0);
  });
}

void Writer::authentication_sasl_continue(ByteView data) noexcept {
  message(BackendType::authentication, [&] {
    u32(11);
    bytes(data);
  });
}

void Writer::authentication_sasl_final(ByteView data) noexcept {
  message(BackendType::authentication, [&] {
    u32(12);
    bytes(data);
  });
}

void Writer::backend_key_data(std::uint32_t process_id, ByteView key) noexcept {
  message(BackendType::backend_key_data, [&] {
    u32(process_id);
    bytes(key);
  });
}

void Writer::parameter_status(std::string_view name, std::string_view value) noexcept {
  message(BackendType::parameter_status, [&] {
    text(name);
    text(value);
  });
}

void Writer::ready_for_query(TransactionStatus status) noexcept {
  message(BackendType::ready_for_query, [&] { u8(static_cast<std::uint8_t>(status)); });
}

void Writer::error_response(const ReportText& report_text) noexcept {
  report(BackendType::error_response, report_text);
}

void Writer::notice_response(const ReportText& report_text) noexcept {
  report(BackendType::notice_response, report_text);
}

void Writer::report(BackendType type, const ReportText& report) noexcept {
  message(type, [&] {
    report_field('S', report.severity);
    report_field('V', report.severity);
    report_field('C', report.code);
    report_field('M', report.message);
    if (!report.detail.empty()) report_field('D', report.detail);
    if (!report.hint.empty()) report_field('H', report.hint);
    u8(0);
  });
}

void Writer::report_field(char code, std::string_view value) noexcept {
  u8(static_cast<std::uint8_t>(code));
  text(value);
}

void Writer::negotiate_protocol_version(
    ProtocolVersion newest, std::span<const std::string_view> unknown_options) noexcept {
  message(BackendType::negotiate_protocol_version, [&] {
    u32(code_of(newest));
    u32(static_cast<std::uint32_t>(unknown_options.size()));
    for (const std::string_view option : unknown_options) text(option);
  });
}

void Writer::notification_response(std::uint32_t process_id, std::string_view channel,
                                   std::string_view payload) noexcept {
  message(BackendType::notification_response, [&] {
    u32(process_id);
    text(channel);
    text(payload);
  });
}

void Writer::command_complete(std::string_view tag) noexcept {
  message(BackendType::command_complete, [&] { text(tag); });
}

void Writer::empty(BackendType type) noexcept {
  message(type, [] {});
}

void Writer::data_row_head(std::uint16_t columns, std::uint32_t body_bytes) noexcept {
  const std::size_t begin = size_;
  head(static_cast<std::uint8_t>(BackendType::data_row), body_bytes);
  u16(columns);
  if (failed_) give_up(begin);
}

void Writer::value_head(std::optional<std::uint32_t> value_bytes) noexcept {
  constexpr std::uint32_t null_length = 0xFFFFFFFF;  // -1
  if (value_bytes && *value_bytes > body_bytes_max) failed_ = true;
  u32(value_bytes.value_or(null_length));
}

void Writer::function_call_response_head(std::uint32_t body_bytes) noexcept {
  head(static_cast<std::uint8_t>(BackendType::function_call_response), body_bytes);
}

void Writer::copy_data_head(std::uint32_t body_bytes) noexcept {
  head(static_cast<std::uint8_t>(BackendType::copy_data), body_bytes);
}

// To a server.

void Writer::parse_head(std::string_view statement, std::uint32_t rest_bytes) noexcept {
  const std::size_t begin = size_;
  head(static_cast<std::uint8_t>(FrontendType::parse), statement.size() + 1 + rest_bytes);
  text(statement);
  if (failed_) give_up(begin);
}

void Writer::bind_head(std::string_view portal, std::string_view statement,
                       std::uint32_t rest_bytes) noexcept {
  const std::size_t begin = size_;
  head(static_cast<std::uint8_t>(FrontendType::bind),
       portal.size() + 1 + statement.size() + 1 + rest_bytes);
  text(portal);
  text(statement);
  if (failed_) give_up(begin);
}

void Writer::startup_message(ProtocolVersion version,
                             std::span<const Parameter> parameters) noexcept {
  packet([&] {
    u32(code_of(version));
    for (const Parameter& parameter : parameters) {
      text(parameter.name);
      text(parameter.value);
    }
    u8(0);
  });
}

void Writer::cancel_request(std::uint32_t process_id, ByteView key) noexcept {
  packet([&] {
    u32(cancel_request_code);
    u32(process_id);
    bytes(key);
  });
}

void Writer::password_message(std::string_view password) noexcept {
  message(FrontendType::password, [&] { text(password); });
}

void Writer::sasl_initial_response(std::string_view mechanism, const Value& data) noexcept {
  message(FrontendType::password, [&] {
    text(mechanism);
    value_head(data ? std::optional(static_cast<std::uint32_t>(data->size())) : std::nullopt);
    if (data) bytes(*data);
  });
}

void Writer::sasl_response(ByteView data) noexcept {
  message(FrontendType::password, [&] { bytes(data); });
}

void Writer::query(std::string_view query_text) noexcept {
  message(FrontendType::query, [&] { text(query_text); });
}

void Writer::parse(const Parse& parse) noexcept {
  message(FrontendType::parse, [&] {
    text(parse.statement);
    text(parse.text);
    list(parse.parameter_types);
  });
}

void Writer::bind(const Bind& bind) noexcept {
  message(FrontendType::bind, [&] {
    text(bind.portal);
    text(bind.statement);
    list(bind.parameter_formats);
    list(bind.parameters);
    list(bind.result_formats);
  });
}

void Writer::describe(Target::Kind kind, std::string_view name) noexcept {
  message(FrontendType::describe, [&] {
    u8(static_cast<std::uint8_t>(kind));
    text(name);
  });
}

void Writer::execute(const Execute& execute) noexcept {
  message(FrontendType::execute, [&] {
    text(execute.portal);
    if (execute.row_limit > row_limit_max) failed_ = true;
    u32(execute.row_limit);
  });
}

void Writer::close(Target::Kind kind, std::string_view name) noexcept {
  message(FrontendType::close, [&] {
    u8(static_cast<std::uint8_t>(kind));
    text(name);
  });
}

void Writer::empty(FrontendType type) noexcept {
  message(type, [] {});
}

// Fields.

/// Room for the next bytes; none once anything failed.
std::uint8_t* Writer::take(std::size_t count) noexcept {
  if (failed_ || count > room_.size() - size_) {
    failed_ = true;
    return nullptr;
  }
  size_ += count;
  return room_.data() + size_ - count;
}

void Writer::u8(std::uint8_t value) noexcept {
  if (std::uint8_t* const at = take(1)) *at = value;
}

void Writer::u16(std::uint16_t value) noexcept {
  if (std::uint8_t* const at = take(2)) store_u16(at, value);
}

void Writer::u32(std::uint32_t value) noexcept {
  if (std::uint8_t* const at = take(4)) store_u32(at, value);
}

void Writer::bytes(ByteView value) noexcept {
  if (value.empty()) return;
  if (std::uint8_t* const at = take(value.size())) std::memcpy(at, value.data(), value.size());
}

/// A zero byte inside would end the text early and make fields of what follows.
void Writer::text(std::string_view value) noexcept {
  if (value.find('\0') != std::string_view::npos) failed_ = true;
  bytes(as_bytes(value));
  u8(0);
}

void Writer::give_up(std::size_t begin) noexcept {
  failed_ = true;
  size_ = begin;
}

}  // namespace sluice::postgres
