// From a request to its call: who asks, whether they may, whether it is well-formed; the record
// of it; and the answer.
#pragma once

#include "control/api/actions.h"
#include "control/api/call.h"
#include "control/http.h"

namespace sluice::control::api {

/// How a request came in.
enum class Entrance : std::uint8_t {
  admin_socket,  ///< The kernel says who is there.
  probes,        ///< Loopback TCP: any process of the host, and a browser tricked into it.
  tls_port,      ///< Anybody who reaches it: a credential says who is there, or nobody is.
};

/// Never fails: a refusal is an answer, too.
[[nodiscard]] HttpReply answer(const Actions& actions, const HttpRequest& request,
                               Entrance entrance);

}  // namespace sluice::control::api
