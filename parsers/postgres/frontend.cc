#include "parsers/postgres/frontend.h"

namespace sluice::postgres {
namespace {

/// None, one for all, or one each.
void check_count(Reader& reader, const Formats& formats, const Values& values) noexcept {
  if (formats.size() > 1 && formats.size() != values.size()) reader.refuse(Fault::bad_count);
}

Decoded<Target> decode_target(ByteView body) noexcept {
  Reader reader(body);
  Target target;
  const std::uint8_t kind = reader.u8();
  target.kind = static_cast<Target::Kind>(kind);
  if (target.kind != Target::Kind::statement && target.kind != Target::Kind::portal) {
    reader.refuse(Fault::bad_kind);
  }
  target.name = reader.text();
  return reader.finish(target);
}

}  // namespace

Decoded<Query> decode_query(ByteView body) noexcept {
  Reader reader(body);
  Query query;
  query.text = reader.text();
  return reader.finish(query);
}

Decoded<Parse> decode_parse(ByteView body) noexcept {
  Reader reader(body);
  Parse parse;
  parse.statement = reader.text();
  parse.text = reader.text();
  parse.parameter_types = Oids::take(reader, reader.u16());
  return reader.finish(parse);
}

Decoded<Bind> decode_bind(ByteView body) noexcept {
  Reader reader(body);
  Bind bind;
  bind.portal = reader.text();
  bind.statement = reader.text();
  bind.parameter_formats = Formats::take(reader);
  bind.parameters = Values::take(reader, reader.u16());
  check_count(reader, bind.parameter_formats, bind.parameters);
  bind.result_formats = Formats::take(reader);
  return reader.finish(bind);
}

Decoded<Target> decode_describe(ByteView body) noexcept {
  return decode_target(body);
}

Decoded<Target> decode_close(ByteView body) noexcept {
  return decode_target(body);
}

Decoded<Execute> decode_execute(ByteView body) noexcept {
  Reader reader(body);
  Execute execute;
  execute.portal = reader.text();
  const std::int32_t row_limit = reader.i32();
  if (row_limit > 0) execute.row_limit = static_cast<std::uint32_t>(row_limit);
  return reader.finish(execute);
}

Decoded<FunctionCall> decode_function_call(ByteView body) noexcept {
  Reader reader(body);
  FunctionCall call;
  call.function = reader.u32();
  call.argument_formats = Formats::take(reader);
  call.arguments = Values::take(reader, reader.u16());
  check_count(reader, call.argument_formats, call.arguments);
  call.result_format = reader.format();
  return reader.finish(call);
}

Decoded<CopyFail> decode_copy_fail(ByteView body) noexcept {
  Reader reader(body);
  CopyFail fail;
  fail.reason = reader.text();
  return reader.finish(fail);
}

Decoded<PasswordMessage> decode_password(ByteView body) noexcept {
  Reader reader(body);
  PasswordMessage message;
  message.password = reader.text();
  return reader.finish(message);
}

Decoded<SaslInitialResponse> decode_sasl_initial_response(ByteView body) noexcept {
  Reader reader(body);
  SaslInitialResponse response;
  response.mechanism = reader.text();
  response.data = reader.value();
  return reader.finish(response);
}

}  // namespace sluice::postgres
