// What of a request and its answer goes into a recording.
#include "dataplane/session/http_session.h"

namespace sluice::dataplane {

using recordings::ItemKind;

/// For this exchange; the session's goes on where its principal is the same.
void HttpSession::begin_recording(std::string_view principal) {
  Exchange& exchange = *exchange_;
  recording_.begin(
      {"http", exchange.listener->settings.name, exchange.target->settings.name, principal});
  exchange.is_recorded = recording_.is_on();
}

/// Its head, with the method and path that its record shows.
void HttpSession::record_request(const http1::RequestHead& head, const audit::Record& record) {
  Exchange& exchange = *exchange_;
  const Snapshot& snapshot = exchange.view->snapshot();
  http1::HeadWriter out(worker_.trailer_room);
  out.request_line(record.verb, record.resource);
  out.field("Host", record.host);
  write_recorded_fields(out, head.fields, {snapshot.masks.get(), snapshot.record_masks},
                        exchange.listener->settings, exchange.target->settings, worker_);
  out.finish();
  recording_.add(ItemKind::request, exchange.number, out.written());
  const BodyReading reading = body_reading(head.fields);
  // What masks cannot read is counted by the outcome's record only.
  if (reading.is_readable) {
    exchange.recorded_body.start(*snapshot.masks, snapshot.record_masks, reading.kind);
  } else {
    exchange.recorded_body.leave_out();
  }
}

void HttpSession::record_request_piece(const Settled& settled) {
  Exchange& exchange = *exchange_;
  const ByteView bytes = edited(settled.bytes, settled.edits, worker_.recorded);
  // The edits stay in the other scratch memory until they are queued.
  exchange.recorded_body.add(bytes, settled.last, worker_.text_scratch, recording_,
                             exchange.number);
}

/// As the client is shown it, without what it may log in with.
void HttpSession::record_response(const http1::ResponseHead& head) {
  Exchange& exchange = *exchange_;
  http1::HeadWriter out(worker_.trailer_room);
  out.status_line(head.status, http1::reason_phrase(head.status));
  write_recorded_fields(out, head.fields,
                        {exchange.view->snapshot().masks.get(), exchange.response_masks},
                        exchange.listener->settings, exchange.target->settings, worker_);
  out.finish();
  recording_.add(ItemKind::response, exchange.number, out.written());
}

void HttpSession::record_response_piece(const Settled& settled) {
  const ByteView bytes = edited(settled.bytes, settled.edits, worker_.recorded);
  if (!bytes.empty()) recording_.add(ItemKind::response_body, exchange_->number, bytes);
}

}  // namespace sluice::dataplane
