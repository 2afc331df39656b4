#include "control/api/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "control/api/entry.h"
#include "control/api/target.h"
#include "control/json_text.h"
#include "parsers/http1/encoder.h"

namespace sluice::control::api {
namespace {

constexpr std::size_t parameter_bytes_max = 1024;

HttpReply reply_with(const Problem& problem) {
  const auto title = http1::reason_phrase(static_cast<std::uint16_t>(problem.status));
  return {
      .status = problem.status,
      .content_type = "application/problem+json",
      .body = fmt::format("{{\"type\":\"about:blank\",\"title\":{},\"status\":{},\"detail\":{}}}\n",
                          json_text(title), problem.status, json_text(problem.detail)),
      .fields = {{"Cache-Control", "no-store"}}};
}

HttpReply reply_with(const Call& call, std::string body) {
  if (!body.ends_with('\n')) body += '\n';
  return {.status = call.status,
          .content_type = std::string(call.media),
          .body = std::move(body),
          .fields = {{"Cache-Control", "no-store"}}};
}

/// The parts of a row's path.
std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> out;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    out.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return out;
}

bool is_parameter(std::string_view segment) noexcept {
  return segment.starts_with('{');
}

bool is_at(const Call& call, const Target& target) {
  return std::ranges::equal(segments_of(call.path), target.segments,
                            [](std::string_view own, const std::string& asked) {
                              return is_parameter(own) || own == asked;
                            });
}

/// A stream is not begun for its head.
bool takes(const Call& call, std::string_view method) noexcept {
  const bool has_head = call.method == "GET" && call.stream == nullptr;
  return call.method == method || (has_head && method == "HEAD");
}

/// The row, or the reply that there is none.
struct Found {
  const Call* call = nullptr;
  HttpReply reply = {};
};

Found find(const Target& target, std::string_view method) {
  std::string allowed;
  for (const Call& call : calls()) {
    if (!is_at(call, target)) continue;
    if (takes(call, method)) return {.call = &call};
    allowed += allowed.empty() ? "" : ", ";
    allowed += call.method;
  }
  if (allowed.empty()) return {.reply = reply_with({404, "there is no such page"})};
  Found none{.reply = reply_with({405, fmt::format("use {}", allowed)})};
  none.reply.fields.emplace_back("Allow", allowed);
  return none;
}

Caller caller_of(const Actions& actions, const HttpRequest& request, Entrance entrance) {
  Caller caller;
  if (entrance == Entrance::probes) return caller;
  const config::AdminRoles roles = actions.roles();
  if (entrance == Entrance::admin_socket && request.unix_peer) {
    caller.user = request.unix_peer->user;
    caller.who.subject = user_name(*caller.user).value_or(fmt::format("user {}", *caller.user));
    caller.who.issuer = "unix";
    caller.proof = "peer-credentials";
    caller.peer = fmt::format("user {}", *caller.user);
    caller.roles = roles_of(*request.unix_peer, roles);
  }
  std::string_view source;
  if (entrance == Entrance::tls_port && request.tcp_peer) {
    caller.peer = request.tcp_peer->address;
    source = request.tcp_peer->source;
  }
  if (const auto field = field_value(request.fields, "authorization"); !field.empty()) {
    Proving proving = actions.identify(field, source);
    caller.credential = std::move(proving.who);
    caller.proving = proving.state;
    caller.fault = proving.fault;
  }
  if (caller.credential.subject.empty()) return caller;
  caller.who = caller.credential;
  caller.proof = config::text(caller.credential.proof);
  caller.roles = caller.roles | roles_of(caller.credential.groups, roles);
  return caller;
}

bool may(const Call& call, const Caller& caller, Entrance entrance) {
  if (call.roles.empty() || call.roles.intersects(caller.roles)) return true;
  switch (call.besides) {
    case Besides::nobody:
      return false;
    case Besides::this_host:
      return entrance != Entrance::tls_port;
    case Besides::proved:
      return !caller.credential.subject.empty();
  }
  return false;
}

/// Nothing that helps a guesser.
Problem nobody_proved(const Caller& caller) {
  switch (caller.proving) {
    case Proving::State::unseen:
      return {429, "too many credentials from there were wrong: wait"};
    case Proving::State::awaits_keys:
      return {503, "the issuer's keys are being fetched: try again"};
    default:
      return {401, "who are you? Show a key or a token"};
  }
}

std::optional<Problem> want_of_role(const Call& call, const Caller& caller, Entrance entrance) {
  if (may(call, caller, entrance)) return std::nullopt;
  if (entrance == Entrance::probes) return Problem{403, "only on the admin socket"};
  if (caller.who.subject.empty()) return nobody_proved(caller);
  return Problem{403, fmt::format("{} has no role for this call, which needs one of: {}",
                                  caller.name(), text(call.roles))};
}

std::optional<Problem> put(Asked& asked, std::span<const Member> members, std::string_view name,
                           std::string value) {
  const auto member = std::ranges::find(members, name, &Member::name);
  if (member == members.end()) return Problem{400, "there is a parameter that it does not have"};
  const bool is_again = asked.has(name);
  if (is_again && member->kind != Member::Kind::texts) {
    return Problem{400, fmt::format("'{}' is there twice", name)};
  }
  if (value.size() > parameter_bytes_max)
    return Problem{400, fmt::format("'{}' is too long", name)};
  identity::JsonValue read = value_of(std::move(value), *member);
  if (is_again) {
    auto& all = asked.arguments.find(name)->second.items;
    read.items.insert(read.items.begin(), all.begin(), all.end());
  }
  if (auto fault = fault_of(read, *member)) return Problem{400, std::move(*fault)};
  asked.arguments.insert_or_assign(std::string(name), std::move(read));
  return std::nullopt;
}

std::optional<Problem> read_parameters(const Call& call, const Target& target, Asked& asked) {
  const auto own = segments_of(call.path);
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (!is_parameter(own[i])) continue;
    const std::string_view name = own[i].substr(1, own[i].size() - 2);
    if (auto problem = put(asked, call.parameters, name, target.segments[i])) return problem;
  }
  for (const auto& [name, value] : target.query) {
    // One of the path is there already, and so is there twice.
    if (auto problem = put(asked, call.parameters, name, value)) return problem;
  }
  for (const Member& member : call.parameters) {
    if (member.is_required && !asked.has(member.name)) {
      return Problem{400, fmt::format("it needs '{}'", member.name)};
    }
  }
  return std::nullopt;
}

