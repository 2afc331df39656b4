#include "cli/steering.h"

#include <unistd.h>

#include <cerrno>

#include "cli/configuration.h"
#include "cli/output.h"
#include "control/admin.h"

namespace sluice::cli {

Answer ask_gateway(std::string_view verb, const AdminTarget& gateway,
                   const control::HttpRequest& request) {
  std::string socket = gateway.socket;
  if (socket.empty()) {
    auto named = admin_socket(gateway.configuration);
    if (!named) {
      return {.code = complain(verb, named.error().message, ExitCode::bad_configuration),
              .reply = {}};
    }
    socket = std::move(*named);
  }
  auto reply = control::ask(socket, request);
  if (reply) return {.code = ExitCode::ok, .reply = std::move(*reply)};

  // A fault may be why there is no gateway, or why it was sought in the wrong place.
  if (gateway.socket.empty() && !load_settings(verb, gateway.configuration)) {
    return {.code = ExitCode::bad_configuration, .reply = {}};
  }
  const bool may_not = ::access(socket.c_str(), F_OK) == 0 && ::access(socket.c_str(), W_OK) != 0;
  return {.code = complain(verb, fmt::format("{} (is the gateway running?)", reply.error().message),
                           may_not ? ExitCode::denied : ExitCode::failed),
          .reply = {}};
}

}  // namespace sluice::cli
