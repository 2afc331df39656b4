#include "cli/tunnel/postgres_codec.h"

#include <utility>
#include <vector>

#include "parsers/postgres/backend.h"
#include "parsers/postgres/encryption.h"
#include "parsers/postgres/header.h"
#include "parsers/postgres/startup.h"
#include "parsers/postgres/writer.h"

namespace sluice::cli::tunnel {
namespace {

/// Of what a server says before a login is over.
constexpr std::size_t login_message_bytes_max = std::size_t{32} << 10;
constexpr std::string_view protocol_violation = "08P01";
constexpr std::string_view connection_failure = "08006";
constexpr std::string_view invalid_authorization = "28000";

}  // namespace

PostgresCodec::PostgresCodec(Tokens tokens) : tokens_(std::move(tokens)) {}

void PostgresCodec::take_from_client(std::string& unread, Output& out) {
  using Kind = postgres::StartupStep::Kind;
  while (phase_ == Phase::opening) {
    const auto step = postgres::decode_startup(as_bytes(unread));
    if (step.kind == Kind::needs_more) return;
    if (step.kind == Kind::malformed) {
      return refuse_as(protocol_violation, postgres::text(step.fault), out);
    }
    if (step.kind == Kind::ssl_request || step.kind == Kind::gssenc_request) {
      if (unread.size() != step.size_bytes) {
        return refuse_as(protocol_violation, "something came before encryption was agreed on", out);
      }
      out.to_client += static_cast<char>(postgres::encryption_refused);
    } else {
      out.to_gateway += std::string_view(unread).substr(0, step.size_bytes);
      phase_ = step.kind == Kind::cancel_request ? Phase::cancelling : Phase::login;
    }
    unread.erase(0, step.size_bytes);
  }
  // What a client sends before its login is over waits for that.
  if (phase_ == Phase::open) out.to_gateway += std::exchange(unread, {});
}

void PostgresCodec::take_from_gateway(std::string& unread, Output& out) {
  while (phase_ == Phase::login && !out.is_over) {
    const auto step = postgres::decode_header(postgres::Side::backend, as_bytes(unread));
    if (step.kind == postgres::HeaderStep::Kind::needs_more) return;
    const std::size_t size_bytes = step.header.message_bytes();
    if (step.kind == postgres::HeaderStep::Kind::malformed ||
        size_bytes > login_message_bytes_max) {
      return refuse_as(protocol_violation, "the gateway's answer is not understood", out);
    }
    if (unread.size() < size_bytes) return;
    take_login_message(std::string_view(unread).substr(0, size_bytes), out);
    unread.erase(0, size_bytes);
  }
  if (phase_ == Phase::open) out.to_client += std::exchange(unread, {});
}

void PostgresCodec::take_login_message(std::string_view message, Output& out) {
  switch (static_cast<postgres::BackendType>(message.front())) {
    case postgres::BackendType::authentication:
      return answer_request_for_proof(message, out);
    case postgres::BackendType::error_response:
      phase_ = Phase::open;
      [[fallthrough]];
    case postgres::BackendType::notice_response:
    case postgres::BackendType::negotiate_protocol_version:
      out.to_client += message;
      return;
    default:
      return refuse_as(protocol_violation, "the gateway's answer is not understood", out);
  }
}

void PostgresCodec::answer_request_for_proof(std::string_view message, Output& out) {
  using Kind = postgres::Authentication::Kind;
  const auto asked =
      postgres::decode_authentication(as_bytes(message.substr(postgres::header_bytes)));
  if (!asked) {
    return refuse_as(protocol_violation, "the gateway's answer is not understood", out);
  }
  if (asked->kind == Kind::ok) {
    phase_ = Phase::open;
    out.to_client += message;
    return;
  }
  if (asked->kind != Kind::cleartext_password || has_shown_token_) {
    return refuse_as(invalid_authorization,
                     "the gateway does not ask this user for a token: its key has a verifier for "
                     "SCRAM-SHA-256",
                     out);
  }
  const auto token = tokens_();
  if (!token) return refuse_as(invalid_authorization, token.error().message, out);
  std::vector<std::uint8_t> room(token->size() + 16);
  postgres::Writer writer(room);
  writer.password_message(*token);
  if (writer.failed()) {
    return refuse_as(invalid_authorization, "the token is none that a password may be", out);
  }
  out.to_gateway += as_text(writer.written());
  has_shown_token_ = true;
}

void PostgresCodec::refuse(std::string_view why, Output& out) {
  refuse_as(connection_failure, why, out);
}

void PostgresCodec::refuse_as(std::string_view code, std::string_view why, Output& out) {
  out.is_over = true;
  // A session that is open is in the middle of anything, and who cancels reads no answer.
  if (phase_ != Phase::opening && phase_ != Phase::login) return;
  std::vector<std::uint8_t> room(why.size() + 128);
  postgres::Writer writer(room);
  writer.error_response({.severity = "FATAL", .code = code, .message = why});
  if (!writer.failed()) out.to_client += as_text(writer.written());
}

}  // namespace sluice::cli::tunnel
