// The target's side of a session: responses are read, masked and released.
#include <algorithm>

#include "dataplane/session/collect.h"
#include "dataplane/session/http_actions.h"
#include "dataplane/session/http_session.h"
#include "parsers/http1/fields.h"

namespace sluice::dataplane {
namespace {

using http1::FieldName;
using http1::Framing;
using Kind = http1::Step::Kind;

/// Why a response cannot pass the masks; empty when it can.
std::string_view unmaskable_reason(const http1::ResponseHead& head, const BodyReading& reading) {
  if (!reading.is_readable) {
    return "the response has no type, or a coding or charset that masks cannot read";
  }
  if (head.status == 206) return "masks cannot read a part of a representation";
  return {};
}

}  // namespace

/// One step on the target's side. False when nothing can be done now.
bool HttpSession::read_response() {
  if (to_client_.free_slices() < slices_per_piece_max ||
      to_client_.bytes() >= backlog_bytes_max()) {
    return false;
  }
  if (exchange_->response_masks.any() && !has_slots_for_piece()) return false;
  if (!may_add_to_recording()) return false;
  if (!upstream_inbox_.empty()) {
    const bool moved = exchange_->response_started ? relay_response_body() : read_response_head();
    if (moved) return true;
  }
  // What is left, if anything, waits for more that will never come.
  return exchange_->upstream_ended && end_by_close();
}

/// The target closed the connection: the end of a close-delimited body, or a failure.
bool HttpSession::end_by_close() {
  Exchange& exchange = *exchange_;
  const http1::Step step = exchange.response_decoder->on_close();
  if (step.kind != Kind::end || !exchange.response_started) {
    fail_exchange(502, "upstream-failed", "the target closed the connection inside its answer");
    return true;
  }
  // An empty slot stands in for the received buffer that there is not.
  const BufferId buffer = worker_.pool.take();
  if (buffer == no_buffer) {
    fail_exchange(503, "no-buffers", "no buffer is free");
    return true;
  }
  Collected last;
  last.payload = {worker_.pool.data(buffer), 0};
  last.free_end = worker_.pool.data(buffer) + buffer_data_bytes_max;
  last.last = true;
  const Settled settled = exchange.response_relay.settle(worker_, buffer, last);
  worker_.pool.release(buffer);
  release_piece(settled, {}, {});
  return true;
}

bool HttpSession::read_response_head() {
  Exchange& exchange = *exchange_;
  const std::size_t arrived = upstream_inbox_.bytes(worker_.chunks).size();
  if (arrived < exchange.gather_bytes) {
    return upstream_inbox_.join_front(worker_.chunks, worker_.pool, exchange.gather_bytes);
  }
  if (arrived == 0) {
    upstream_inbox_.drop_front(worker_.chunks, worker_.pool);
    return true;
  }
  const ByteView bytes = upstream_inbox_.bytes(worker_.chunks);
  const http1::Step step = exchange.response_decoder->decode(bytes, worker_.fields);
  switch (step.kind) {
    case Kind::needs_more:
      upstream_inbox_.consume(worker_.chunks, step.size_bytes);
      return upstream_inbox_.join_front(worker_.chunks, worker_.pool,
                                        exchange.listener->limits.head_bytes_max);
    case Kind::malformed:
      fail_exchange(502, "bad-response", http1::text(step.fault));
      return true;
    case Kind::head:
      if (exchange.response_decoder->response().is_interim()) {
        forward_interim(exchange.response_decoder->response(), bytes.first(step.size_bytes));
      } else {
        begin_response(exchange.response_decoder->response(), bytes.first(step.size_bytes));
      }
      return true;
    case Kind::data:
    case Kind::end:
      ASSERT(false);
  }
  return false;
}

ResponseHeadRules HttpSession::response_rules(ByteView received) const {
  ResponseHeadRules rules;
  rules.listener = exchange_->listener;
  rules.masks = exchange_->view->snapshot().masks.get();
  rules.response_masks = exchange_->response_masks;
  rules.received = received;
  rules.client_minor = exchange_->client_minor;
  rules.mask_counts = exchange_->head_mask_counts;
  return rules;
}

/// 100, 103 …: RFC 9110 §15.2 has a proxy pass them on, except to HTTP/1.0.
void HttpSession::forward_interim(const http1::ResponseHead& head, ByteView received) {
  if (exchange_->client_minor != 0) {
    http1::HeadWriter out(worker_.head_room);
    write_response_head(out, head, {}, response_rules(received), worker_);
    const BufferId buffer = worker_.pool.take();
    if (buffer != no_buffer && !out.overflowed()) {
      const ByteView bytes = out.written();
      std::copy(bytes.begin(), bytes.end(), worker_.pool.data(buffer));
      to_client_.push(worker_.pool, buffer, {worker_.pool.data(buffer), bytes.size()});
    }
    if (buffer != no_buffer) worker_.pool.release(buffer);
  }
  upstream_inbox_.consume(worker_.chunks, received.size());
  if (upstream_inbox_.bytes(worker_.chunks).empty()) {
    upstream_inbox_.drop_front(worker_.chunks, worker_.pool);
  }
}

void HttpSession::begin_response(const http1::ResponseHead& head, ByteView received) {
  Exchange& exchange = *exchange_;
  const bool has_body = head.framing != Framing::none &&
                        !(head.framing == Framing::length && head.content_length == 0);
  exchange.response_is_masked = exchange.response_masks.any() && has_body;
  if (exchange.response_is_masked) {
    const BodyReading reading = body_reading(head.fields);
    if (const auto reason = unmaskable_reason(head, reading); !reason.empty()) {
      return fail_exchange(502, "unmaskable-response", reason);
    }
    // A short body is awaited whole, so that its new length is known and does
    // not depend on how it arrived.
    if (head.framing == Framing::length && head.content_length <= gathered_body_bytes_max) {
      const std::size_t wanted = std::min(
          received.size() + static_cast<std::size_t>(head.content_length), buffer_data_bytes_max);
      if (upstream_inbox_.bytes(worker_.chunks).size() < wanted) {
        exchange.gather_bytes = wanted;
        exchange.response_decoder.emplace(exchange.listener->limits);
        exchange.response_decoder->expect(exchange.method);
        return;
      }
    }
    exchange.response_masker.start(*exchange.view->snapshot().masks, exchange.response_masks,
                                   reading.kind);
  }
  exchange.response_relay.start(exchange.response_is_masked ? &exchange.response_masker : nullptr);

  upstream_inbox_.consume(worker_.chunks, received.size());
  const Collected piece = collect(worker_, upstream_inbox_, *exchange.response_decoder,
                                  exchange.listener->limits.trailer_bytes_max);
  if (piece.fault != http1::Fault::none) {
    return fail_exchange(502, "bad-response", http1::text(piece.fault));
  }
  const Settled settled = exchange.response_relay.settle(worker_, upstream_inbox_.front(), piece);
  if (settled.fault != Settled::Fault::none) {
    BodyRelay::drop(worker_.pool, settled);
    return fail_unmasked(settled.fault);
  }

  BodyFraming framing;
  if (head.framing == Framing::length && !exchange.response_is_masked) {
    framing = {OutFraming::length, head.content_length};
  } else if (head.framing == Framing::length && settled.last) {
    framing = {OutFraming::length, settled.size_bytes()};
  } else if (head.framing != Framing::none) {
    framing.framing = exchange.client_minor == 0 ? OutFraming::until_close : OutFraming::chunked;
  }
  exchange.response_relay.set_framing(framing.framing);
  exchange.status = head.status;
  exchange.response_keeps_alive = head.keep_alive && head.framing != Framing::until_close;
  exchange.client_keeps_alive = exchange.client_keeps_alive && !worker_.draining &&
                                framing.framing != OutFraming::until_close &&
                                exchange.request_complete;

  // A response without a body may still say how long one would be (RFC 9110
  // §8.6); behind masks that length would be another.
  const bool tells_length =
      head.framing == Framing::none && head.content_length != 0 && exchange.response_masks.none();
  const BodyFraming told =
      tells_length ? BodyFraming{OutFraming::length, head.content_length} : framing;

  ResponseHeadRules rules = response_rules(received);
  rules.body_is_masked = exchange.response_is_masked;
  rules.keep_alive = exchange.client_keeps_alive;
  http1::HeadWriter out(worker_.head_room);
  write_response_head(out, head, told, rules, worker_);
  if (out.overflowed()) {
    BodyRelay::drop(worker_.pool, settled);
    return fail_exchange(502, "bad-response", "the response head is too large");
  }
  exchange.response_started = true;
  if (exchange.is_recorded) record_response(head);
  release_piece(settled, out.written(), piece.trailers);
}

bool HttpSession::relay_response_body() {
  Exchange& exchange = *exchange_;
  const Collected piece = collect(worker_, upstream_inbox_, *exchange.response_decoder,
                                  exchange.listener->limits.trailer_bytes_max);
  if (piece.fault != http1::Fault::none) {
    fail_exchange(502, "bad-response", http1::text(piece.fault));
    return true;
  }
  const bool waits =
      !piece.last && piece.payload.empty() && !upstream_inbox_.bytes(worker_.chunks).empty();
  if (waits) return false;  // part of a trailer section
  const Settled settled = exchange.response_relay.settle(worker_, upstream_inbox_.front(), piece);
  release_piece(settled, {}, piece.trailers);
  return true;
}

/// Queues settled bytes of the response; before the last ones, the outcome is recorded.
void HttpSession::release_piece(Settled settled, ByteView head,
                                std::span<const http1::Field> trailer_fields) {
  Exchange& exchange = *exchange_;
  const auto trailers = encode_trailers(trailer_fields, exchange.response_masks, false);
  if (!trailers) {
    BodyRelay::drop(worker_.pool, settled);
    return fail_exchange(502, "bad-response", "the masked trailers are too large");
  }
  bool last = false;
  while (settled.buffer != no_buffer) {
    if (settled.fault != Settled::Fault::none) {
      BodyRelay::drop(worker_.pool, settled);
      return fail_unmasked(settled.fault);
    }
    last = settled.last;
    if (exchange.is_recorded) record_response_piece(settled);
    exchange.bytes_out_pending = settled.size_bytes();
    if (last) answer_after(record_outcome("ok"));
    const bool queued = exchange.response_relay.emit(worker_, to_client_, settled, head, *trailers);
    exchange.bytes_out_pending = 0;
    if (!queued && last) return drop_upstream_and_close();
    if (!queued) return fail_exchange(503, "no-buffers", "no buffer is free");
  }
  if (!upstream_inbox_.empty() && upstream_inbox_.bytes(worker_.chunks).empty()) {
    upstream_inbox_.drop_front(worker_.chunks, worker_.pool);
  }
  if (last) finish_exchange();
}

void HttpSession::fail_unmasked(Settled::Fault fault) {
  if (fault == Settled::Fault::malformed) {
    fail_exchange(502, "unmaskable-response",
                  "masks cannot read the response: it is not valid JSON");
  } else {
    fail_exchange(503, "no-buffers", "no buffer is free");
  }
}

/// The outcome stands recorded: nothing more may follow it.
void HttpSession::drop_upstream_and_close() {
  release_upstream(UpstreamWish::discard);
  drop_exchange();
  close_now();
}

}  // namespace sluice::dataplane
