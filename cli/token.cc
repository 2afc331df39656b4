// sluice token: a short-lived token of the gateway's own, and its revocation.
#include <nlohmann/json.hpp>
#include <optional>

#include "base/bytes.h"
#include "base/text_codec.h"
#include "base/timestamp.h"
#include "cli/credential_reference.h"
#include "cli/login_session.h"
#include "cli/output.h"
#include "cli/steering.h"
#include "cli/times.h"
#include "cli/verbs.h"
#include "control/api/target.h"
#include "control/shown_text.h"

namespace sluice::cli {
namespace {

using control::shown_text;
using Json = nlohmann::ordered_json;

constexpr std::string_view verb = "token";
constexpr std::int64_t ns_per_second = 1'000'000'000;

/// A chosen login goes by Basic (RFC 7617), all else by Bearer (RFC 6750).
std::string authorization_of(const std::string& credential) {
  const bool is_login = credential.find(':') != credential.npos;
  return is_login ? "Basic " + to_base64(as_bytes(credential)) : "Bearer " + credential;
}

/// Over TLS, and nothing else says who asks.
bool is_for_login(const TokenOptions& options) {
  return !options.gateway.url.empty() && options.gateway.token.empty() &&
         options.credential.empty() && options.subject.empty() && !has_token_variable();
}

/// Alone on stdout, so that it can be put into a variable or a file.
void print_token(const std::string& token, const std::string& id, const std::string& subject,
                 const std::string& expires) {
  fmt::print("{}\n", token);
  fmt::print(stderr, "token {} of {}, good until {}\n", shown_text(id), shown_text(subject),
             shown_text(expires));
}

Result<std::optional<Duration>> lifetime_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const WallTime now = wall_now();
  const auto end = parse_time(text, now, true);
  if (!end) return tl::unexpected(end.error());
  return *end - now;
}

/// Of whoever logged in.
ExitCode print_login(const TokenOptions& options, std::optional<Duration> lifetime) {
  const auto gateway = RemoteGateway::at(options.gateway.url, options.gateway.ca);
  if (!gateway) return complain(verb, gateway.error().message, ExitCode::usage);
  const bool is_any = options.target.empty() && !lifetime;
  const auto token =
      is_any ? current_token(*gateway) : another_token(*gateway, {options.target, lifetime});
  if (!token) return complain(verb, token.error().message, ExitCode::denied);
  const std::string until = timestamp_text(token->expires);
  if (options.json) {
    const Json page{{"token", token->token},
                    {"id", token->id},
                    {"subject", token->subject},
                    {"expires", until}};
    fmt::print("{}\n", page.dump());
  } else {
    print_token(token->token, token->id, token->subject, until);
  }
  return ExitCode::ok;
}

}  // namespace

ExitCode perform(const TokenOptions& options) {
  const auto lifetime = lifetime_of(options.lifetime);
  if (!lifetime) return complain(verb, lifetime.error().message, ExitCode::usage);
  if (is_for_login(options)) return print_login(options, *lifetime);
  Json wanted = Json::object();
  control::HttpRequest request{.method = "POST", .target = "/v1/tokens"};
  if (options.gateway.url.empty() && options.credential.empty() == options.subject.empty()) {
    return complain(verb, "say who asks with --credential, or as operator for whom with --subject",
                    ExitCode::usage);
  }
  if (!options.credential.empty()) {
    const auto credential = credential_at("--credential", options.credential);
    if (!credential) return complain(verb, credential.error().message, ExitCode::usage);
    if (options.gateway.url.empty()) {
      wanted["credential"] = *credential;
    } else {
      request.fields.emplace_back("Authorization", authorization_of(*credential));
    }
  } else if (!options.subject.empty()) {
    wanted["subject"] = options.subject;
  }
  if (!options.groups.empty()) wanted["groups"] = options.groups;
  if (!options.target.empty()) wanted["target"] = options.target;
  if (*lifetime) wanted["lifetime_seconds"] = (*lifetime)->ns / ns_per_second;
  request.body = wanted.dump();
  const auto reply = ask_gateway(verb, options.gateway, request);
  if (reply.code != ExitCode::ok) return reply.code;
  if (options.json) {
    fmt::print("{}", reply.body);
    return ExitCode::ok;
  }
  const Json page = Json::parse(reply.body);
  print_token(page.at("token").get<std::string>(), page.at("id").get<std::string>(),
              page.at("subject").get<std::string>(), page.at("expires").get<std::string>());
  return ExitCode::ok;
}

ExitCode perform(const TokenRevokeOptions& options) {
  const auto reply = ask_gateway(
      verb, options.gateway,
      {.method = "POST",
       .target = fmt::format("/v1/tokens/{}/revoke", control::api::escaped(options.id))});
  if (reply.code != ExitCode::ok) return reply.code;
  if (options.json) {
    fmt::print("{}", reply.body);
  } else {
    fmt::print("revoked {}\n", options.id);
  }
  return ExitCode::ok;
}

}  // namespace sluice::cli
