#include "dataplane/session/rehearsal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "dataplane/session/heads.h"
#include "dataplane/session/http_actions.h"
#include "dataplane/session/worker_context.h"
#include "parsers/http1/decoder.h"
#include "parsers/http1/target.h"

namespace sluice::dataplane {
namespace {

using Kind = config::Ruling::Kind;

RehearsedRuling refused(std::string_view reason) {
  return {.kind = Kind::deny, .rule = std::string(protocol_rule), .reason = std::string(reason)};
}

/// As bytes, behind which there is room to read.
std::vector<std::uint8_t> readable(std::string_view text) {
  std::vector<std::uint8_t> bytes(text.size() + readable_tail_bytes);
  std::ranges::copy(text, bytes.begin());
  return bytes;
}

std::string head_of(const RehearsedRequest& request) {
  std::string head =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, request.target, request.host);
  for (const auto& [name, value] : request.fields) head += fmt::format("{}: {}\r\n", name, value);
  if (request.body) head += fmt::format("Content-Length: {}\r\n", request.body->size());
  return head + "\r\n";
}

}  // namespace

Rehearsal::Rehearsal(std::shared_ptr<const Snapshot> snapshot)
    : view_(std::move(snapshot), {}),
      lines_(head_bytes_max + readable_tail_bytes),
      target_(sizeof(WorkerContext::target_room)) {}

Result<std::unique_ptr<Rehearsal>> Rehearsal::under(std::shared_ptr<const Snapshot> snapshot) {
  auto made = std::unique_ptr<Rehearsal>(new Rehearsal(std::move(snapshot)));
  const Snapshot& own = made->view_.snapshot();
  for (matcher::Scratch* each : {&made->scratch_, &made->body_scratch_}) {
    if (auto done = each->prepare(*own.masks); !done) return tl::unexpected(done.error());
    for (const ListenerPlan& plan : own.listeners) {
      for (const auto& set : {plan.headers, plan.bodies, plan.statements}) {
        if (!set) continue;
        if (auto done = each->prepare(*set); !done) return tl::unexpected(done.error());
      }
    }
  }
  for (const ListenerPlan& plan : own.listeners) {
    plan.policy.paths().prepare(made->path_search_);
    if (plan.headers) made->header_hits_.reserve(plan.headers->size());
  }
  return made;
}

std::optional<std::size_t> Rehearsal::listener(std::string_view name) const noexcept {
  const auto& listeners = view_.snapshot().listeners;
  const auto found = std::ranges::find(listeners, name, [](const ListenerPlan& plan) {
    return std::string_view(plan.settings.name);
  });
  if (found == listeners.end()) return std::nullopt;
  return static_cast<std::size_t>(found - listeners.begin());
}

config::Protocol Rehearsal::protocol(std::size_t listener) const noexcept {
  return view_.snapshot().listeners[listener].settings.protocol;
}

bool Rehearsal::looks_beyond_records(std::size_t listener) const noexcept {
  const ListenerPlan& plan = view_.snapshot().listeners[listener];
  return plan.headers != nullptr || plan.statements != nullptr;
}

RehearsedRuling Rehearsal::judge(std::size_t listener, const config::Principal* principal,
                                 const RehearsedRequest& request) {
  const ListenerPlan& plan = view_.snapshot().listeners[listener];
  const auto bytes = readable(head_of(request));
  http1::RequestDecoder decoder(plan.limits);
  const auto step =
      decoder.decode(ByteView(bytes).first(bytes.size() - readable_tail_bytes), fields_);
  if (step.kind == http1::Step::Kind::malformed) return refused(http1::text(step.fault));
  if (step.kind != http1::Step::Kind::head) return refused("the head is not whole");
  const http1::RequestHead& head = decoder.request();
  const auto normalised = http1::normalise_target(head.target, head.host, head.method, target_);
  if (normalised.fault != http1::TargetFault::none) return refused(http1::text(normalised.fault));

  if (principal == nullptr && !view_.snapshot().settings.identity.allow_anonymous) {
    return refused("a request needs a credential here");
  }
  const config::PrincipalView view = principal != nullptr
                                         ? plan.policy.view_of(*principal)
                                         : plan.policy.view_of(config::Principal{});
  config::HttpAction action =
      http_action(plan, head, normalised.target,
                  {path_search_, scratch_, header_hits_, ByteSpan(lines_).first(head_bytes_max)});
  config::Ruling ruling = plan.policy.judge(view, action);
  if (ruling.kind == Kind::needs_body && request.body) {
    ruling = judge_body(plan, view, action, head, *request.body);
  }
  RehearsedRuling out = told(ruling, view);
  out.operation = fmt::format("{} {}", head.method_text, normalised.target.whole);
  return out;
}

config::Ruling Rehearsal::judge_body(const ListenerPlan& plan, const config::PrincipalView& view,
                                     config::HttpAction action, const http1::RequestHead& head,
                                     std::string_view body) {
  const config::Ruling unreadable{Kind::deny, protocol_rule,
                                  "policy cannot read a body of this type, coding or charset"};
  const BodyReading reading = body_reading(head.fields);
  const auto bytes = readable(body);
  const std::array pieces{ByteView(bytes).first(body.size())};
  if ((!body.empty() && !reading.is_readable) || is_in_wide_characters(pieces, reading)) {
    return unreadable;
  }
  const auto judge_as = [&](matcher::BodyKind kind) {
    const BodyHits found = scan_body(plan, pieces, kind, body_scratch_);
    action.body_hits = found.hits;
    action.body_seen = true;
    const bool is_coded = found.has_coded_part && reading.is_multipart;
    return is_coded ? unreadable : plan.policy.judge(view, action);
  };
  config::Ruling ruling = judge_as(reading.kind);
  // As of traffic: what any reading forbids is forbidden.
  for (const auto kind : {matcher::BodyKind::json, matcher::BodyKind::form}) {
    if (ruling.kind != Kind::allow || kind == reading.kind) continue;
    const config::Ruling other = judge_as(kind);
    if (other.kind == Kind::deny && other.rule != config::default_deny) ruling = other;
  }
  return ruling;
}

RehearsedRuling Rehearsal::judge(std::size_t listener, const config::Principal& principal,
                                 std::string_view sql,
                                 std::span<const std::string_view> search_path) {
  const ListenerPlan& plan = view_.snapshot().listeners[listener];
  const auto view = std::make_shared<const config::PrincipalView>(plan.policy.view_of(principal));
  const StatementContext context{&view_, listener, view, search_path};
  const auto bytes = readable(sql);
  const JudgedStatement judged =
      statements_.judge(as_text(ByteView(bytes).first(sql.size())), context, scratch_);
  RehearsedRuling out = told(judged.ruling, *view);
  out.operation = judged.info->classes;
  return out;
}

RehearsedRuling Rehearsal::told(const config::Ruling& ruling,
                                const config::PrincipalView& view) const {
  RehearsedRuling out{.kind = ruling.kind,
                      .rule = std::string(ruling.rule),
                      .reason = std::string(ruling.reason),
                      .is_recorded = ruling.is_recorded};
  if (ruling.kind != Kind::allow) return out;
  const auto& masks = view_.snapshot().settings.masks;
  for (std::size_t i = 0; i < masks.size(); ++i) {
    if (view.response_masks().test(i)) out.masks.push_back(masks[i].name);
  }
  return out;
}

}  // namespace sluice::dataplane
