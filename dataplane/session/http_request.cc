// The client's side of a session: heads are read, callers identified, requests
// judged, recorded and sent on.
#include <algorithm>
#include <cstring>

#include "dataplane/session/collect.h"
#include "dataplane/session/http_actions.h"
#include "dataplane/session/http_judged.h"
#include "dataplane/session/http_session.h"
#include "dataplane/session/principal_record.h"
#include "parsers/http1/fields.h"

namespace sluice::dataplane {
namespace {

using http1::FieldName;
using http1::Framing;
using http1::Method;
using Kind = http1::Step::Kind;

constexpr std::string_view continue_response = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::uint64_t discarded_body_bytes_max = 64 * 1024;

bool is_idempotent(Method method) noexcept {  // RFC 9110 §9.2.2
  return method == Method::get || method == Method::head || method == Method::options ||
         method == Method::put || method == Method::delete_;
}

bool has_body(const http1::RequestHead& head) noexcept {
  return head.framing == Framing::chunked ||
         (head.framing == Framing::length && head.content_length != 0);
}

}  // namespace

bool HttpSession::read_head() {
  if (client_inbox_.empty() || !may_read_head()) return false;
  if (client_inbox_.bytes(worker_.chunks).empty()) {
    client_inbox_.drop_front(worker_.chunks, worker_.pool);
    return true;
  }
  if (!may_record() || !may_add_to_recording()) return false;
  if (worker_.log.is_broken()) {
    refuse_unread(503, log_refusal);
    return true;
  }
  if (client_inbox_.bytes(worker_.chunks).size() < gather_bytes_) {
    if (!wait_for_more(gather_bytes_)) return false;
    return true;
  }
  take_up_limits();
  const http1::Step step = decoder_.decode(client_inbox_.bytes(worker_.chunks), worker_.fields);
  switch (step.kind) {
    case Kind::needs_more:
      client_inbox_.consume(worker_.chunks, step.size_bytes);
      if (client_inbox_.bytes(worker_.chunks).empty()) return true;
      return wait_for_more(plan().limits.head_bytes_max);
    case Kind::head:
      begin(decoder_.request(), step.size_bytes);
      return true;
    case Kind::malformed:
      refuse_unread(http1::status_of(step.fault), http1::text(step.fault));
      return true;
    case Kind::data:
    case Kind::end:
      ASSERT(false);
  }
  return false;
}

/// A head is read by the limits of the configuration that its request is judged by.
void HttpSession::take_up_limits() {
  const std::uint64_t generation = worker_.current->snapshot().generation;
  if (exchange_ || generation == decoder_generation_) return;
  decoder_ = http1::RequestDecoder(plan().limits);
  decoder_generation_ = generation;
}

/// Moves bytes of the next buffer behind the first's. True when that changed
/// anything; false when the rest has still to come.
bool HttpSession::wait_for_more(std::size_t bytes_max) {
  return client_inbox_.join_front(worker_.chunks, worker_.pool, bytes_max);
}

void HttpSession::begin(const http1::RequestHead& head, std::size_t head_bytes) {
  if (!exchange_) {
    exchange_ = worker_.exchanges.take();
    exchange_->begin(worker_.current->snapshot().masks->size());
    exchange_->view = worker_.current;
    ++exchange_->view->operations;
    exchange_->started = worker_.now.monotonic;
    exchange_->listener = &worker_.current->snapshot().listeners[listener_];
    exchange_->target = &worker_.current->snapshot().targets[exchange_->listener->target];
    exchange_->number = ++operations_;
  }
  Exchange& exchange = *exchange_;
  unread_head_bytes_ = head_bytes;
  gather_bytes_ = 0;
  exchange.method = head.method;
  exchange.client_minor = head.version_minor;
  exchange.client_keeps_alive =
      head.keep_alive && !worker_.draining &&
      exchange.number < exchange.listener->settings.http.requests_per_connection_max;

  Judged judged;
  // RFC 9110 §9.3.8: the answer to TRACE repeats the request, the target's credential with it.
  if (head.method == Method::connect || head.method == Method::trace || head.wants_upgrade) {
    return refuse(head, judged, 501, protocol_rule, "CONNECT, TRACE and Upgrade are not supported");
  }
  const auto normalised =
      http1::normalise_target(head.target, head.host, head.method, worker_.target_room);
  if (normalised.fault != http1::TargetFault::none) {
    return refuse(head, judged, 400, protocol_rule, http1::text(normalised.fault));
  }
  judged.target = normalised.target;
  if (!identify(head, judged)) return;

  judged.action = http_action(*exchange.listener, head, judged.target, action_room());
  const config::Ruling ruling = exchange.listener->policy.judge(*judged.view, judged.action);
  const bool needs_whole = ruling.kind == config::Ruling::Kind::needs_body ||
                           ruling.kind == config::Ruling::Kind::hold ||
                           asks_about_request(judged.target, *judged.view);
  if (needs_whole) return gather_body(head, head_bytes);
  if (ruling.kind == config::Ruling::Kind::allow && must_gather(head, head_bytes, judged)) return;

  consume_head();
  settle_ruling(head, judged, ruling);
}

/// The body is awaited here: who asks whether to send it is told so.
void HttpSession::answer_expectation(const http1::RequestHead& head) {
  if (head.expects_continue && !std::exchange(continue_answered_, true)) {
    to_client_.push_static(as_bytes(continue_response));
  }
}

/// A short body that will be masked is awaited whole, so that its new length is
/// known and does not depend on how it arrived. True while it is awaited.
bool HttpSession::must_gather(const http1::RequestHead& head, std::size_t head_bytes,
                              const Judged& judged) {
  if (judged.view->request_masks().none() || head.framing != Framing::length) return false;
  if (head.content_length > gathered_body_bytes_max) return false;
  const std::size_t wanted =
      std::min(head_bytes + static_cast<std::size_t>(head.content_length), buffer_data_bytes_max);
  if (client_inbox_.bytes(worker_.chunks).size() >= wanted) return false;
  gather_bytes_ = wanted;
  answer_expectation(head);
  decoder_ = http1::RequestDecoder(plan().limits);
  return true;
}

void HttpSession::settle_ruling(const http1::RequestHead& head, Judged& judged,
                                const config::Ruling& ruling) {
  const bool is_held = ruling.kind == config::Ruling::Kind::hold;
  if (is_held && !is_cleared(head, judged, ruling)) return;
  if (is_held || ruling.kind == config::Ruling::Kind::allow) {
    judged.rule = ruling.rule;
    judged.is_recorded = ruling.is_recorded;
    if (!judged.is_recorded || !recording_.refuses()) return admit(head, judged);
    worker_.metrics.requests_unavailable.add();
    return refuse(head, judged, 503, recordings_rule, recordings_refusal);
  }
  worker_.metrics.requests_denied.add();
  worker_.metrics.denials.add(exchange_->target->settings.name, ruling.rule);
  refuse(head, judged, 403, ruling.rule,
         ruling.reason.empty() ? "the policy does not allow this request" : ruling.reason);
}

/// Records the intent and sends the request on its way.
void HttpSession::admit(const http1::RequestHead& head, Judged& judged) {
  Exchange& exchange = *exchange_;
  const Snapshot& snapshot = exchange.view->snapshot();
  exchange.request_masks = judged.view->request_masks();
  exchange.response_masks = judged.view->response_masks();
  exchange.request_is_masked = exchange.request_masks.any() && has_body(head);
  if (exchange.request_is_masked) {
    const BodyReading reading = body_reading(head.fields);
    if (!reading.is_readable) {
      return refuse(head, judged, 415, protocol_rule,
                    "masks cannot read a body of this type, coding or charset");
    }
    exchange.request_masker.start(*snapshot.masks, exchange.request_masks, reading.kind);
  }
  exchange.request_relay.start(exchange.request_is_masked ? &exchange.request_masker : nullptr);

  // The body's first piece goes with the head when it is already here.
  const Piece piece = next_request_piece();
  if (piece.collected.fault != http1::Fault::none) {
    return refuse(head, judged, http1::status_of(piece.collected.fault), protocol_rule,
                  http1::text(piece.collected.fault));
  }
  Settled settled = exchange.request_relay.settle(worker_, piece.buffer, piece.collected);
  if (settled.fault != Settled::Fault::none) {
    const bool malformed = settled.fault == Settled::Fault::malformed;
    refuse(head, judged, malformed ? 400 : 503, protocol_rule,
           malformed ? "masks cannot read the body: it is not valid JSON" : "no buffer is free");
    return BodyRelay::drop(worker_.pool, settled);
  }

  BodyFraming framing;
  if (head.framing == Framing::length && !exchange.request_is_masked) {
    framing = {OutFraming::length, head.content_length};
  } else if (head.framing == Framing::length && settled.last) {
    framing = {OutFraming::length, settled.size_bytes()};
  } else if (head.framing != Framing::none) {
    framing = {OutFraming::chunked, 0};
  }
  exchange.request_relay.set_framing(framing.framing);

  RequestHeadRules rules;
  rules.listener = exchange.listener;
  rules.target = exchange.target;
  rules.peer_host = host_of(peer_text_);
  if (exchange.listener->settings.tls &&
      exchange.listener->settings.tls->forward_client_certificate) {
    rules.client_certificate = certificate_.forwarded();
  }
  rules.masks = snapshot.masks.get();
  rules.request_masks = exchange.request_masks;
  rules.response_is_masked = exchange.response_masks.any();
  rules.continue_answered = continue_answered_;
  rules.mask_counts = exchange.head_mask_counts;
  http1::HeadWriter onward(worker_.head_room);
  write_request_head(onward, head, judged.target, framing, rules, worker_);
  if (onward.overflowed()) {
    refuse(head, judged, 431, protocol_rule, "the request head is too large");
    return BodyRelay::drop(worker_.pool, settled);
  }

  if (judged.is_recorded) {
    begin_recording(judged.principal == nullptr ? std::string_view() : judged.principal->subject);
  }
  audit::Record record = describe(head, judged);
  record.ruling = audit::RulingKind::allow;
  record.rule = judged.rule;
  if (exchange.is_recorded) record.recording = recording_.name();
  const auto intent = log_.append_intent(record);
  if (!intent) {
    // Without a record nothing may go on; this answer carries nothing of the target.
    BodyRelay::drop(worker_.pool, settled);
    const bool is_head = head.method == Method::head;
    drop_exchange();
    return answer({503, log_refusal, {}, {}, is_head, true}, std::nullopt);
  }
  exchange.intent = *intent;
  // It runs: whoever approved it is told of that only now that it is recorded.
  end_hold(config::HoldEnd::ran);
  send_on_after(*intent);
  if (exchange.is_recorded) record_request(head, record);
  worker_.metrics.requests_allowed.add();
  continue_answered_ = false;
  exchange.bytes_in = piece.collected.payload.size();
  exchange.request_complete = piece.collected.last;
  if (is_idempotent(head.method) && exchange.request_complete) to_upstream_.keep_sent();
  exchange.response_decoder.emplace(exchange.listener->limits);
  exchange.response_decoder->expect(head.method);

  acquire_upstream();
  ++exchange.attempts;
  send_on(settled, onward.written(), piece);
}

/// Queues settled bytes of the request towards the target.
void HttpSession::send_on(Settled settled, ByteView head, const Piece& piece) {
  Exchange& exchange = *exchange_;
  const auto trailers = encode_trailers(piece.collected.trailers, exchange.request_masks, true);
  if (!trailers) {
    BodyRelay::drop(worker_.pool, settled);
    return fail_exchange(431, "malformed-request", "the masked trailers are too large");
  }
  while (settled.buffer != no_buffer) {
    if (settled.fault != Settled::Fault::none) {
      const bool malformed = settled.fault == Settled::Fault::malformed;
      BodyRelay::drop(worker_.pool, settled);
      return malformed ? fail_exchange(400, "unmaskable-request",
                                       "masks cannot read the body: it is not valid JSON")
                       : fail_exchange(503, "no-buffers", "no buffer is free");
    }
    if (exchange.is_recorded) record_request_piece(settled);
    if (!exchange.request_relay.emit(worker_, to_upstream_, settled, head, *trailers)) {
      return fail_exchange(503, "no-buffers", "no buffer is free");
    }
  }
  drop_request_piece();
  stage_ = exchange.request_complete ? Stage::response : Stage::body;
}

/// The next piece of the request's body, from what is held or from the client.
/// Its buffer stays with its inbox until drop_request_piece.
HttpSession::Piece HttpSession::next_request_piece() {
  if (held_head_ == no_buffer) {
    const Collected collected =
        collect(worker_, client_inbox_, decoder_, plan().limits.trailer_bytes_max);
    return {collected, client_inbox_.front()};
  }
  // What is held was decoded when it came. An empty body stands behind its head.
  const bool empty = held_.empty();
  const BufferId buffer = empty ? held_head_ : held_.front();
  Piece piece{{}, buffer};
  piece.collected.payload = empty ? ByteSpan{worker_.pool.data(held_head_) + held_head_bytes_, 0}
                                  : held_.bytes(worker_.chunks);
  piece.collected.free_end = piece.collected.payload.data() + piece.collected.payload.size();
  piece.collected.last = held_.buffers() <= 1;
  return piece;
}

void HttpSession::drop_request_piece() {
  if (held_head_ == no_buffer) {
    if (client_inbox_.bytes(worker_.chunks).empty()) {
      client_inbox_.drop_front(worker_.chunks, worker_.pool);
    }
    return;
  }
  if (!held_.empty()) held_.drop_front(worker_.chunks, worker_.pool);
  if (held_.empty()) worker_.pool.release(std::exchange(held_head_, no_buffer));
}

bool HttpSession::relay_request_body() {
  Exchange& exchange = *exchange_;
  if (held_head_ == no_buffer && client_inbox_.empty()) return false;
  if (!may_add_to_recording()) return false;
  if (to_upstream_.free_slices() < slices_per_piece_max ||
      to_upstream_.bytes() >= backlog_bytes_max()) {
    return false;
  }
  if (exchange.request_masks.any() && !has_slots_for_piece()) return false;
  const Piece piece = next_request_piece();
  exchange.bytes_in += piece.collected.payload.size();
  if (piece.collected.fault != http1::Fault::none) {
    fail_exchange(http1::status_of(piece.collected.fault), "malformed-request",
                  http1::text(piece.collected.fault));
    return true;
  }
  const bool waits = held_head_ == no_buffer && !piece.collected.last &&
                     piece.collected.payload.empty() &&
                     !client_inbox_.bytes(worker_.chunks).empty();
  if (waits) return false;  // part of a trailer section
  exchange.request_complete = piece.collected.last;
  send_on(exchange.request_relay.settle(worker_, piece.buffer, piece.collected), {}, piece);
  return true;
}

ActionRoom HttpSession::action_room() noexcept {
  return {worker_.path_search,
          worker_.text_scratch,
          worker_.header_hits,
          {worker_.text_room.data(), head_bytes_max}};
}

audit::Record HttpSession::describe(const http1::RequestHead& head, const Judged& judged) {
  const Exchange& exchange = *exchange_;
  audit::Record record;
  record.phase = audit::Phase::intent;
  record.time = worker_.now;
  record.session = number_;
  record.operation = exchange.number;
  record.configuration = exchange.view->snapshot().generation;
  record.peer = peer_text_;
  record.listener = exchange.listener->settings.name;
  record.target = exchange.target->settings.name;
  record.protocol = "http";
  record.proof = "none";
  if (judged.principal != nullptr) describe_principal(*judged.principal, record, worker_);
  record.certificate = certificate_.fingerprint();
  describe_operation(exchange.view->snapshot(), head, judged.target, record, worker_);
  if (hold_ != nullptr) {
    record.approval = hold_->request;
    record.binding = hold_->binding;
  }
  return record;
}

/// Records and answers a request that goes no further.
void HttpSession::refuse(const http1::RequestHead& head, const Judged& judged, std::uint16_t status,
                         std::string_view rule, std::string_view detail) {
  audit::Record record = describe(head, judged);
  record.ruling = audit::RulingKind::deny;
  record.rule = rule;
  record.reason = judged.reason.empty() ? detail : judged.reason;
  record.status = status;
  const auto sequence = log_.append_single(record);
  // Whoever keeps the request is told of the refusal that is recorded.
  if (hold_ != nullptr) end_hold(hold_->refused_as);
  Refusal refusal{status,
                  detail,
                  rule,
                  {},
                  head.method == Method::head,
                  !exchange_->client_keeps_alive || rule == protocol_rule};
  const bool body_unread = head.framing != Framing::none && !exchange_->request_complete;
  consume_head();
  drop_exchange();
  continue_answered_ = false;
  if (body_unread) {
    // A short body is read and dropped, so that the connection can go on. One
    // that may never come, or is long, is not waited for.
    const bool is_long =
        head.framing == Framing::length && head.content_length > discarded_body_bytes_max;
    refusal.close = refusal.close || is_long || head.expects_continue;
    discarded_bytes_ = 0;
    stage_ = Stage::discard;
  } else {
    stage_ = Stage::head;
    decoder_ = http1::RequestDecoder(plan().limits);
  }
  answer(refusal, sequence);
}

/// Reads what is left of a refused request's body.
bool HttpSession::discard_body() {
  if (client_inbox_.empty()) return false;
  const Collected piece =
      collect(worker_, client_inbox_, decoder_, plan().limits.trailer_bytes_max);
  const bool drained = client_inbox_.bytes(worker_.chunks).empty();
  if (drained) client_inbox_.drop_front(worker_.chunks, worker_.pool);
  discarded_bytes_ += piece.payload.size();
  if (piece.fault != http1::Fault::none || discarded_bytes_ > discarded_body_bytes_max) {
    close_after_flush(true);
  } else if (piece.last) {
    stage_ = Stage::head;
  } else {
    return drained || !piece.payload.empty();
  }
  return true;
}

void HttpSession::consume_head() {
  if (unread_head_bytes_ == 0) return;
  client_inbox_.consume(worker_.chunks, std::exchange(unread_head_bytes_, 0));
  // An emptied buffer goes when its body's first piece goes, or now.
}

/// Refuses what never became a request, and closes.
void HttpSession::refuse_unread(std::uint16_t status, std::string_view reason) {
  audit::Record record;
  record.phase = audit::Phase::intent;
  record.time = worker_.now;
  record.session = number_;
  record.configuration = worker_.current->snapshot().generation;
  record.policy = worker_.current->snapshot().policy_digest;
  record.peer = peer_text_;
  record.listener = plan().settings.name;
  record.protocol = "http";
  record.ruling = audit::RulingKind::deny;
  record.rule = protocol_rule;
  record.reason = reason;
  record.status = status;
  worker_.metrics.requests_malformed.add();
  const auto sequence = log_.append_single(record);
  if (exchange_) drop_exchange();
  answer({status, reason, protocol_rule, {}, false, true}, sequence);
}

}  // namespace sluice::dataplane
