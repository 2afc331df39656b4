// API keys: which there are, and taking one back.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "control/api/handlers.h"

namespace sluice::control::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t limit_usual = 100;

struct Row {
  const config::Principal* who;
  bool is_revoked;
};

Json json_of(const Row& row) {
  Json out{
      {"id", row.who->credential_id}, {"subject", row.who->subject}, {"groups", row.who->groups}};
  if (row.who->expires != identity::never) out["expires"] = timestamp_text(row.who->expires);
  out["revoked"] = row.is_revoked;
  return out;
}

std::string text_of(const Json& page) {
  return page.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Outcome<std::string> list_keys(const Actions& actions, const Asked& asked) {
  const std::string after = asked.text("after");
  const std::size_t limit =
      asked.has("limit") ? std::max<std::size_t>(asked.count("limit"), 1) : limit_usual;
  const auto keys = actions.keys();
  std::vector<Row> rows;
  const auto add = [&](const config::Principal& who, bool is_revoked) {
    if (who.credential_id > after) rows.push_back({&who, is_revoked});
  };
  for (std::size_t i = 0; i < keys->size(); ++i) add(keys->principal(i), false);
  for (const config::Principal& who : keys->revoked()) add(who, true);
  const std::size_t shown = std::min(limit, rows.size());
  std::ranges::partial_sort(
      rows, rows.begin() + static_cast<std::ptrdiff_t>(shown), {},
      [](const Row& row) -> const std::string& { return row.who->credential_id; });

  Json list = Json::array();
  for (std::size_t i = 0; i < shown; ++i) list.push_back(json_of(rows[i]));
  Json out{{"keys", std::move(list)}};
  if (shown < rows.size()) out["next"] = rows[shown - 1].who->credential_id;
  return text_of(out);
}

Outcome<std::string> revoke_key(const Actions& actions, const Asked& asked) {
  const std::string id = asked.text("id");
  const auto revoked = actions.revoke_key(id, asked.caller.name());
  if (!revoked) return tl::unexpected(revoked.error());
  return text_of(Json{{"revoked", id}});
}

}  // namespace sluice::control::api
