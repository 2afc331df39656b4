// Live sessions, and the end that an operator makes of one.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "control/api/handlers.h"

namespace sluice::control::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t limit_usual = 100;
constexpr std::size_t decimals = 3;

Json json_of(const SessionView& session) {
  Json out{{"id", session.id},
           {"since", timestamp_text(session.since, decimals)},
           {"state", session.state},
           {"peer", session.peer},
           {"listener", session.listener},
           {"target", session.target},
           {"protocol", session.protocol},
           {"operations", session.operations}};
  if (!session.subject.empty()) {
    out["subject"] = session.subject;
    out["issuer"] = session.issuer;
  }
  if (!session.database.empty()) out["database"] = session.database;
  return out;
}

/// Names come from clients: what is no UTF-8 must not be a way to stay unseen.
std::string text_of(const Json& page) {
  return page.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Outcome<std::string> text_of(const Result<std::optional<SessionView>>& found,
                             const std::string& id) {
  if (!found) return refuse(503, found.error().message);
  if (!*found) return refuse(404, fmt::format("no session {}", id));
  return text_of(json_of(**found));
}

}  // namespace

Outcome<std::string> list_sessions(const Actions& actions, const Asked& asked) {
  const SessionQuery query{.after = asked.text("after"),
                           .limit = asked.has("limit") ? asked.count("limit") : limit_usual,
                           .subject = asked.text("subject"),
                           .listener = asked.text("listener"),
                           .target = asked.text("target")};
  const auto page = actions.sessions(query);
  if (!page) return refuse(503, page.error().message);
  Json list = Json::array();
  for (const SessionView& session : page->sessions) list.push_back(json_of(session));
  Json out{{"sessions", std::move(list)}};
  if (!page->next.empty()) out["next"] = page->next;
  return text_of(out);
}

Outcome<std::string> show_session(const Actions& actions, const Asked& asked) {
  const std::string id = asked.text("id");
  return text_of(actions.session(id), id);
}

Outcome<std::string> kill_session(const Actions& actions, const Asked& asked) {
  const std::string id = asked.text("id");
  return text_of(actions.kill_session(id), id);
}

}  // namespace sluice::control::api
