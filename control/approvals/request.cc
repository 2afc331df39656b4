#include "control/approvals/request.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text_codec.h"
#include "base/timestamp.h"

namespace sluice::control {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t decimals = 3;

Json json_of(const config::Principal& who) {
  Json out{{"subject", who.subject},
           {"issuer", who.issuer},
           {"groups", who.groups},
           {"proof", config::text(who.proof)},
           {"credential", who.credential_id}};
  Json actors = Json::array();
  for (const config::Actor& actor : who.actors) actors.push_back(actor.subject);
  if (!actors.empty()) out["acting_for"] = std::move(actors);
  return out;
}

Json json_of(const config::HoldRule& held) {
  const config::Approval& approval = held.approval;
  return {{"rule", held.rule},
          {"by_groups", approval.by_groups},
          {"distinct", approval.distinct},
          {"all_groups", approval.all_groups},
          {"reason_required", approval.reason_required},
          {"break_glass", approval.break_glass}};
}

Json json_of(const Decision& decision) {
  Json out{{"decision", text(decision.verdict)},
           {"at", timestamp_text(decision.at.wall, decimals)},
           {"who", json_of(decision.who)}};
  if (decision.user) out["user"] = *decision.user;
  if (!decision.reason.empty()) out["reason"] = decision.reason;
  return out;
}

RequestState state_named(std::string_view name) {
  for (const RequestState one :
       {RequestState::waiting, RequestState::approved, RequestState::denied, RequestState::expired,
        RequestState::withdrawn, RequestState::unreviewed, RequestState::reviewed}) {
    if (name == text(one)) return one;
  }
  return RequestState::lost;
}

config::Principal principal_of(const Json& page) {
  config::Principal who;
  who.subject = page.at("subject").get<std::string>();
  who.issuer = page.at("issuer").get<std::string>();
  for (const Json& actor : page.value("acting_for", Json::array())) {
    who.actors.push_back({actor.get<std::string>(), {}});
  }
  return who;
}

config::HoldRule rule_of(const Json& page) {
  config::HoldRule held;
  held.rule = page.at("rule").get<std::string>();
  held.approval.by_groups = page.at("by_groups").get<std::vector<std::string>>();
  return held;
}

Decision decision_of(const Json& page) {
  Decision decision;
  const std::string verdict = page.at("decision").get<std::string>();
  for (const Verdict one :
       {Verdict::approve, Verdict::deny, Verdict::break_glass, Verdict::review}) {
    if (verdict == text(one)) decision.verdict = one;
  }
  decision.who = principal_of(page.at("who"));
  return decision;
}

template <class T>
Json list_of(const std::vector<T>& values) {
  Json out = Json::array();
  for (const T& value : values) out.push_back(json_of(value));
  return out;
}

}  // namespace

std::string_view text(RequestState state) noexcept {
  switch (state) {
    case RequestState::waiting:
      return "waiting";
    case RequestState::approved:
      return "approved";
    case RequestState::denied:
      return "denied";
    case RequestState::expired:
      return "expired";
    case RequestState::withdrawn:
      return "withdrawn";
    case RequestState::lost:
      return "lost";
    case RequestState::unreviewed:
      return "unreviewed";
    case RequestState::reviewed:
      return "reviewed";
  }
  return "lost";
}

std::string_view text(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::approve:
      return "approve";
    case Verdict::deny:
      return "deny";
    case Verdict::break_glass:
      return "break-glass";
    case Verdict::review:
      return "review";
  }
  return "deny";
}

std::string to_json(const Request& request) {
  const config::HeldOperation& what = request.what;
  Json out{{"id", what.request},
           {"state", text(request.state)},
           {"since", timestamp_text(request.since.wall, decimals)},
           {"until", timestamp_text(request.until.wall, decimals)},
           {"requester", json_of(what.who)},
           {"peer", what.peer},
           {"listener", what.listener},
           {"target", what.target},
           {"protocol", what.protocol},
           {"verb", what.verb},
           {"resource", what.resource},
           {"host", what.host},
           {"rules", list_of(what.rules)},
           {"decisions", list_of(request.decisions)},
           {"binding", to_hex(what.binding)},
           {"session", what.session},
           {"operation", what.operation},
           {"configuration", what.configuration}};
  if (what.is_ticket) {
    out["mode"] = "ticket";
    const bool is_approved = request.state == RequestState::approved;
    out["uses_left"] = is_approved ? request.uses_left : what.uses;
    if (is_approved) out["valid_until"] = timestamp_text(request.valid_until.wall, decimals);
  }
  if (!request.ended.empty()) out["ended"] = request.ended;
  // Names come from clients: what is no UTF-8 must not be a way to stay unseen.
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_asked_by(const Request& request, const config::Principal& who) {
  return request.what.who.subject == who.subject && request.what.who.issuer == who.issuer;
}

ClosedRequest closed_request(const std::string& document) {
  ClosedRequest closed;
  const Json page = Json::parse(document, nullptr, false);
  if (!page.is_object()) return closed;
  closed.state = state_named(page.value("state", ""));
  const Json asker = page.value("requester", Json::object());
  closed.subject = asker.value("subject", "");
  closed.issuer = asker.value("issuer", "");
  closed.is_open =
      closed.state == RequestState::approved && page.contains("mode") && !page.contains("ended");
  for (const Json& decision : page.value("decisions", Json::array())) {
    if (decision.value("decision", "") != "deny") continue;
    closed.reason = denial_text(decision.value("who", Json::object()).value("subject", ""),
                                decision.value("reason", ""));
  }
  return closed;
}

std::string denial_text(std::string_view subject, std::string_view reason) {
  return fmt::format("{} denied it{}{}", subject, reason.empty() ? "" : ": ", reason);
}

std::string with_state(const std::string& document, RequestState state) {
  Json out = Json::parse(document, nullptr, false);
  if (!out.is_object()) return document;
  out["state"] = text(state);
  return out.dump();
}

std::string with_decision(const std::string& document, const Decision& decision,
                          RequestState state) {
  Json out = Json::parse(document, nullptr, false);
  if (!out.is_object()) return document;
  out["state"] = text(state);
  out["decisions"].push_back(json_of(decision));
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<Request> request_of(const std::string& document) {
  try {
    const Json page = Json::parse(document);
    const auto text = [&page](const char* name) { return page.at(name).get<std::string>(); };
    Request request;
    request.what.request = text("id");
    request.what.who = principal_of(page.at("requester"));
    request.what.listener = text("listener");
    request.what.target = text("target");
    request.what.protocol = text("protocol");
    request.what.verb = text("verb");
    request.what.resource = text("resource");
    request.what.host = text("host");
    request.state = state_named(text("state"));
    for (const Json& rule : page.at("rules")) request.what.rules.push_back(rule_of(rule));
    for (const Json& one : page.at("decisions")) request.decisions.push_back(decision_of(one));
    return request;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace sluice::control
