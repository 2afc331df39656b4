// Recordings.
#include <nlohmann/json.hpp>

#include "control/api/handlers.h"

namespace sluice::control::api {

Outcome<std::string> delete_recording(const Actions& actions, const Asked& asked) {
  const std::string name = asked.text("recording");
  const auto removed = actions.delete_recording(name, asked.text("reason"), asked.caller.name());
  if (!removed) return refuse(409, removed.error().message);
  return nlohmann::ordered_json{
      {"recording", name}, {"chunks", removed->chunks}, {"bytes", removed->bytes}}
      .dump();
}

}  // namespace sluice::control::api
