// Times whose records retention must not remove.
#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "control/api/handlers.h"

namespace sluice::control::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t decimals = 9;

std::string bound_text(std::uint64_t ns, std::uint64_t unbounded) {
  return ns == unbounded ? std::string()
                         : timestamp_text({static_cast<std::int64_t>(ns)}, decimals);
}

Json json_of(const audit::LegalHold& hold) {
  const audit::LegalHold unbounded;
  return {{"id", hold.id},
          {"from", bound_text(hold.from_ns, unbounded.from_ns)},
          {"until", bound_text(hold.until_ns, unbounded.until_ns)},
          {"reason", hold.reason}};
}

/// False: it is no time. Empty changes nothing.
bool read_bound(const std::string& text, std::uint64_t& ns) {
  const auto time = parse_timestamp(text);
  if (time) ns = static_cast<std::uint64_t>(time->ns);
  return time || text.empty();
}

/// status  of a refusal.
Outcome<std::string> text_of(const Result<audit::LegalHold>& hold, int status) {
  if (!hold) return refuse(status, hold.error().message);
  return json_of(*hold).dump();
}

}  // namespace

Outcome<std::string> list_legal_holds(const Actions& actions, const Asked& /*asked*/) {
  const auto holds = actions.legal_holds();
  if (!holds) return refuse(503, holds.error().message);
  Json list = Json::array();
  for (const audit::LegalHold& hold : holds->list) list.push_back(json_of(hold));
  return Json{{"legal_holds", std::move(list)}}.dump();
}

Outcome<std::string> add_legal_hold(const Actions& actions, const Asked& asked) {
  audit::LegalHold hold;
  if (!read_bound(asked.text("from"), hold.from_ns) ||
      !read_bound(asked.text("until"), hold.until_ns)) {
    return refuse(422, "its times must be as 2026-11-21T10:00:00Z, or empty");
  }
  hold.reason = asked.text("reason");
  return text_of(actions.add_legal_hold(std::move(hold), asked.caller.name()), 422);
}

Outcome<std::string> release_legal_hold(const Actions& actions, const Asked& asked) {
  return text_of(actions.release_legal_hold(asked.count("id"), asked.caller.name()), 409);
}

}  // namespace sluice::control::api
