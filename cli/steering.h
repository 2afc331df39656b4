// Talking to a running gateway: what all verbs that call its control API share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/remote_gateway.h"
#include "cli/verbs.h"
#include "control/http.h"

namespace sluice::cli {

/// What proves over TLS who calls: what --token names, else $SLUICE_TOKEN, else the last login.
/// remote  where somebody may have logged in; null: nowhere.
/// errors  in words: there is none, or it cannot be renewed.
Result<std::string> caller_token(const AdminTarget& gateway, const RemoteGateway* remote);

struct Answer {
  ExitCode code = ExitCode::ok;  ///< Not ok: told to the operator already.
  int status = 0;                ///< 0: the gateway was not reached.
  std::string body = {};         ///< When ok, of the form that was asked for.
};

enum class AnswerForm : std::uint8_t { json, text };

/// $SLUICE_TOKEN says who calls over TLS.
[[nodiscard]] bool has_token_variable();

/// Calls the gateway on its admin socket, or over TLS where it is named by a URL; there with the
/// caller's token, unless the request has an Authorization field.
/// form  an answer that is not JSON, where that is due, is a failure.
Answer ask_gateway(std::string_view verb, const AdminTarget& gateway,
                   const control::HttpRequest& request, AnswerForm form = AnswerForm::json);
/// The same; an answer that is ok goes where `how` says.
Answer fetch_from_gateway(std::string_view verb, const AdminTarget& gateway,
                          const control::HttpRequest& request, const control::HttpFetch& how);

}  // namespace sluice::cli
