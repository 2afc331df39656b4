// PostgreSQL's messages in words, and their codec as the codec contract sees it.
#pragma once

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "codec_contract.h"
#include "parsers/postgres/backend.h"
#include "parsers/postgres/data_row_cutter.h"
#include "parsers/postgres/frontend.h"
#include "parsers/postgres/header.h"
#include "parsers/postgres/startup.h"
#include "parsers/postgres/writer.h"

namespace sluice::testing {

inline std::string quoted(std::string_view text) {
  return std::string("'").append(text).append("'");
}

inline std::string describe(const postgres::Value& value) {
  return value ? quoted(as_text(*value)) : "null";
}

inline std::string describe(postgres::Format format) {
  return format == postgres::Format::binary ? "binary" : "text";
}

/// How many codes there are, and what goes for the first three items.
inline std::string describe(const postgres::Formats& formats) {
  std::string out = std::to_string(formats.size()) + " formats";
  for (std::size_t i = 0; i < 3; ++i) out += formats.of(i) == postgres::Format::text ? " t" : " b";
  return out;
}

template <class List, class Describe>
std::string describe_list(const List& list, Describe describe_item) {
  std::string out = "[";
  std::size_t count = 0;
  for (const auto& item : list) {
    if (count++ > 0) out += ' ';
    out += describe_item(item);
  }
  if (count != list.size()) std::abort();
  return out + "]";
}
inline std::string describe(const postgres::Values& values) {
  return describe_list(values, [](const postgres::Value& value) { return describe(value); });
}
inline std::string describe(const postgres::Oids& oids) {
  return describe_list(oids, [](postgres::Oid oid) { return std::to_string(oid); });
}
inline std::string describe(const postgres::Texts& texts) {
  return describe_list(texts, quoted);
}
inline std::string describe_parameter(const postgres::Parameter& parameter) {
  return std::string(parameter.name).append("=").append(parameter.value);
}
inline std::string describe(const postgres::Parameters& parameters) {
  return describe_list(parameters, describe_parameter);
}

inline std::string describe(const postgres::Query& query) {
  return "Query " + quoted(query.text);
}
inline std::string describe(const postgres::Parse& parse) {
  return "Parse " + quoted(parse.statement) + ' ' + quoted(parse.text) + ' ' +
         describe(parse.parameter_types);
}
inline std::string describe(const postgres::Bind& bind) {
  return "Bind " + quoted(bind.portal) + ' ' + quoted(bind.statement) + ' ' +
         describe(bind.parameter_formats) + ' ' + describe(bind.parameters) + ' ' +
         describe(bind.result_formats);
}
inline std::string describe(const postgres::Target& target) {
  const bool is_portal = target.kind == postgres::Target::Kind::portal;
  return (is_portal ? "portal " : "statement ") + quoted(target.name);
}
inline std::string describe(const postgres::Execute& execute) {
  return "Execute " + quoted(execute.portal) + " limit " + std::to_string(execute.row_limit);
}
inline std::string describe(const postgres::FunctionCall& call) {
  return "FunctionCall " + std::to_string(call.function) + ' ' + describe(call.argument_formats) +
         ' ' + describe(call.arguments) + ' ' + describe(call.result_format);
}
inline std::string describe(const postgres::CopyFail& fail) {
  return "CopyFail " + quoted(fail.reason);
}
inline std::string describe(const postgres::PasswordMessage& message) {
  return "PasswordMessage " + quoted(message.password);
}
inline std::string describe(const postgres::SaslInitialResponse& response) {
  return "SASLInitialResponse " + quoted(response.mechanism) + ' ' + describe(response.data);
}

inline std::string describe(const postgres::Authentication& authentication) {
  using Kind = postgres::Authentication::Kind;
  const std::string data = ' ' + quoted(as_text(authentication.data));
  switch (authentication.kind) {
    case Kind::ok:
      return "AuthenticationOk";
    case Kind::cleartext_password:
      return "AuthenticationCleartextPassword";
    case Kind::md5_password:
      return "AuthenticationMD5Password" + data;
    case Kind::sasl:
      return "AuthenticationSASL " + describe(authentication.mechanisms);
    case Kind::sasl_continue:
      return "AuthenticationSASLContinue" + data;
    case Kind::sasl_final:
      return "AuthenticationSASLFinal" + data;
    case Kind::unsupported:
      return "unsupported authentication " + std::to_string(authentication.code) + data;
  }
  std::abort();
}
inline std::string describe(const postgres::BackendKeyData& data) {
  return "BackendKeyData " + std::to_string(data.process_id) + ' ' + quoted(as_text(data.key));
}
inline std::string describe(const postgres::ParameterStatus& status) {
  return "ParameterStatus " + quoted(status.name) + ' ' + quoted(status.value);
}
inline std::string describe(postgres::TransactionStatus status) {
  return std::string("ReadyForQuery ") + static_cast<char>(status);
}
inline std::string describe(const postgres::Fields& fields) {
  return "RowDescription " + describe_list(fields, [](const postgres::Field& field) {
           return quoted(field.name) + ' ' + std::to_string(field.table) + '.' +
                  std::to_string(field.column) + " type " + std::to_string(field.type) + '/' +
                  std::to_string(field.type_bytes) + '/' + std::to_string(field.type_modifier) +
                  ' ' + describe(field.format);
         });
}
inline std::string describe(const postgres::CommandComplete& complete) {
  return "CommandComplete " + quoted(complete.tag);
}
inline std::string describe(const postgres::CopyResponse& response) {
  return "copy " + describe(response.format) + ' ' + describe(response.columns);
}
inline std::string describe(const postgres::Report& report) {
  return "report " + describe_list(report.fields, [](const postgres::ReportField& field) {
           return std::string(1, static_cast<char>(field.code)) + quoted(field.text);
         });
}
inline std::string describe(const postgres::NotificationResponse& notification) {
  return "NotificationResponse " + std::to_string(notification.process_id) + ' ' +
         quoted(notification.channel) + ' ' + quoted(notification.payload);
}
inline std::string describe(const postgres::NegotiateProtocolVersion& negotiate) {
  return "NegotiateProtocolVersion " + std::to_string(negotiate.newest.major) + '.' +
         std::to_string(negotiate.newest.minor) + ' ' + describe(negotiate.unknown_options);
}

/// The message in words, or "malformed FAULT".
template <class Message>
std::string describe(const postgres::Decoded<Message>& decoded) {
  if (decoded) return describe(*decoded);
  return "malformed " + std::string(text(decoded.error()));
}
template <class Message>
std::string describe(const std::string& name, const postgres::Decoded<Message>& decoded) {
  return decoded ? name + ' ' + describe(decoded) : describe(decoded);
}

/// What a 'p' is read as. The server's last question decides.
enum class Proof : std::uint8_t { password, sasl_initial, sasl };

inline std::string describe(postgres::FrontendType type, ByteView body, Proof proof) {
  using Type = postgres::FrontendType;
  switch (type) {
    case Type::bind:
      return describe(postgres::decode_bind(body));
    case Type::close:
      return describe("Close", postgres::decode_close(body));
    case Type::copy_data:
      return "CopyData " + quoted(as_text(body));
    case Type::copy_fail:
      return describe(postgres::decode_copy_fail(body));
    case Type::describe:
      return describe("Describe", postgres::decode_describe(body));
    case Type::execute:
      return describe(postgres::decode_execute(body));
    case Type::function_call:
      return describe(postgres::decode_function_call(body));
    case Type::parse:
      return describe(postgres::decode_parse(body));
    case Type::password:
      if (proof == Proof::password) return describe(postgres::decode_password(body));
      if (proof == Proof::sasl) return "SASLResponse " + quoted(as_text(body));
      return describe(postgres::decode_sasl_initial_response(body));
    case Type::query:
      return describe(postgres::decode_query(body));
    case Type::copy_done:
    case Type::flush:
    case Type::sync:
    case Type::terminate:
      if (!body.empty()) std::abort();
      return std::string("empty ") + static_cast<char>(type);
  }
  std::abort();
}

inline std::string describe(postgres::BackendType type, ByteView body) {
  using Type = postgres::BackendType;
  switch (type) {
    case Type::authentication:
      return describe(postgres::decode_authentication(body));
    case Type::backend_key_data:
      return describe(postgres::decode_backend_key_data(body));
    case Type::command_complete:
      return describe(postgres::decode_command_complete(body));
    case Type::copy_both_response:
      return describe("both", postgres::decode_copy_response(body));
    case Type::copy_in_response:
      return describe("in", postgres::decode_copy_response(body));
    case Type::copy_out_response:
      return describe("out", postgres::decode_copy_response(body));
    case Type::copy_data:
      return "CopyData " + quoted(as_text(body));
    case Type::data_row:
      return describe("DataRow", postgres::decode_data_row(body));
    case Type::error_response:
      return describe("error", postgres::decode_report(body));
    case Type::function_call_response:
      return describe("FunctionCallResponse", postgres::decode_function_call_response(body));
    case Type::negotiate_protocol_version:
      return describe(postgres::decode_negotiate_protocol_version(body));
    case Type::notice_response:
      return describe("notice", postgres::decode_report(body));
    case Type::notification_response:
      return describe(postgres::decode_notification_response(body));
    case Type::parameter_description:
      return describe("ParameterDescription", postgres::decode_parameter_description(body));
    case Type::parameter_status:
      return describe(postgres::decode_parameter_status(body));
    case Type::ready_for_query:
      return describe(postgres::decode_ready_for_query(body));
    case Type::row_description:
      return describe(postgres::decode_row_description(body));
    case Type::bind_complete:
    case Type::close_complete:
    case Type::copy_done:
    case Type::empty_query_response:
    case Type::no_data:
    case Type::parse_complete:
    case Type::portal_suspended:
      if (!body.empty()) std::abort();
      return std::string("empty ") + static_cast<char>(type);
  }
  std::abort();
}

inline bool is_refusal(const std::string& what) {
  return what.starts_with("malformed ");
}

inline std::string describe(const postgres::StartupStep& step) {
  using Kind = postgres::StartupStep::Kind;
  switch (step.kind) {
    case Kind::needs_more:
      return "needs_more";
    case Kind::startup_message:
      return "StartupMessage 3." + std::to_string(step.startup.version.minor) + " user " +
             quoted(step.startup.user) + " database " + quoted(step.startup.database) + ' ' +
             describe(step.startup.parameters);
    case Kind::ssl_request:
      return "SSLRequest";
    case Kind::gssenc_request:
      return "GSSENCRequest";
    case Kind::cancel_request:
      return "CancelRequest " + std::to_string(step.cancel.process_id) + ' ' +
             quoted(as_text(step.cancel.key));
    case Kind::malformed:
      return "malformed " + std::string(text(step.fault));
  }
  std::abort();
}

/// Writes messages anew: by the writer where a gateway says such things itself,
/// as the same bytes where it only passes them on.
class PostgresReencoder {
 public:
  void startup(const postgres::StartupStep& step, ByteView packet) {
    using Kind = postgres::StartupStep::Kind;
    write(packet, [&](postgres::Writer& writer) {
      if (step.kind == Kind::startup_message) {
        const auto& parameters = step.startup.parameters;
        const std::vector<postgres::Parameter> list(parameters.begin(), parameters.end());
        writer.startup_message(step.startup.version, list);
      } else if (step.kind == Kind::cancel_request) {
        writer.cancel_request(step.cancel.process_id, step.cancel.key);
      } else {
        out_ += as_text(packet);
      }
    });
  }
  void message(postgres::FrontendType type, ByteView message, Proof proof) {
    using Type = postgres::FrontendType;
    const ByteView body = message.subspan(postgres::header_bytes);
    write(message, [&](postgres::Writer& writer) {
      if (type == Type::query) {
        writer.query(postgres::decode_query(body)->text);
      } else if (type == Type::parse) {
        writer.parse(*postgres::decode_parse(body));
      } else if (type == Type::bind) {
        writer.bind(*postgres::decode_bind(body));
      } else if (type == Type::describe) {
        const auto target = *postgres::decode_describe(body);
        writer.describe(target.kind, target.name);
      } else if (type == Type::close) {
        const auto target = *postgres::decode_close(body);
        writer.close(target.kind, target.name);
      } else if (type == Type::execute && postgres::decode_execute(body)->row_limit > 0) {
        writer.execute(*postgres::decode_execute(body));
      } else if (type == Type::password && proof == Proof::password) {
        writer.password_message(postgres::decode_password(body)->password);
      } else if (type == Type::password && proof == Proof::sasl_initial) {
        const auto response = *postgres::decode_sasl_initial_response(body);
        writer.sasl_initial_response(response.mechanism, response.data);
      } else if (type == Type::password) {
        writer.sasl_response(body);
      } else if (body.empty()) {
        writer.empty(type);
      } else {
        out_ += as_text(message);
      }
    });
  }
  void message(postgres::BackendType type, ByteView message) {
    using Type = postgres::BackendType;
    const ByteView body = message.subspan(postgres::header_bytes);
    write(message, [&](postgres::Writer& writer) {
      if (type == Type::authentication) {
        authentication(writer, *postgres::decode_authentication(body), message);
      } else if (type == Type::backend_key_data) {
        const auto data = *postgres::decode_backend_key_data(body);
        writer.backend_key_data(data.process_id, data.key);
      } else if (type == Type::parameter_status) {
        const auto status = *postgres::decode_parameter_status(body);
        writer.parameter_status(status.name, status.value);
      } else if (type == Type::notification_response) {
        const auto notification = *postgres::decode_notification_response(body);
        writer.notification_response(notification.process_id, notification.channel,
                                     notification.payload);
      } else if (type == Type::ready_for_query) {
        writer.ready_for_query(*postgres::decode_ready_for_query(body));
      } else if (type == Type::command_complete) {
        writer.command_complete(postgres::decode_command_complete(body)->tag);
      } else if (type == Type::negotiate_protocol_version) {
        const auto negotiate = *postgres::decode_negotiate_protocol_version(body);
        const auto& options = negotiate.unknown_options;
        const std::vector<std::string_view> list(options.begin(), options.end());
        writer.negotiate_protocol_version(negotiate.newest, list);
      } else if (type == Type::data_row) {
        data_row(writer, *postgres::decode_data_row(body), body.size());
      } else if (type == Type::copy_data) {
        writer.copy_data_head(static_cast<std::uint32_t>(body.size()));
        flush(writer);
        out_ += as_text(body);
      } else if (body.empty()) {
        writer.empty(type);
      } else {
        out_ += as_text(message);
      }
    });
  }
  [[nodiscard]] const std::string& encoded() const { return out_; }

