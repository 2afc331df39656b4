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
    const auto settings = load_settings(verb, gateway.configuration);
    if (!settings) return {.code = ExitCode::bad_configuration, .reply = {}};
    socket = settings->admin.socket;
  }
  auto reply = control::ask(socket, request);
  if (reply) return {.code = ExitCode::ok, .reply = std::move(*reply)};

  const bool may_not = ::access(socket.c_str(), F_OK) == 0 && ::access(socket.c_str(), W_OK) != 0;
  return {.code = complain(verb, fmt::format("{} (is the gateway running?)", reply.error().message),
                           may_not ? ExitCode::denied : ExitCode::failed),
          .reply = {}};
}

}  // namespace sluice::cli
