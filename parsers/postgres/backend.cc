#include "parsers/postgres/backend.h"

#include "parsers/postgres/startup_codes.h"

namespace sluice::postgres {
namespace {

constexpr std::size_t md5_salt_bytes = 4;

Authentication::Kind kind_of(std::uint32_t code) noexcept {
  using Kind = Authentication::Kind;
  switch (code) {
    case 0:
      return Kind::ok;
    case 3:
      return Kind::cleartext_password;
    case 5:
      return Kind::md5_password;
    case 10:
      return Kind::sasl;
    case 11:
      return Kind::sasl_continue;
    case 12:
      return Kind::sasl_final;
    default:
      return Kind::unsupported;
  }
}

}  // namespace

Decoded<Authentication> decode_authentication(ByteView body) noexcept {
  using Kind = Authentication::Kind;
  Reader reader(body);
  Authentication out;
  out.code = reader.u32();
  out.kind = kind_of(out.code);
  switch (out.kind) {
    case Kind::ok:
    case Kind::cleartext_password:
      break;
    case Kind::md5_password:
      out.data = reader.bytes(md5_salt_bytes);
      break;
    case Kind::sasl:
      out.mechanisms = Texts::take_until_zero(reader);
      if (out.mechanisms.empty()) reader.refuse(Fault::bad_mechanisms);
      break;
    case Kind::sasl_continue:
    case Kind::sasl_final:
    case Kind::unsupported:
      out.data = reader.rest();
      break;
  }
  return reader.finish(out);
}

Decoded<BackendKeyData> decode_backend_key_data(ByteView body) noexcept {
  Reader reader(body);
  BackendKeyData out;
  out.process_id = reader.u32();
  out.key = reader.rest();
  if (out.key.size() < cancel_key_bytes_min || out.key.size() > cancel_key_bytes_max) {
    reader.refuse(Fault::bad_length);
  }
  return reader.finish(out);
}

Decoded<ParameterStatus> decode_parameter_status(ByteView body) noexcept {
  Reader reader(body);
  ParameterStatus out;
  out.name = reader.text();
  out.value = reader.text();
  return reader.finish(out);
}

Decoded<TransactionStatus> decode_ready_for_query(ByteView body) noexcept {
  Reader reader(body);
  const auto status = static_cast<TransactionStatus>(reader.u8());
  if (status != TransactionStatus::idle && status != TransactionStatus::in_transaction &&
      status != TransactionStatus::failed) {
    reader.refuse(Fault::bad_transaction_status);
  }
  return reader.finish(status);
}

Field read_field(Reader& reader) noexcept {
  Field field;
  field.name = reader.text();
  field.table = reader.u32();
  field.column = reader.i16();
  field.type = reader.u32();
  field.type_bytes = reader.i16();
  field.type_modifier = reader.i32();
  field.format = reader.format();
  return field;
}

Decoded<Fields> decode_row_description(ByteView body) noexcept {
  Reader reader(body);
  return reader.finish(Fields::take(reader, reader.u16()));
}

Decoded<Oids> decode_parameter_description(ByteView body) noexcept {
  Reader reader(body);
  return reader.finish(Oids::take(reader, reader.u16()));
}

Decoded<Values> decode_data_row(ByteView body) noexcept {
  Reader reader(body);
  return reader.finish(Values::take(reader, reader.u16()));
}

Decoded<CommandComplete> decode_command_complete(ByteView body) noexcept {
  Reader reader(body);
  CommandComplete out;
  out.tag = reader.text();
  return reader.finish(out);
}

Decoded<CopyResponse> decode_copy_response(ByteView body) noexcept {
  Reader reader(body);
  CopyResponse out;
  const std::uint8_t format = reader.u8();
  if (format > 1) reader.refuse(Fault::bad_format);
  out.format = format == 1 ? Format::binary : Format::text;
  out.columns = Formats::take(reader);
  for (std::size_t i = 0; i < out.columns.size() && out.format == Format::text; ++i) {
    // "If the overall copy format is textual, all must be zero."
    if (out.columns.of(i) != Format::text) reader.refuse(Fault::bad_format);
  }
  return reader.finish(out);
}

ReportField read_report_field(Reader& reader) noexcept {
  ReportField field;
  field.code = reader.u8();
  field.text = reader.text();
  return field;
}

std::string_view Report::find(char code) const noexcept {
  for (const ReportField& field : fields) {
    if (field.code == static_cast<std::uint8_t>(code)) return field.text;
  }
  return {};
}

Decoded<Report> decode_report(ByteView body) noexcept {
  Reader reader(body);
  Report report;
  report.fields = ReportFields::take_until_zero(reader);
  return reader.finish(report);
}

Decoded<NotificationResponse> decode_notification_response(ByteView body) noexcept {
  Reader reader(body);
  NotificationResponse out;
  out.process_id = reader.u32();
  out.channel = reader.text();
  out.payload = reader.text();
  return reader.finish(out);
}

Decoded<NegotiateProtocolVersion> decode_negotiate_protocol_version(ByteView body) noexcept {
  Reader reader(body);
  NegotiateProtocolVersion out;
  // The manual says a minor version; servers send, and libpq reads, major and minor.
  out.newest = version_of(reader.u32());
  if (out.newest.major != 3) reader.refuse(Fault::unsupported_version);
  out.unknown_options = Texts::take(reader, reader.u32());
  return reader.finish(out);
}

Decoded<Value> decode_function_call_response(ByteView body) noexcept {
  Reader reader(body);
  return reader.finish(reader.value());
}

}  // namespace sluice::postgres