std::optional<Problem> read_body(const Call& call, const std::string& body, Asked& asked) {
  if (call.body == nullptr) {
    if (body.empty()) return std::nullopt;
    return Problem{400, "it takes no body"};
  }
  auto page = identity::read_json_object(body.empty() ? "{}" : body, {});
  if (!page) return Problem{400, "the body must be one JSON object, no member twice"};
  if (auto fault = fault_of(*page, *call.body)) return Problem{400, std::move(*fault)};
  for (std::size_t i = 0; i < page->names.size(); ++i) {
    asked.arguments.emplace(std::move(page->names[i]), std::move(page->items[i]));
  }
  return std::nullopt;
}

/// HTML Living Standard §9.2.4: where a client lost a stream.
std::optional<Problem> read_last_event(const Call& call, const HttpRequest& request, Asked& asked) {
  const std::string_view last = field_value(request.fields, "last-event-id");
  if (call.media != event_stream || last.empty()) return std::nullopt;
  // Its URL has what it began with.
  asked.arguments.erase("after");
  return put(asked, call.parameters, "after", std::string(last));
}

using JsonFault = nlohmann::json::exception;

/// By its number alone: its words quote what it is about.
void tell(const decltype(Actions::alarm)& alarm, const Call& call, const JsonFault& fault) {
  alarm("api-fault", fmt::format("{}: JSON fault {}", call.id, fault.id));
}

