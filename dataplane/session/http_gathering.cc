// Requests that are read whole before they are judged: policy looks at their bodies, or
// people decide on them.
#include <cstring>

#include "dataplane/session/collect.h"
#include "dataplane/session/http_actions.h"
#include "dataplane/session/http_judged.h"
#include "dataplane/session/http_session.h"

namespace sluice::dataplane {
namespace {

using http1::Framing;
using Kind = http1::Step::Kind;

}  // namespace

/// Keeps the request here until its whole body can be scanned.
void HttpSession::gather_body(const http1::RequestHead& head, std::size_t head_bytes) {
  Judged judged;
  const config::HttpLimits& limits = exchange_->listener->settings.http;
  const bool too_large =
      head.framing == Framing::length && head.content_length > limits.inspected_body_bytes_max;
  held_head_ = too_large ? no_buffer : worker_.pool.take();
  if (too_large) {
    return refuse(head, judged, 413, protocol_rule, "the body is larger than policy can inspect");
  }
  if (held_head_ == no_buffer) return refuse(head, judged, 503, protocol_rule, "no buffer is free");
  answer_expectation(head);
  std::memcpy(worker_.pool.data(held_head_), client_inbox_.bytes(worker_.chunks).data(),
              head_bytes);
  held_head_bytes_ = static_cast<std::uint32_t>(head_bytes);
  held_bytes_ = 0;
  consume_head();
  stage_ = Stage::inspect;
}

bool HttpSession::inspect_body() {
  if (client_inbox_.empty() || !may_record()) return false;
  const Collected piece =
      collect(worker_, client_inbox_, decoder_, plan().limits.trailer_bytes_max);
  held_bytes_ += piece.payload.size();
  bool kept = piece.fault == http1::Fault::none &&
              held_bytes_ <= exchange_->listener->settings.http.inspected_body_bytes_max;
  if (kept) kept = held_.append(worker_.chunks, worker_.pool, piece.payload);
  const bool drained = client_inbox_.bytes(worker_.chunks).empty();
  if (drained) client_inbox_.drop_front(worker_.chunks, worker_.pool);
  if (piece.fault != http1::Fault::none) {
    refuse_unread(http1::status_of(piece.fault), http1::text(piece.fault));
    return true;
  }
  if (!kept) {
    refuse_unread(413, "the body is larger than policy can inspect");
    return true;
  }
  if (piece.last) {
    stage_ = Stage::judge;
    return true;
  }
  const bool moved = drained || !piece.payload.empty();
  return moved && !client_inbox_.empty();
}

/// False while the log has no room for what comes of it.
bool HttpSession::judge_held_body() {
  if (!may_record()) return false;
  http1::RequestDecoder again(exchange_->listener->limits);
  const ByteView bytes{worker_.pool.data(held_head_), held_head_bytes_};
  const http1::Step step = again.decode(bytes, worker_.fields);
  ASSERT(step.kind == Kind::head);
  const http1::RequestHead& head = again.request();

  exchange_->request_complete = true;
  Judged judged;
  judged.target =
      http1::normalise_target(head.target, head.host, head.method, worker_.target_room).target;
  stage_ = Stage::head;
  if (!identify(head, judged)) return true;

  if (asks_about_request(judged.target, *judged.view)) {
    look_at_request(head, judged);
    return true;
  }
  judged.action = http_action(*exchange_->listener, head, judged.target, action_room());
  std::optional<config::Ruling> ruling =
      exchange_->listener->policy.judge(*judged.view, judged.action);
  if (ruling->kind == config::Ruling::Kind::needs_body) ruling = judge_body(head, judged);
  if (ruling) settle_ruling(head, judged, *ruling);
  return true;
}

/// Nothing when the request was refused.
std::optional<config::Ruling> HttpSession::judge_body(const http1::RequestHead& head,
                                                      Judged& judged) {
  using RulingKind = config::Ruling::Kind;
  const BodyReading reading = body_reading(head.fields);
  if (held_bytes_ != 0 && !reading.is_readable) {
    refuse(head, judged, 415, protocol_rule,
           "policy cannot read a body of this type, coding or charset");
    return std::nullopt;
  }
  worker_.body_pieces.clear();
  held_.for_each(worker_.chunks, [&](ByteSpan piece) { worker_.body_pieces.push_back(piece); });
  if (is_in_wide_characters(worker_.body_pieces, reading)) {
    refuse(head, judged, 415, protocol_rule, "policy cannot read a body in UTF-16 or UTF-32");
    return std::nullopt;
  }
  bool has_coded_part = false;
  const auto judge_as = [&](matcher::BodyKind kind) {
    const BodyHits found =
        scan_body(*exchange_->listener, worker_.body_pieces, kind, worker_.scratch);
    has_coded_part = found.has_coded_part;
    judged.action.body_hits = found.hits;
    judged.action.body_seen = true;
    return exchange_->listener->policy.judge(*judged.view, judged.action);
  };
  // A target may read the body otherwise than its type says: what any reading
  // forbids is forbidden, what is allowed is so by the declared one.
  config::Ruling ruling = judge_as(reading.kind);
  if (has_coded_part && reading.is_multipart) {
    refuse(head, judged, 415, protocol_rule, "policy cannot read a part of this coding or charset");
    return std::nullopt;
  }
  for (const auto kind : {matcher::BodyKind::json, matcher::BodyKind::form}) {
    if (ruling.kind == RulingKind::deny || kind == reading.kind) continue;
    const config::Ruling other = judge_as(kind);
    if (other.kind == RulingKind::deny && other.rule != config::default_deny) {
      ruling = other;
    } else if (other.holds != 0) {
      exchange_->listener->policy.add_holds(ruling, other.holds);
    }
  }
  return ruling;
}

}  // namespace sluice::dataplane
