#include "cli/steering.h"

#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "cli/configuration.h"
#include "cli/credential_reference.h"
#include "cli/login_session.h"
#include "cli/output.h"
#include "control/admin.h"
#include "control/http.h"

namespace sluice::cli {
namespace {

constexpr const char* token_variable = "SLUICE_TOKEN";
constexpr const char* authorization = "Authorization";

ExitCode code_of(int status) {
  switch (status) {
    case 400:
    case 422:
      return ExitCode::usage;
    case 401:
    case 403:
      return ExitCode::denied;
    case 429:
    case 503:
      return ExitCode::try_again;
    default:
      return ExitCode::failed;
  }
}

/// Of a problem document; else all that came.
std::string detail_of(const std::string& body) {
  const auto page = nlohmann::json::parse(body, nullptr, false);
  const bool is_problem = page.is_object() && page.contains("detail") && page["detail"].is_string();
  return is_problem ? page["detail"].get<std::string>() : body;
}

/// What the verb makes of a reply.
Answer answer_of(std::string_view verb, control::HttpReply reply, AnswerForm form) {
  const bool went_well = reply.status >= 200 && reply.status < 300;
  if (went_well && (form == AnswerForm::text || nlohmann::json::accept(reply.body))) {
    return {.status = reply.status, .body = std::move(reply.body)};
  }
  const ExitCode code = went_well ? ExitCode::failed : code_of(reply.status);
  return {.code = complain(verb, detail_of(reply.body), code), .status = reply.status, .body = {}};
}

Answer ask_over_tls(std::string_view verb, const AdminTarget& gateway, control::HttpRequest request,
                    AnswerForm form, const control::HttpFetch* how) {
  const auto remote = RemoteGateway::at(gateway.url, gateway.ca);
  if (!remote) return {.code = complain(verb, remote.error().message, ExitCode::usage)};
  if (control::field_value(request.fields, authorization).empty()) {
    const auto token = caller_token(gateway, &*remote);
    if (!token) return {.code = complain(verb, token.error().message, ExitCode::denied)};
    request.fields.emplace_back(authorization, "Bearer " + *token);
  }
  auto reply =
      how == nullptr ? remote->ask(std::move(request)) : remote->fetch(std::move(request), *how);
  if (!reply) return {.code = complain(verb, reply.error().message, ExitCode::failed)};
  return answer_of(verb, std::move(*reply), form);
}

Answer ask_on_socket(std::string_view verb, const AdminTarget& gateway,
                     const control::HttpRequest& request, AnswerForm form,
                     const control::HttpFetch* how) {
  std::string socket = gateway.socket;
  if (socket.empty()) {
    auto named = admin_socket(gateway.configuration);
    if (!named) return {.code = complain(verb, named.error().message, ExitCode::bad_configuration)};
    socket = std::move(*named);
  }
  auto reply =
      how == nullptr ? control::ask(socket, request) : control::fetch(socket, request, *how);
  if (reply) return answer_of(verb, std::move(*reply), form);

  // A fault may be why there is no gateway, or why it was sought in the wrong place.
  if (gateway.socket.empty() && !load_settings(verb, gateway.configuration)) {
    return {.code = ExitCode::bad_configuration};
  }
  const bool may_not = ::access(socket.c_str(), F_OK) == 0 && ::access(socket.c_str(), W_OK) != 0;
  return {.code = complain(verb, fmt::format("{} (is the gateway running?)", reply.error().message),
                           may_not ? ExitCode::denied : ExitCode::failed)};
}

}  // namespace

Result<std::string> caller_token(const AdminTarget& gateway, const RemoteGateway* remote) {
  if (!gateway.token.empty()) return credential_at("--token", gateway.token);
  if (has_token_variable()) return std::string(std::getenv(token_variable));
  if (remote == nullptr) {
    return fail(fmt::format("nothing says who you are: --token, ${}, or --gateway of a login",
                            token_variable));
  }
  auto stored = current_token(*remote);
  if (!stored) return tl::unexpected(stored.error());
  return std::move(stored->token);
}

bool has_token_variable() {
  const char* const value = std::getenv(token_variable);
  return value != nullptr && *value != '\0';
}

Answer ask_gateway(std::string_view verb, const AdminTarget& gateway,
                   const control::HttpRequest& request, AnswerForm form) {
  return gateway.url.empty() ? ask_on_socket(verb, gateway, request, form, nullptr)
                             : ask_over_tls(verb, gateway, request, form, nullptr);
}

Answer fetch_from_gateway(std::string_view verb, const AdminTarget& gateway,
                          const control::HttpRequest& request, const control::HttpFetch& how) {
  return gateway.url.empty() ? ask_on_socket(verb, gateway, request, AnswerForm::text, &how)
                             : ask_over_tls(verb, gateway, request, AnswerForm::text, &how);
}

}  // namespace sluice::cli