 private:
  /// There is one way to write each message, so the same bytes must come of it, in
  /// exactly their room.
  template <class Write>
  void write(ByteView bytes, Write write_message) {
    const std::size_t begin = out_.size();
    std::vector<std::uint8_t> room(bytes.size());
    postgres::Writer writer(room);
    write_message(writer);
    flush(writer);
    if (std::string_view(out_).substr(begin) != as_text(bytes)) std::abort();
  }
  /// What is written goes out once, then the writer has nothing.
  void flush(postgres::Writer& writer) {
    if (writer.failed()) std::abort();
    out_ += as_text(writer.written());
    writer = postgres::Writer({});
  }
  void authentication(postgres::Writer& writer, const postgres::Authentication& authentication,
                      ByteView message) {
    using Kind = postgres::Authentication::Kind;
    const std::vector<std::string_view> mechanisms(authentication.mechanisms.begin(),
                                                   authentication.mechanisms.end());
    switch (authentication.kind) {
      case Kind::ok:
        return writer.authentication_ok();
      case Kind::cleartext_password:
        return writer.authentication_cleartext_password();
      case Kind::sasl:
        return writer.authentication_sasl(mechanisms);
      case Kind::sasl_continue:
        return writer.authentication_sasl_continue(authentication.data);
      case Kind::sasl_final:
        return writer.authentication_sasl_final(authentication.data);
      case Kind::md5_password:
      case Kind::unsupported:
        out_ += as_text(message);
    }
  }
  void data_row(postgres::Writer& writer, const postgres::Values& values, std::size_t body_bytes) {
    writer.data_row_head(static_cast<std::uint16_t>(values.size()),
                         static_cast<std::uint32_t>(body_bytes));
    flush(writer);
    for (const postgres::Value& value : values) {
      std::array<std::uint8_t, 4> room{};
      postgres::Writer head(room);
      head.value_head(value ? std::optional(static_cast<std::uint32_t>(value->size()))
                            : std::nullopt);
      if (head.failed()) std::abort();
      out_ += as_text(head.written());
      if (value) out_ += as_text(*value);
    }
  }

