// sluice key list, revoke: the API keys of a running gateway.
#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "cli/output.h"
#include "cli/steering.h"
#include "cli/times.h"
#include "cli/verbs.h"
#include "config/load/schema.h"
#include "control/api/target.h"
#include "control/shown_text.h"
#include "identity/api_keys.h"

namespace sluice::cli {
namespace {

using control::shown_text;
using control::api::escaped;
using Json = nlohmann::ordered_json;

constexpr std::string_view path = "/v1/keys";

std::string_view state_of(const Json& key, const std::string& expires) {
  if (key.at("revoked").get<bool>()) return "revoked";
  const auto end = parse_timestamp(expires);
  return end && *end <= wall_now() ? "expired" : "good";
}

void print_line(const Json& key) {
  const std::string expires = key.value("expires", std::string());
  std::string groups;
  for (const Json& group : key.at("groups")) {
    groups += (groups.empty() ? "" : ", ") + shown_text(group.get<std::string>());
  }
  fmt::print("{}  {:<7}  {} ({}), {}\n", shown_text(key.at("id").get<std::string>()),
             state_of(key, expires), shown_text(key.at("subject").get<std::string>()),
             groups.empty() ? "no groups" : groups,
             expires.empty() ? "without an end" : "until " + shown_text(expires));
}

}  // namespace

ExitCode perform(const KeyListOptions& options) {
  Json all = Json::array();
  std::string after;
  do {
    const auto reply =
        ask_gateway("key list", options.gateway,
                    {.target = fmt::format("{}?limit=1000&after={}", path, escaped(after))});
    if (reply.code != ExitCode::ok) return reply.code;
    Json page = Json::parse(reply.body);
    for (Json& key : page.at("keys")) all.push_back(std::move(key));
    after = page.value("next", std::string());
  } while (!after.empty());
  if (options.json) {
    fmt::print("{}\n", Json{{"keys", std::move(all)}}.dump());
    return ExitCode::ok;
  }
  for (const Json& key : all) print_line(key);
  return ExitCode::ok;
}

ExitCode perform(const KeyRevokeOptions& options) {
  if (const auto id = identity::id_in_key(options.id)) {
    return complain("key revoke", fmt::format("that is the key itself; its id is {}", *id),
                    ExitCode::usage);
  }
  if (config::word_fault(config::Word::name, options.id)) {
    return complain("key revoke", "that is no id of a key: `sluice key list` has them",
                    ExitCode::usage);
  }
  const auto reply = ask_gateway(
      "key revoke", options.gateway,
      {.method = "POST", .target = fmt::format("{}/{}/revoke", path, escaped(options.id))});
  if (reply.code != ExitCode::ok) return reply.code;
  if (options.json) {
    fmt::print("{}", reply.body);
  } else {
    fmt::print("revoked {}\n", options.id);
  }
  return ExitCode::ok;
}

}  // namespace sluice::cli
