// Operations that wait for people (control/approvals/).
#include <fmt/format.h>

#include <algorithm>

#include "control/api/handlers.h"

namespace sluice::control::api {
namespace {

int status_of(const DecisionReply& reply) {
  switch (reply.kind) {
    case DecisionReply::Kind::taken:
      return 200;
    case DecisionReply::Kind::unknown_request:
      return 404;
    case DecisionReply::Kind::unavailable:
      return 503;
    case DecisionReply::Kind::refused:
      break;
  }
  switch (reply.fault) {
    case DecisionFault::unproved:
      return 401;
    case DecisionFault::own_request:
    case DecisionFault::not_entitled:
    case DecisionFault::delegated:
      return 403;
    case DecisionFault::reason_missing:
      return 422;
    case DecisionFault::none:
    case DecisionFault::closed:
    case DecisionFault::expired:
    case DecisionFault::decided_before:
      return 409;
  }
  return 409;
}

/// As people type it: in any case.
std::string id_of(const Asked& asked) {
  std::string id = asked.text("id");
  std::ranges::transform(id, id.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
  });
  return id;
}

/// That the socket may be opened by somebody says nothing of who decides: a credential does.
Outcome<std::string> decide(const Actions& actions, const Asked& asked, Verdict verdict) {
  Decision decision;
  decision.verdict = verdict;
  decision.who = asked.caller.credential;
  decision.user = asked.caller.user;
  decision.reason = asked.text("reason");
  DecisionReply reply = actions.decide(id_of(asked), std::move(decision));
  const int status = status_of(reply);
  if (status != 200) return refuse(status, std::move(reply.text));
  return std::move(reply.text);
}

}  // namespace

Outcome<std::string> list_requests(const Actions& actions, const Asked& asked) {
  auto all = actions.requests(asked.text("state"));
  if (!all) return refuse(503, all.error().message);
  return std::move(*all);
}

Outcome<std::string> show_request(const Actions& actions, const Asked& asked) {
  const std::string id = id_of(asked);
  auto one = actions.request(id);
  if (!one) return refuse(503, one.error().message);
  if (!*one) return refuse(404, fmt::format("no request {}", id));
  return std::move(**one);
}

Outcome<std::string> approve(const Actions& actions, const Asked& asked) {
  return decide(actions, asked, Verdict::approve);
}

Outcome<std::string> deny(const Actions& actions, const Asked& asked) {
  return decide(actions, asked, Verdict::deny);
}

Outcome<std::string> break_glass(const Actions& actions, const Asked& asked) {
  return decide(actions, asked, Verdict::break_glass);
}

Outcome<std::string> review(const Actions& actions, const Asked& asked) {
  return decide(actions, asked, Verdict::review);
}

}  // namespace sluice::control::api
