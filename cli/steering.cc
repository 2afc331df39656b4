#include "cli/steering.h"

#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "cli/configuration.h"
#include "cli/output.h"
#include "control/admin.h"

namespace sluice::cli {
namespace {

ExitCode code_of(int status) {
  switch (status) {
    case 400:
    case 422:
      return ExitCode::usage;
    case 401:
    case 403:
      return ExitCode::denied;
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

}  // namespace

Answer ask_gateway(std::string_view verb, const AdminTarget& gateway,
                   const control::HttpRequest& request, AnswerForm form) {
  std::string socket = gateway.socket;
  if (socket.empty()) {
    auto named = admin_socket(gateway.configuration);
    if (!named) {
      return {.code = complain(verb, named.error().message, ExitCode::bad_configuration),
              .body = {}};
    }
    socket = std::move(*named);
  }
  auto reply = control::ask(socket, request);
  if (reply) {
    const bool went_well = reply->status >= 200 && reply->status < 300;
    if (went_well && (form == AnswerForm::text || nlohmann::json::accept(reply->body))) {
      return {.status = reply->status, .body = std::move(reply->body)};
    }
    const ExitCode code = went_well ? ExitCode::failed : code_of(reply->status);
    return {
        .code = complain(verb, detail_of(reply->body), code), .status = reply->status, .body = {}};
  }

  // A fault may be why there is no gateway, or why it was sought in the wrong place.
  if (gateway.socket.empty() && !load_settings(verb, gateway.configuration)) {
    return {.code = ExitCode::bad_configuration, .body = {}};
  }
  const bool may_not = ::access(socket.c_str(), F_OK) == 0 && ::access(socket.c_str(), W_OK) != 0;
  return {.code = complain(verb, fmt::format("{} (is the gateway running?)", reply.error().message),
                           may_not ? ExitCode::denied : ExitCode::failed),
          .body = {}};
}

}  // namespace sluice::cli
