#include "control/approvals/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/ascii.h"
#include "control/json_text.h"
#include "identity/json_value.h"

namespace sluice::control {
namespace {

constexpr std::string_view root = "/requests";
constexpr std::string_view state_query = "?state=";
constexpr std::size_t reason_bytes_max = 1024;

HttpReply json_reply(int status, std::string body) {
  body += '\n';
  return {.status = status, .content_type = "application/json", .body = std::move(body)};
}

HttpReply refusal(int status, std::string_view why) {
  return json_reply(status, fmt::format("{{\"error\":{}}}", json_text(why)));
}

HttpReply unavailable(const Error& error) {
  return refusal(503, error.message);
}

HttpReply wrong_method(std::string_view use) {
  HttpReply reply = refusal(405, fmt::format("use {}", use));
  reply.fields.emplace_back("Allow", use);
  return reply;
}

HttpReply list(Desk& desk, std::string_view query) {
  std::string_view state;
  if (!query.empty()) {
    if (!query.starts_with(state_query)) return refusal(400, "the only question is ?state=");
    state = query.substr(state_query.size());
  }
  const auto all = desk.list(state);
  return all ? json_reply(200, *all) : unavailable(all.error());
}

HttpReply show(Desk& desk, const std::string& id) {
  const auto one = desk.show(id);
  if (!one) return unavailable(one.error());
  return *one ? json_reply(200, **one) : refusal(404, fmt::format("no request {}", id));
}

/// Nothing: the body is not what it should be.
std::optional<std::string> reason_of(const std::string& body) {
  if (body.empty()) return std::string();
  const auto page = identity::read_json_object(body, {});
  if (!page) return std::nullopt;
  const std::string* const reason = page->find_text("reason");
  const bool is_plain = page->names.size() == (reason == nullptr ? 0U : 1U);
  if (!is_plain) return std::nullopt;
  if (reason == nullptr) return std::string();
  if (reason->size() > reason_bytes_max) return std::nullopt;
  return *reason;
}

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

HttpReply decide(Desk& desk, const HttpRequest& request, const std::string& id, Verdict verdict,
                 const std::function<config::Principal(std::string_view)>& identify) {
  auto reason = reason_of(request.body);
  if (!reason) {
    return refusal(400, fmt::format("the body is {{\"reason\": \"…\"}}, of at most {} bytes",
                                    reason_bytes_max));
  }
  Decision decision;
  decision.verdict = verdict;
  decision.who = identify(field_value(request.fields, "authorization"));
  decision.user = request.user;
  decision.reason = std::move(*reason);
  const DecisionReply reply = desk.decide(id, std::move(decision));
  const int status = status_of(reply);
  return status == 200 ? json_reply(status, reply.text) : refusal(status, reply.text);
}

/// As people type it: in any case.
std::string id_of(std::string_view text) {
  std::string id(text);
  std::ranges::transform(id, id.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
  });
  return id;
}

bool is_id(std::string_view text) {
  return text.size() == 8 && std::ranges::all_of(text, is_letter_or_digit<char>);
}

}  // namespace

bool is_requests_page(std::string_view target) noexcept {
  if (!target.starts_with(root)) return false;
  return target.size() == root.size() || target[root.size()] == '/' || target[root.size()] == '?';
}

HttpReply answer_requests(Desk& desk, const HttpRequest& request,
                          const std::function<config::Principal(std::string_view)>& identify) {
  const bool is_get = request.method == "GET" || request.method == "HEAD";
  std::string_view rest = std::string_view(request.target).substr(root.size());
  if (!rest.starts_with('/')) return is_get ? list(desk, rest) : wrong_method("GET");
  rest.remove_prefix(1);
  const std::size_t slash = rest.find('/');
  if (!is_id(rest.substr(0, slash))) return refusal(404, "a request has a name of 8 characters");
  const std::string id = id_of(rest.substr(0, slash));
  if (slash == rest.npos) return is_get ? show(desk, id) : wrong_method("GET");
  const std::string_view verb = rest.substr(slash + 1);
  if (verb != "approve" && verb != "deny") return refusal(404, "no such page");
  if (request.method != "POST") return wrong_method("POST");
  return decide(desk, request, id, verb == "approve" ? Verdict::approve : Verdict::deny, identify);
}

}  // namespace sluice::control