  std::string out_;
};

/// A stream of one side, its first packet included if that is asked for. Messages
/// are awaited whole, except that rows are cut in pieces if that is asked for.
class PostgresAdapter {
 public:
  struct Options {
    postgres::Side side = postgres::Side::frontend;
    bool begins_with_startup = false;
    bool cuts_rows = false;
    Proof proof = Proof::password;
  };
  explicit PostgresAdapter(const Options& options)
      : options_(options), awaits_startup_(options.begins_with_startup) {}

  ContractStep next(ByteView in) {
    if (awaits_startup_) return next_packet(in);
    if (in_row_) return next_piece(in);
    const postgres::HeaderStep step = postgres::decode_header(options_.side, in);
    if (step.kind == postgres::HeaderStep::Kind::needs_more) return {};
    if (step.kind == postgres::HeaderStep::Kind::malformed) {
      return {ContractStep::Kind::malformed, 0, "malformed " + std::string(text(step.fault))};
    }
    const bool is_row = options_.side == postgres::Side::backend &&
                        step.header.backend() == postgres::BackendType::data_row;
    if (is_row && options_.cuts_rows) {
      in_row_ = true;
      cutter_.start(step.header.body_bytes);
      row_.assign(as_text(in.first(postgres::header_bytes)));
      return {ContractStep::Kind::event, postgres::header_bytes, "row"};
    }
    if (in.size() < step.header.message_bytes()) return {};
    return whole_message(step.header, in.first(step.header.message_bytes()));
  }
  std::string close() { return in_row_ ? "inside a row" : "between messages"; }
  [[nodiscard]] std::string encode_again() const { return reencoder_.encoded() + row_; }