/// Runs what a row names. JSON that cannot be made, of a text that is no UTF-8 perhaps, is a fault
/// of ours, and ends the call alone.
template <class Work>
auto guarded(Work work, const Actions& actions, const Call& call, const Asked& asked)
    -> decltype(work(actions, asked)) {
  try {
    return work(actions, asked);
  } catch (const JsonFault& fault) {
    tell(actions.alarm, call, fault);
    return refuse(500, "a fault of the gateway's own; what was asked for may be done already");
  }
}

/// The same of what follows; there the stream ends.
HttpPieces guarded(HttpPieces pieces, const Actions& actions, const Call& call) {
  return
      [pieces = std::move(pieces), alarm = actions.alarm, &call]() -> std::optional<std::string> {
        try {
          return pieces();
        } catch (const JsonFault& fault) {
          tell(alarm, call, fault);
          return std::nullopt;
        }
      };
}

/// "from=2026-11-01T00:00:00Z subject=ann"
std::string words_of(const decltype(Target::query)& arguments) {
  std::string out;
  for (const auto& [name, value] : arguments) {
    out += out.empty() ? "" : " ";
    out.append(name).append("=").append(value);
  }
  return out;
}

/// errors   also what the call itself refuses
Outcome<HttpReply> perform(const Actions& actions, const Call& call, const Target& target,
                           const HttpRequest& request, const Caller& caller) {
  Asked asked{caller, {}, request.is_awaited};
  if (auto problem = read_parameters(call, target, asked)) return tl::unexpected(*problem);
  if (auto problem = read_last_event(call, request, asked)) return tl::unexpected(*problem);
  if (auto problem = read_body(call, request.body, asked)) return tl::unexpected(*problem);
  if (call.effect != Effect::reads) {
    const Entry entry(call, target, caller);
    const std::string why =
        call.effect == Effect::discloses ? words_of(target.query) : asked.text("reason");
    if (auto done = actions.record(entry.called(why), true); !done) {
      return refuse(503, done.error().message);
    }
  }
  if (call.stream != nullptr) {
    auto stream = guarded(call.stream, actions, call, asked);
    if (!stream) return tl::unexpected(stream.error());
    stream->pieces = guarded(std::move(stream->pieces), actions, call);
    return HttpReply{.status = call.status,
                     .content_type = std::string(call.media),
                     .fields = {{"Cache-Control", "no-store"}},
                     .stream = std::move(*stream)};
  }
  auto body = guarded(call.run, actions, call, asked);
  if (!body) return tl::unexpected(body.error());
  return reply_with(call, std::move(*body));
}

}  // namespace

HttpReply answer(const Actions& actions, const HttpRequest& request, Entrance entrance) {
  const auto target = parse_target(request.target);
  if (!target) return reply_with({400, "that is no path and query"});
  const Found found = find(*target, request.method);
  if (found.call == nullptr) return found.reply;
  const Call& call = *found.call;
  const Caller caller = caller_of(actions, request, entrance);
  const Entry entry(call, *target, caller);
  if (auto problem = want_of_role(call, caller, entrance)) {
    // It stays refused, whether or not the log takes it. Who only scrapes is no caller.
    if (entrance != Entrance::probes) {
      static_cast<void>(actions.record(entry.denied(*problem), false));
    }
    HttpReply reply = reply_with(*problem);
    if (problem->status == 401) reply.fields.emplace_back("WWW-Authenticate", "Bearer");
    return reply;
  }
  auto done = perform(actions, call, *target, request, caller);
  if (done) return std::move(*done);
  if (call.effect != Effect::reads) {
    static_cast<void>(actions.record(entry.failed(done.error()), false));
  }
  return reply_with(done.error());
}

}  // namespace sluice::control::api
