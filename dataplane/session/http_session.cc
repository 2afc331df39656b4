// Events, endings and what both directions share. The client's side is in
// http_request.cc, the target's in http_response.cc.
#include "dataplane/session/http_session.h"

#include <algorithm>
#include <cstring>

#include "dataplane/session/record_id.h"
#include "parsers/http1/fields.h"

namespace sluice::dataplane {
namespace {

/// How long a refused client may go on sending before the connection is cut
/// (RFC 9112 §9.6: a close that loses no response).
constexpr Duration linger_timeout = seconds(2);
constexpr Duration proof_timeout = seconds(10);
/// While buffers are scarce, who stands still gives way sooner.
constexpr Duration scarce_stall_timeout = seconds(5);
constexpr Duration scarce_head_timeout = seconds(1);
/// The start of a head that is put aside then, so that slow heads hold no buffers.
constexpr std::size_t parked_bytes_max = 2 * 1024;
static_assert(parked_bytes_max <= headroom_bytes);
/// Slices that may wait for the client before its next request is looked at.
constexpr std::size_t slices_ahead_max = 4;
static_assert(slices_ahead_max + slices_per_piece_max <= SliceQueue::capacity);

}  // namespace

HttpSession::HttpSession(WorkerContext& worker, std::uint16_t listener, const Endpoint& peer,
                         std::uint64_t session_number,
                         std::shared_ptr<const PeerCertificate> certificate)
    : Session(worker, listener, peer, session_number),
      recording_(worker, session_number),
      decoder_(worker.current->snapshot().listeners[listener].limits),
      decoder_generation_(worker.current->snapshot().generation),
      head_since_(worker.now.monotonic),
      certificate_(std::move(certificate)) {}

HttpSession::~HttpSession() {
  if (exchange_) {
    if (exchange_->intent != 0) record_outcome("gateway-stopped");
    drop_exchange();
  }
  client_inbox_.clear(worker_.chunks, worker_.pool);
  upstream_inbox_.clear(worker_.chunks, worker_.pool);
}

void HttpSession::on_client_bytes(BufferId buffer, std::uint32_t size_bytes) {
  if (stage_ == Stage::closing) {
    worker_.pool.release(buffer);
    return;
  }
  if (!parked_.empty()) {
    unpark_head(buffer, size_bytes);
  } else {
    if (client_inbox_.empty()) head_since_ = worker_.now.monotonic;
    client_inbox_.push(worker_.chunks, buffer, worker_.pool.data(buffer), size_bytes);
  }
  note_progress();
  advance();
}

void HttpSession::on_client_end() {
  client_ended_ = true;
  advance();
}

void HttpSession::on_client_lost() {
  if (exchange_) {
    release_upstream(UpstreamWish::discard);
    if (exchange_->intent != 0) record_outcome("client-aborted");
    end_hold(config::HoldEnd::withdrawn);
    drop_exchange();
  }
  close_now();
}

void HttpSession::on_client_sent() {
  to_client_.sent(worker_.pool);
  note_progress();
  advance();
}

void HttpSession::on_upstream_ready(std::size_t address, bool reused,
                                    std::unique_ptr<UpstreamState> /*state*/,
                                    std::optional<SecureChannel> /*channel*/) {
  upstream_ = Upstream::attached;
  upstream_reused_ = reused;
  if (std::exchange(exchange_->rewind, false)) to_upstream_.rewind();
  exchange_->address = address;
  note_progress();
}

void HttpSession::on_upstream_trouble(UpstreamTrouble trouble) {
  upstream_ = Upstream::none;
  // Nothing was sent yet, so another address may be tried for any method.
  const std::size_t addresses = upstream_pool().size();
  if (trouble != UpstreamTrouble::no_address &&
      exchange_->attempts < std::min<std::size_t>(addresses, 3)) {
    acquire_upstream();
    ++exchange_->attempts;
    return;
  }
  switch (trouble) {
    case UpstreamTrouble::no_address:
    case UpstreamTrouble::queue_full:
    case UpstreamTrouble::wait_timeout:
      return fail_exchange(503, "no-upstream", "no address of the target can be used now");
    case UpstreamTrouble::connect_failed:
      return fail_exchange(502, "upstream-unreachable", "the target could not be reached");
    case UpstreamTrouble::connect_timeout:
      return fail_exchange(504, "upstream-unreachable",
                           "the target did not accept a connection in time");
    case UpstreamTrouble::untrusted:
      return fail_exchange(502, "upstream-untrusted", "the target could not prove who it is");
    case UpstreamTrouble::tls_failed:
      return fail_exchange(502, "upstream-tls-failed",
                           "no TLS connection to the target could be made");
  }
}

void HttpSession::on_upstream_bytes(BufferId buffer, std::uint32_t size_bytes) {
  if (!exchange_) {
    worker_.pool.release(buffer);
    return;
  }
  upstream_inbox_.push(worker_.chunks, buffer, worker_.pool.data(buffer), size_bytes);
  exchange_->response_seen = true;
  to_upstream_.forget_sent(worker_.pool);
  note_progress();
  advance();
}

void HttpSession::on_upstream_end() {
  if (!exchange_) return;
  if (!exchange_->response_seen) return on_upstream_lost();
  exchange_->upstream_ended = true;
  advance();
}

void HttpSession::on_upstream_lost() {
  if (!exchange_) return;
  release_upstream(UpstreamWish::discard);
  const bool may_retry = upstream_reused_ && !exchange_->response_seen &&
                         to_upstream_.can_rewind() && exchange_->request_complete;
  if (may_retry) {
    worker_.metrics.upstream_retries.add();
    upstream_reused_ = false;
    exchange_->wants_fresh_upstream = true;
    exchange_->rewind = true;
    acquire_upstream();
    return;
  }
  upstream_pool().failed(exchange_->address, target().health, worker_.now.monotonic);
  fail_exchange(502, "upstream-failed", "the target closed the connection before it had answered");
}

void HttpSession::on_upstream_sent() {
  to_upstream_.sent(worker_.pool);
  give_up_retry_if_scarce();
  note_progress();
  advance();
}

void HttpSession::on_proof(const identity::KeyVerdict& verdict) {
  if (stage_ != Stage::proof) return;
  proof_ = verdict;
  has_proof_ = true;
  identify_again();
}

void HttpSession::on_token_news() {
  if (stage_ == Stage::proof) identify_again();
}

void HttpSession::identify_again() {
  if (held_head_ != no_buffer) {
    // Its head left the inbox: what stands there now belongs to the next request.
    stage_ = Stage::judge;
  } else {
    stage_ = Stage::head;
    // The same head is decoded once more, now with the answer at hand.
    decoder_ = http1::RequestDecoder(plan().limits);
  }
  advance();
}

void HttpSession::on_no_proof() {
  // Without room in the log it is refused when its time is over.
  if (may_record()) refuse_unread(503, "too many credentials are being checked");
}

void HttpSession::on_log_room() {
  waits_for_log_ = false;
  note_progress();
  advance();
}

/// Who has seen nothing of an answer yet is told why. What waits to be durable never leaves.
void HttpSession::on_log_broken() {
  if (exchange_ && exchange_->intent != 0) fail_exchange(503, "log-failed", log_refusal);
  if (!may_answer()) close_now();
}

void HttpSession::on_buffers() {
  buffers_awaited_ = 0;
  advance();
}

void HttpSession::on_drain() {
  if (stage_ == Stage::hold && is_held()) {
    return refuse_held(config::HoldEnd::interrupted, "the gateway is going down");
  }
  if (is_idle()) close_now();
}

bool HttpSession::is_idle() const noexcept {
  return stage_ == Stage::head && client_inbox_.empty() && parked_.empty() && to_client_.empty();
}

CancelOrder HttpSession::on_kill() {
  const bool is_answering = exchange_ && exchange_->response_started;
  if (exchange_ && exchange_->intent != 0) fail_exchange(503, "killed", "an operator ended this");
  // An answer under way is cut; one that was given before, or now, may still leave.
  if (is_answering || to_client_.empty()) close_now();
  if (client_end_ == ClientEnd::open) close_after_flush(false);
  return {};
}

void HttpSession::describe_own(SessionSummary& summary) const {
  summary.subject = subject_;
  summary.issuer = issuer_;
  summary.state = is_idle() ? SessionState::idle : SessionState::busy;
}

void HttpSession::on_tick() {
  const config::Timeouts& timeouts = plan().settings.timeouts;
  const Instant now = worker_.now.monotonic;
  const bool scarce = is_scarce();
  const Duration stall = scarce ? std::min(timeouts.stall, scarce_stall_timeout) : timeouts.stall;
  const bool stalled = now >= last_progress_ + stall;
  switch (stage_) {
    case Stage::head:
      if (is_idle()) {
        if (now >= last_progress_ + timeouts.idle) close_now();
      } else if (!to_client_.empty()) {
        if (stalled) close_now();
      } else if (!waits_for_log_) {
        if (scarce) park_head();
        const Duration time = scarce && parked_.empty()
                                  ? std::min(timeouts.request_head, scarce_head_timeout)
                                  : timeouts.request_head;
        if (now >= head_since_ + time && may_record()) {
          refuse_unread(408, "the request head did not arrive in time");
        }
      }
      return;
    case Stage::proof:
      if (now >= last_progress_ + proof_timeout && may_record())
        refuse_unread(503, "the credential could not be checked in time");
      return;
    case Stage::judge:
      return;
    case Stage::hold:
      watch_hold();
      // There is an answer, and no buffers come free to act on it.
      if (stage_ == Stage::hold && !is_held() && stalled) on_client_lost();
      return;
    case Stage::discard:
      if (stalled) close_now();
      return;
    case Stage::inspect:
      if (stalled && may_record()) refuse_unread(408, "the request body did not arrive in time");
      return;
    case Stage::body:
      if (stalled) fail_exchange(408, "stalled", "the request or its target stood still");
      return;
    case Stage::response: {
      if (upstream_ != Upstream::attached) return;  // the loop times connecting
      if (!exchange_->response_seen) {
        give_up_retry_if_scarce();
        if (now >= last_progress_ + target().response_timeout) {
          upstream_pool().failed(exchange_->address, target().health, now);
          fail_exchange(504, "upstream-timeout", "the target did not answer in time");
        }
      } else if (stalled) {
        fail_exchange(504, "stalled", "the response stood still");
      }
      return;
    }
    case Stage::closing:
      if (now >= last_progress_ + (to_client_.empty() ? linger_timeout : stall)) close_now();
      return;
  }
}

/// Between requests, and while people are asked.
Instant HttpSession::rests_until() const noexcept {
  if (is_idle()) return last_progress_ + plan().settings.timeouts.idle;
  const bool only_waits = stage_ == Stage::hold && is_held() && to_client_.empty();
  return only_waits ? hold_->deadline : Instant();
}

std::shared_ptr<const identity::ApiKeys> HttpSession::keys() const noexcept {
  return exchange_->view->snapshot().keys;
}

bool HttpSession::wants_client_bytes() const noexcept {
  if (client_ended_) return false;
  if (stage_ == Stage::closing) return true;
  if (client_inbox_.buffers() >= 2) return false;
  // What was read already goes out first, so that the rest need not be read.
  if (worker_.can_splice && spliceable_request_bytes() != 0) return to_upstream_.empty();
  return stage_ != Stage::body || to_upstream_.bytes() < backlog_bytes_max();
}

bool HttpSession::wants_upstream_bytes() const noexcept {
  if (upstream_inbox_.buffers() >= 2 && exchange_ && exchange_->response_started) return false;
  if (worker_.can_splice && spliceable_response_bytes() != 0) return to_client_.empty();
  return to_client_.bytes() < backlog_bytes_max();
}

bool HttpSession::wants_fresh_upstream() const noexcept {
  return exchange_->wants_fresh_upstream;
}

UpstreamPool& HttpSession::upstream_pool() noexcept {
  return exchange_->view->pool(exchange_->listener->target);
}

const config::Target& HttpSession::target() const noexcept {
  return exchange_->target->settings;
}

const ListenerPlan& HttpSession::plan() const noexcept {
  return exchange_ ? *exchange_->listener : worker_.current->snapshot().listeners[listener_];
}

/// Requests that wait for their answers must not hold the buffers that the answers
/// need: when all do, none is answered.
void HttpSession::give_up_retry_if_scarce() noexcept {
  if (is_scarce()) to_upstream_.forget_sent(worker_.pool);
}

/// What masks rewrite goes into slots of its own, and must not run out of them half way.
bool HttpSession::has_slots_for_piece() noexcept {
  const std::size_t needed = std::min(slices_per_piece_max, worker_.pool.size() / 2);
  const bool has_them = worker_.pool.free_count() >= needed;
  buffers_awaited_ = has_them ? 0 : static_cast<std::uint8_t>(needed);
  return has_them;
}

void HttpSession::advance() {
  for (;;) {
    bool moved = false;
    switch (stage_) {
      case Stage::head:
        moved = read_head();
        break;
      case Stage::inspect:
        moved = inspect_body();
        break;
      case Stage::judge:
        moved = judge_held_body();
        break;
      case Stage::hold:
        moved = take_up_held();
        break;
      case Stage::body:
        moved = relay_request_body();
        break;
      case Stage::discard:
        moved = discard_body();
        break;
      case Stage::closing:
        client_inbox_.clear(worker_.chunks, worker_.pool);
        break;
      case Stage::proof:
      case Stage::response:
        break;
    }
    if (exchange_ && upstream_ == Upstream::attached) moved = read_response() || moved;
    if (!moved) break;
  }
  if (client_ended_ && is_starved()) end_with_client();
}

/// Whether what is read now can go into the recording, if it must.
bool HttpSession::may_add_to_recording() noexcept {
  if (recording_.has_room()) return true;
  waits_for_log_ = true;
  return false;
}

/// The client takes its answers: it may have another.
bool HttpSession::may_read_head() const noexcept {
  return to_client_.free_slices() + slices_ahead_max >= SliceQueue::capacity;
}

/// Puts the start of a head aside and frees the buffer that it lies in.
void HttpSession::park_head() {
  if (exchange_ || client_inbox_.buffers() != 1) return;
  const ByteView bytes = client_inbox_.bytes(worker_.chunks);
  if (bytes.empty() || bytes.size() > parked_bytes_max) return;
  parked_.assign(bytes.begin(), bytes.end());
  client_inbox_.clear(worker_.chunks, worker_.pool);
}

/// What was put aside goes into the room before the bytes that follow it.
void HttpSession::unpark_head(BufferId buffer, std::uint32_t size_bytes) {
  std::uint8_t* const begin = worker_.pool.data(buffer) - parked_.size();
  std::copy(parked_.begin(), parked_.end(), begin);
  client_inbox_.push(worker_.chunks, buffer, begin,
                     size_bytes + static_cast<std::uint32_t>(parked_.size()));
  parked_ = {};
}

/// Nothing can go on without bytes that the client will never send.
bool HttpSession::is_starved() const noexcept {
  switch (stage_) {
    case Stage::head:
      return !waits_for_log_ && may_read_head();
    case Stage::inspect:
      return !waits_for_log_;
    case Stage::hold:  // nobody would hear what came of it
    case Stage::discard:
      return true;
    case Stage::body:
      return !waits_for_log_ && held_head_ == no_buffer &&
             to_upstream_.free_slices() >= slices_per_piece_max &&
             to_upstream_.bytes() < backlog_bytes_max();
    case Stage::proof:
    case Stage::judge:
    case Stage::response:
    case Stage::closing:
      return false;
  }
  return false;
}

/// The client has said all it will: what it is owed still goes out.
void HttpSession::end_with_client() {
  if (exchange_) return on_client_lost();
  close_after_flush(false);
}

/// Nothing when masks made the section longer than the room for it.
/// Policy has ruled before a request's trailers come: where it asks for fields, none
/// goes on (RFC 9110 §6.5.1 leaves that to us), and never one that a head would lose.
std::optional<ByteView> HttpSession::encode_trailers(std::span<const http1::Field> trailers,
                                                     const matcher::RuleSet& masks,
                                                     bool from_client) {
  if (trailers.empty() || (from_client && exchange_->listener->headers != nullptr)) {
    return ByteView{};
  }
  std::size_t size = 0;
  const auto append = [&](std::string_view text) {
    std::memcpy(worker_.trailer_room.data() + size, text.data(), text.size());
    size += text.size();
  };
  for (const http1::Field& field : trailers) {
    if (from_client && (is_without_standing(field, exchange_->listener->settings) ||
                        is_targets_credential(field, exchange_->target->settings))) {
      continue;
    }
    std::string_view value = field.value;
    if (masks.any()) {
      const std::size_t masked = matcher::mask_text(
          *exchange_->view->snapshot().masks, masks, matcher::BodyKind::text, field.name,
          as_bytes(value), worker_.text_room, worker_.text_scratch, exchange_->head_mask_counts);
      value = as_text({worker_.text_room.data(), masked});
    }
    if (field.name.size() + value.size() + 4 > worker_.trailer_room.size() - size) {
      return std::nullopt;
    }
    append(field.name);
    append(": ");
    append(value);
    append("\r\n");
  }
  return ByteView{worker_.trailer_room.data(), size};
}

void HttpSession::answer(Refusal refusal, std::optional<std::uint64_t> record) {
  std::array<char, 64> id{};
  if (record) refusal.record = record_id(worker_.log, *record, id);
  refusal.close = refusal.close || worker_.draining;
  worker_.metrics.responses[refusal.status / 100].add();
  if (!write_refusal(worker_, to_client_, refusal)) return close_now();
  // What says that the log is broken cannot wait for it, and holds nothing of the target's.
  if (record && !worker_.log.is_broken()) answer_after(*record);
  if (refusal.close) close_after_flush(stage_ != Stage::head || !client_inbox_.empty());
}

void HttpSession::fail_exchange(std::uint16_t status, std::string_view result,
                                std::string_view detail) {
  release_upstream(UpstreamWish::discard);
  Exchange& exchange = *exchange_;
  const bool answerable = !exchange.response_started;
  // What the transport may still read must not be written over by the head of a
  // next request in the same buffer.
  const bool unsent = !to_upstream_.empty();
  if (answerable) exchange.status = status;
  worker_.metrics.requests_unavailable.add();
  const std::uint64_t outcome = record_outcome(result);
  Refusal refusal{status,
                  detail,
                  {},
                  {},
                  exchange.method == http1::Method::head,
                  !exchange.request_complete || !exchange.client_keeps_alive || unsent};
  const bool end_is_close = exchange.response_relay.framing() == OutFraming::until_close;
  drop_exchange();
  if (!answerable && end_is_close) return close_now();
  if (!answerable) return close_after_flush(false);
  if (!refusal.close) stage_ = Stage::head;
  answer(refusal, outcome);
}

/// How often each mask was applied; lives until the next call.
std::span<const audit::MaskCount> HttpSession::count_masks() noexcept {
  const Exchange& exchange = *exchange_;
  if (exchange.request_masks.none() && exchange.response_masks.none()) return {};
  const auto& program = *exchange.view->snapshot().masks;
  std::span<const std::uint32_t> in_request;
  std::span<const std::uint32_t> in_response;
  if (exchange.request_is_masked) in_request = exchange.request_masker.counts();
  if (exchange.response_is_masked) in_response = exchange.response_masker.counts();
  std::size_t used = 0;
  for (std::size_t rule = 0, rules = program.size(); rule < rules; ++rule) {
    std::uint32_t count = exchange.head_mask_counts[rule];
    if (!in_request.empty()) count += in_request[rule];
    if (!in_response.empty()) count += in_response[rule];
    if (count == 0) continue;
    worker_.mask_counts[used++] = {program.rule_name(rule), count};
    worker_.metrics.masks_applied.add(count);
  }
  return {worker_.mask_counts.data(), used};
}

std::uint64_t HttpSession::record_outcome(std::string_view result) {
  Exchange& exchange = *exchange_;
  audit::Record record;
  record.phase = audit::Phase::outcome;
  record.time = worker_.now;
  record.session = number_;
  record.operation = exchange.number;
  record.status = exchange.status;
  record.result = result;
  record.bytes_in = exchange.bytes_in;
  record.bytes_out = exchange.response_relay.released_bytes() + exchange.bytes_out_pending;
  record.duration = worker_.now.monotonic - exchange.started;
  if (exchange.response_seen) record.upstream = exchange.target->endpoint_texts[exchange.address];
  record.masks = count_masks();
  worker_.metrics.bytes_in.add(record.bytes_in);
  worker_.metrics.bytes_out.add(record.bytes_out);
  exchange.view->latency_ns(exchange.listener->target)
      .record(static_cast<std::uint64_t>(record.duration.ns));
  return log_.append_outcome(record);
}

void HttpSession::finish_exchange() {
  Exchange& exchange = *exchange_;
  worker_.metrics.responses[exchange.status / 100].add();
  const bool request_sent = exchange.request_complete && to_upstream_.empty();
  const bool reusable = exchange.response_keeps_alive && request_sent && upstream_inbox_.empty() &&
                        !exchange.upstream_ended;
  upstream_pool().succeeded(exchange.address);
  release_upstream(reusable ? UpstreamWish::keep : UpstreamWish::discard);
  const bool close = !exchange.client_keeps_alive || !request_sent;
  drop_exchange();
  stage_ = Stage::head;
  head_since_ = worker_.now.monotonic;
  // A client that asked for the close has nothing more to say, unless it did.
  if (close) close_after_flush(!request_sent || !client_inbox_.empty());
}

void HttpSession::drop_exchange() {
  end_hold(config::HoldEnd::interrupted);
  exchange_->request_relay.stop(worker_.pool);
  exchange_->response_relay.stop(worker_.pool);
  --exchange_->view->operations;
  to_upstream_.clear(worker_.pool);
  upstream_inbox_.clear(worker_.chunks, worker_.pool);
  held_.clear(worker_.chunks, worker_.pool);
  if (held_head_ != no_buffer) worker_.pool.release(std::exchange(held_head_, no_buffer));
  worker_.exchanges.give_back(std::move(exchange_));
}

void HttpSession::close_after_flush(bool linger) {
  stage_ = Stage::closing;
  lingers_ = linger && !client_ended_;
  client_inbox_.clear(worker_.chunks, worker_.pool);
  if (client_end_ == ClientEnd::open) client_end_ = ClientEnd::after_flush;
  note_progress();
}

void HttpSession::close_now() {
  stage_ = Stage::closing;
  client_end_ = ClientEnd::now;
}

}  // namespace sluice::dataplane
