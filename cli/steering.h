// Talking to a running gateway: what status, reload and drain share.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/verbs.h"
#include "control/http.h"

namespace sluice::cli {

struct Answer {
  ExitCode code = ExitCode::ok;  ///< Not ok: told to the operator already.
  control::HttpReply reply;
};

/// Sends one request to the gateway's admin socket.
Answer ask_gateway(std::string_view verb, const AdminTarget& gateway,
                   const control::HttpRequest& request);

}  // namespace sluice::cli
