// Probes and figures; reload and drain.
#include <fmt/format.h>

#include "control/api/handlers.h"
#include "control/api/openapi.h"

namespace sluice::control::api {

Outcome<std::string> live(const Actions& /*actions*/, const Asked& /*asked*/) {
  return "ok\n";
}

Outcome<std::string> ready(const Actions& actions, const Asked& /*asked*/) {
  if (actions.is_ready()) return "ready\n";
  return refuse(503, "not ready");
}

Outcome<std::string> metrics(const Actions& actions, const Asked& /*asked*/) {
  return actions.metrics();
}

Outcome<std::string> document(const Actions& /*actions*/, const Asked& /*asked*/) {
  return openapi_document();
}

Outcome<std::string> status(const Actions& actions, const Asked& /*asked*/) {
  return actions.status();
}

Outcome<std::string> reload(const Actions& actions, const Asked& /*asked*/) {
  const auto generation = actions.reload();
  if (!generation) return refuse(422, generation.error().message);
  return fmt::format("{{\"configuration\":{}}}", *generation);
}

Outcome<std::string> drain(const Actions& actions, const Asked& /*asked*/) {
  actions.drain();
  return "{\"draining\":true}";
}

}  // namespace sluice::control::api
