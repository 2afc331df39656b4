// How clients reach a target.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "control/api/handlers.h"

namespace sluice::control::api {

Outcome<std::string> show_target(const Actions& actions, const Asked& asked) {
  using Json = nlohmann::ordered_json;
  const std::string target = asked.text("target");
  Json listeners = Json::array();
  for (const ListenerView& listener : actions.listeners()) {
    if (listener.target != target) continue;
    listeners.push_back({{"name", listener.name},
                         {"address", listener.address},
                         {"target", listener.target},
                         {"protocol", listener.protocol},
                         {"tls", listener.has_tls}});
  }
  if (listeners.empty()) return refuse(404, fmt::format("no listener leads to '{}'", target));
  return Json{{"target", target},
              {"subject", asked.caller.who.subject},
              {"listeners", std::move(listeners)}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sluice::control::api
