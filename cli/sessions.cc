// sluice sessions, kill: who is connected, and the end of one of them.
#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "cli/steering.h"
#include "cli/verbs.h"
#include "control/api/target.h"
#include "control/shown_text.h"

namespace sluice::cli {
namespace {

using control::shown_text;
using control::api::escaped;
using Json = nlohmann::ordered_json;

constexpr std::string_view path = "/v1/sessions";

/// Names are of whoever connects, and must not look like something else.
std::string text_of(const Json& session, const char* name) {
  return shown_text(session.value(name, std::string()));
}

void print_line(const Json& session) {
  const std::string subject = text_of(session, "subject");
  const std::string database = text_of(session, "database");
  fmt::print("{}  {:<8}  {}  {} from {} → {}{}{}, {}\n", text_of(session, "id"),
             text_of(session, "state"), text_of(session, "since").substr(0, 19),
             subject.empty() ? "nobody yet" : subject, text_of(session, "peer"),
             text_of(session, "target"), database.empty() ? "" : " ", database,
             counted(session.value("operations", std::uint64_t{0}), "operation"));
}

std::string query_of(const SessionsOptions& options, const std::string& after) {
  std::string out = std::string(path) + "?limit=1000";
  const auto add = [&out](std::string_view name, const std::string& value) {
    if (!value.empty()) out += fmt::format("&{}={}", name, escaped(value));
  };
  add("after", after);
  add("subject", options.principal);
  add("listener", options.listener);
  add("target", options.target);
  return out;
}

ExitCode list(const SessionsOptions& options) {
  Json all = Json::array();
  std::string after;
  do {
    const auto reply =
        ask_gateway("sessions", options.gateway, {.target = query_of(options, after)});
    if (reply.code != ExitCode::ok) return reply.code;
    Json page = Json::parse(reply.body);
    for (Json& session : page["sessions"]) all.push_back(std::move(session));
    after = page.value("next", std::string());
  } while (!after.empty());
  if (options.json) {
    fmt::print("{}\n", Json{{"sessions", std::move(all)}}.dump());
    return ExitCode::ok;
  }
  for (const Json& session : all) print_line(session);
  return ExitCode::ok;
}

}  // namespace

ExitCode perform(const SessionsOptions& options) {
  if (options.id.empty()) return list(options);
  const auto reply = ask_gateway("sessions", options.gateway,
                                 {.target = fmt::format("{}/{}", path, escaped(options.id))});
  if (reply.code != ExitCode::ok) return reply.code;
  if (options.json) {
    fmt::print("{}", reply.body);
  } else {
    print_line(Json::parse(reply.body));
  }
  return ExitCode::ok;
}

ExitCode perform(const KillOptions& options) {
  const auto reply = ask_gateway("kill", options.gateway,
                                 {.method = "POST",
                                  .target = fmt::format("{}/{}/kill", path, escaped(options.id)),
                                  .body = Json{{"reason", options.reason}}.dump()});
  if (reply.code != ExitCode::ok) return reply.code;
  if (options.json) {
    fmt::print("{}", reply.body);
  } else {
    fmt::print("ended {}\n", options.id);
  }
  return ExitCode::ok;
}

}  // namespace sluice::cli
