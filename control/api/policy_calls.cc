// The configuration in force, and what it would say to an operation.
#include <nlohmann/json.hpp>

#include "control/api/handlers.h"

namespace sluice::control::api {

using Json = nlohmann::ordered_json;

std::string json_of(const PolicyAnswer& answer) {
  const Json page{{"ruling", answer.ruling},
                  {"rule", answer.rule},
                  {"reason", answer.reason},
                  {"operation", answer.operation},
                  {"record", answer.is_recorded ? "full" : "operations"},
                  {"masks", answer.masks}};
  return page.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Outcome<std::string> show_policy(const Actions& actions, const Asked& /*asked*/) {
  return actions.policy();
}

Outcome<std::string> test_policy(const Actions& actions, const Asked& asked) {
  PolicyQuestion question{.listener = asked.text("listener"),
                          .subject = asked.text("subject"),
                          .groups = asked.texts("groups"),
                          .method = asked.text("method"),
                          .path = asked.text("path"),
                          .headers = asked.texts("headers"),
                          .sql = asked.text("sql")};
  if (asked.has("host")) question.host = asked.text("host");
  if (asked.has("body")) question.body = asked.text("body");
  if (asked.has("search_path")) question.search_path = asked.texts("search_path");
  const auto answer = actions.test_policy(question);
  if (!answer) return refuse(422, answer.error().message);
  return json_of(*answer);
}

}  // namespace sluice::control::api