 private:
  ContractStep next_packet(ByteView in) {
    const postgres::StartupStep step = postgres::decode_startup(in);
    const std::string what = describe(step);
    if (step.kind == postgres::StartupStep::Kind::needs_more) return {};
    if (step.kind == postgres::StartupStep::Kind::malformed) {
      return {ContractStep::Kind::malformed, 0, what};
    }
    reencoder_.startup(step, in.first(step.size_bytes));
    awaits_startup_ = step.kind == postgres::StartupStep::Kind::ssl_request ||
                      step.kind == postgres::StartupStep::Kind::gssenc_request;
    return {ContractStep::Kind::event, step.size_bytes, what};
  }
  ContractStep whole_message(const postgres::Header& header, ByteView message) {
    const ByteView body = message.subspan(postgres::header_bytes);
    const bool is_frontend = options_.side == postgres::Side::frontend;
    const std::string what = is_frontend ? describe(header.frontend(), body, options_.proof)
                                         : describe(header.backend(), body);
    if (is_refusal(what)) return {ContractStep::Kind::malformed, 0, what};
    if (is_frontend) {
      reencoder_.message(header.frontend(), message, options_.proof);
    } else {
      reencoder_.message(header.backend(), message);
    }
    return {ContractStep::Kind::event, message.size(), what};
  }
  ContractStep next_piece(ByteView in) {
    const postgres::RowStep step = cutter_.decode(in);
    row_ += as_text(in.first(step.size_bytes));
    switch (step.kind) {
      case postgres::RowStep::Kind::needs_more:
        return {ContractStep::Kind::needs_more, step.size_bytes, {}};
      case postgres::RowStep::Kind::malformed:
        return {ContractStep::Kind::malformed, 0, "malformed " + std::string(text(step.fault))};
      case postgres::RowStep::Kind::end:
        in_row_ = false;
        reencoder_.message(postgres::BackendType::data_row, as_bytes(row_));
        row_.clear();
        return {ContractStep::Kind::event, step.size_bytes,
                "end " + std::to_string(cutter_.columns())};
      case postgres::RowStep::Kind::value:
        break;
    }
    std::string what;
    if (step.is_first) {
      what = '<' + std::to_string(step.column) + ':' +
             (step.value_bytes ? std::to_string(*step.value_bytes) : "null") + ':';
    }
    what += as_text(step.piece);
    if (step.is_last) what += '>';
    return {ContractStep::Kind::data, step.size_bytes, what};
  }

  Options options_;
  bool awaits_startup_;
  bool in_row_ = false;
  postgres::DataRowCutter cutter_;
  std::string row_;  ///< What came of one that is being cut.
  PostgresReencoder reencoder_;
};

}  // namespace sluice::testing
