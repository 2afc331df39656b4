#include "parsers/postgres/startup.h"

#include "parsers/postgres/startup_codes.h"

namespace sluice::postgres {
namespace {

using Kind = StartupStep::Kind;

StartupStep refuse(Fault fault) noexcept {
  StartupStep step;
  step.kind = Kind::malformed;
  step.fault = fault;
  return step;
}

Kind kind_of(std::uint32_t code) noexcept {
  switch (code) {
    case ssl_request_code:
      return Kind::ssl_request;
    case gssenc_request_code:
      return Kind::gssenc_request;
    case cancel_request_code:
      return Kind::cancel_request;
    default:
      return code >> 16 == 3 ? Kind::startup_message : Kind::malformed;
  }
}

/// `body` is what follows the length.
bool is_possible(Kind kind, std::size_t body_bytes) noexcept {
  switch (kind) {
    case Kind::ssl_request:
    case Kind::gssenc_request:
      return body_bytes == 4;
    case Kind::cancel_request:
      return body_bytes >= 4 + 4 + cancel_key_bytes_min &&
             body_bytes <= 4 + 4 + cancel_key_bytes_max;
    default:
      return body_bytes > 4;
  }
}

/// At most startup_parameters_max, so that comparing each with each stays cheap.
/// The server takes the last of several; whoever reads the first would be deceived.
bool has_name_twice(const Parameters& parameters) noexcept {
  const auto end = parameters.end();
  for (auto one = parameters.begin(); one != end; ++one) {
    auto other = one;
    while (++other != end) {
      if (other->name == one->name) return true;
    }
  }
  return false;
}

Fault read_parameters(Reader& reader, StartupMessage& startup) noexcept {
  startup.parameters = Parameters::take_until_zero(reader);
  if (const Fault fault = reader.finish(); fault != Fault::none) return fault;
  if (startup.parameters.size() > startup_parameters_max) return Fault::too_many_parameters;
  if (has_name_twice(startup.parameters)) return Fault::repeated_parameter;
  for (const Parameter& parameter : startup.parameters) {
    if (parameter.name == "user") startup.user = parameter.value;
    if (parameter.name == "database") startup.database = parameter.value;
  }
  return startup.user.empty() ? Fault::missing_user : Fault::none;
}

}  // namespace

Parameter read_parameter(Reader& reader) noexcept {
  Parameter parameter;
  parameter.name = reader.text();
  parameter.value = reader.text();
  return parameter;
}

StartupStep decode_startup(ByteView in) noexcept {
  if (in.size() < 4) return {};
  const std::size_t length = load_u32(in.data());  // counts itself
  if (length < 4 + 4 || length > 4 + startup_body_bytes_max) return refuse(Fault::bad_length);
  if (in.size() < 8) return {};
  const std::uint32_t code = load_u32(in.data() + 4);
  const Kind kind = kind_of(code);
  if (kind == Kind::malformed) return refuse(Fault::unsupported_version);
  if (!is_possible(kind, length - 4)) return refuse(Fault::bad_length);
  if (in.size() < length) return {};

  StartupStep step;
  step.kind = kind;
  step.size_bytes = length;
  Reader reader(in.subspan(8, length - 8));
  if (kind == Kind::startup_message) {
    step.startup.version = version_of(code);
    const Fault fault = read_parameters(reader, step.startup);
    if (fault != Fault::none) return refuse(fault);
  } else if (kind == Kind::cancel_request) {
    step.cancel.process_id = reader.u32();
    step.cancel.key = reader.rest();
  }
  return step;
}

}  // namespace sluice::postgres
