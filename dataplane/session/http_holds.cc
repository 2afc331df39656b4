// Requests that rules hold: they are shown to people, and run when those agree. The client
// waits on its connection, or comes again with the request's name. What waits was put aside
// whole; with the answer it is read and judged again, so that what runs has passed all that
// any other request passes.
//
// design   docs/decisions/0030-what-is-held-waits-in-its-session.md
#include <algorithm>
#include <cstring>
#include <utility>

#include "base/ascii.h"
#include "base/assert.h"
#include "dataplane/session/http_judged.h"
#include "dataplane/session/http_session.h"
#include "parsers/http1/fields.h"

namespace sluice::dataplane {
namespace {

using config::HoldAnswer;
using config::HoldEnd;
using Answer = config::HoldAnswer::Kind;
using Errand = config::HeldOperation::Errand;
using http1::FieldName;

/// The rule's name in records of what the gateway says of requests itself.
constexpr std::string_view approvals_rule = "approvals";
constexpr std::size_t request_name_bytes = 8;

/// A request's name as people type it: in any case. Empty: it is none.
std::string name_in(std::string_view text) {
  const bool is_name =
      text.size() == request_name_bytes && std::ranges::all_of(text, is_letter_or_digit<char>);
  std::string name(is_name ? text : std::string_view());
  for (char& c : name) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - ('a' - 'A'));
  }
  return name;
}

struct Ticket {
  std::string name;  ///< Empty: none was shown.
  bool is_malformed = false;
};

Ticket ticket_of(const http1::RequestHead& head) {
  Ticket ticket;
  for (const http1::Field& field : head.fields) {
    if (field.id != FieldName::sluice_request) continue;
    const bool is_second = !ticket.name.empty();
    ticket.name = name_in(field.value);
    ticket.is_malformed = ticket.is_malformed || is_second || ticket.name.empty();
  }
  return ticket;
}

/// Fields that neither the target sees nor the operation depends on, or that tell one try
/// of the same request from the next.
bool is_bound(const http1::Field& field, const config::Listener& listener,
              const config::Target& target) {
  switch (field.id) {
    case FieldName::authorization:
    case FieldName::dpop:
    case FieldName::x_api_key:
    case FieldName::host:  // bound as the request's own
    case FieldName::content_length:
    case FieldName::expect:
      return false;
    default:
      break;
  }
  const bool is_trace = http1::equal_ignoring_case(field.name, "traceparent") ||
                        http1::equal_ignoring_case(field.name, "tracestate");
  return !is_trace && !is_without_standing(field, listener) &&
         !is_targets_credential(field, target);
}

/// What rules that hold a request together ask for.
void take_terms(config::HeldOperation& what) {
  what.wait = earliest_expiry(what.rules);
  for (const auto& [rule, approval] : what.rules) {
    if (approval.mode != config::HoldMode::ticket) continue;
    const bool is_first = !std::exchange(what.is_ticket, true);
    what.valid_for = is_first ? approval.valid_for : std::min(what.valid_for, approval.valid_for);
    what.uses = is_first ? approval.uses : std::min(what.uses, approval.uses);
  }
  if (what.is_ticket) return;
  for (const auto& [rule, approval] : what.rules) {
    if (approval.wait.ns != 0) what.wait = std::min(what.wait, approval.wait);
  }
}

std::uint16_t refusal_status(const HoldAnswer& answer, HoldEnd as) {
  if (as == HoldEnd::interrupted || answer.kind == Answer::unavailable) return 503;
  return answer.kind == Answer::too_many ? 429 : 403;
}

/// For a client that asks how far a request is.
std::string_view state_of(Answer kind) {
  switch (kind) {
    case Answer::parked:
      return "waiting";
    case Answer::approved:
      return "approved";
    case Answer::denied:
      return "denied";
    case Answer::expired:
      return "expired";
    case Answer::too_many:
    case Answer::unavailable:
    case Answer::unknown:
      return {};
  }
  return {};
}

}  // namespace

/// Whether a request that rules hold may run now. When not, it waits or was answered.
bool HttpSession::is_cleared(const http1::RequestHead& head, const Judged& judged,
                             const config::Ruling& ruling) {
  if (hold_ != nullptr) return is_approved(head, judged, ruling);
  const Ticket ticket = ticket_of(head);
  if (ticket.is_malformed) {
    refuse(head, judged, 400, approvals_rule, "Sluice-Request names one request by 8 characters");
  } else if (judged.principal == nullptr) {
    refuse(head, judged, 403, ruling.rule, "it needs approval, and nobody knows who asks");
  } else if (worker_.draining) {
    refuse(head, judged, 503, ruling.rule, "it needs approval, and the gateway is going down");
  } else {
    ask_people(head, judged, ruling, ticket.name);
  }
  return false;
}

/// Asks people, or claims what they approved; recorded before they are shown anything.
void HttpSession::ask_people(const http1::RequestHead& head, const Judged& judged,
                             const config::Ruling& ruling, const std::string& ticket) {
  const Exchange& exchange = *exchange_;
  audit::Record record = describe(head, judged);
  auto what = std::make_unique<config::HeldOperation>();
  const bool is_claim = !ticket.empty();
  what->errand = is_claim ? Errand::claim : Errand::ask;
  what->request =
      is_claim ? ticket : request_name(worker_.fingerprint_key, number_, exchange.number);
  what->who = *judged.principal;
  what->peer = peer_text_;
  what->listener = record.listener;
  what->target = record.target;
  what->protocol = record.protocol;
  what->verb = record.verb;
  what->resource = record.resource;
  what->host = record.host;
  what->rules = hold_rules(exchange.listener->policy, ruling.holds);
  take_terms(*what);
  what->binding = binding_for(head, judged, what->rules);
  what->session = number_;
  what->operation = exchange.number;
  what->configuration = exchange.view->snapshot().generation;
  if (!is_claim) {
    record.ruling = audit::RulingKind::hold;
    record.rule = ruling.rule;
    record.approval = what->request;
    record.binding = what->binding;
    if (!log_.append_single(record)) {
      const bool is_head = head.method == http1::Method::head;
      drop_exchange();
      return answer({503, log_refusal, {}, {}, is_head, true}, std::nullopt);
    }
  }
  await_people(std::move(what));
}

/// The request waits outside of the pool: for minutes, perhaps, and others need the buffers.
void HttpSession::await_people(std::unique_ptr<config::HeldOperation> what) {
  const Errand errand = what->errand;
  const bool is_ticket = what->is_ticket;
  begin_hold(std::move(what));
  PendingHold& hold = *hold_;
  hold.comes_back = errand != Errand::ask || is_ticket;
  hold.head_bytes = held_head_bytes_;
  hold.aside.reserve(held_head_bytes_ + held_bytes_);
  const ByteView head{worker_.pool.data(held_head_), held_head_bytes_};
  hold.aside.assign(head.begin(), head.end());
  held_.for_each(worker_.chunks, [&](ByteSpan piece) {
    hold.aside.insert(hold.aside.end(), piece.begin(), piece.end());
  });
  held_.clear(worker_.chunks, worker_.pool);
  worker_.pool.release(std::exchange(held_head_, no_buffer));
  stage_ = Stage::hold;
  note_progress();
}

/// False while there is no answer, or no buffers for what was put aside.
bool HttpSession::take_up_held() {
  if (!hold_->answer) return false;
  const ByteView aside = hold_->aside;
  const std::size_t needed = 2 + (aside.size() - hold_->head_bytes) / buffer_data_bytes_max + 1;
  if (worker_.pool.free_count() < needed) {
    buffers_awaited_ = static_cast<std::uint8_t>(std::min<std::size_t>(needed, UINT8_MAX));
    return false;
  }
  buffers_awaited_ = 0;
  held_head_ = worker_.pool.take();
  std::memcpy(worker_.pool.data(held_head_), aside.data(), hold_->head_bytes);
  const bool is_kept = held_.append(worker_.chunks, worker_.pool, aside.subspan(hold_->head_bytes));
  ASSERT(is_kept);
  hold_->aside = {};
  stage_ = Stage::judge;
  return true;
}

void HttpSession::on_hold_answer(const HoldAnswer& answer) {
  if (stage_ != Stage::hold || !is_held() || answer.request != hold_->request) return;
  if (answer.kind == Answer::parked && !hold_->comes_back) return;
  hold_->answer = answer;
  note_progress();
  advance();
}

/// The session itself refuses what it holds.
void HttpSession::refuse_held(HoldEnd as, std::string reason) {
  hold_->answer = HoldAnswer{Answer::denied, hold_->request, {}, std::move(reason)};
  hold_->refused_as = as;
  note_progress();
  advance();
}

void HttpSession::watch_hold() {
  if (!is_held()) return;
  if (hold_->configuration != worker_.current->snapshot().generation) {
    refuse_held(HoldEnd::reloaded, "the configuration was changed while it waited: ask again");
  } else if (worker_.now.monotonic >= hold_->deadline) {
    refuse_held(HoldEnd::refused, "nobody decided in time");
  }
}

/// What was held, with what people made of it.
bool HttpSession::is_approved(const http1::RequestHead& head, const Judged& judged,
                              const config::Ruling& ruling) {
  ASSERT(hold_->answer);
  const HoldAnswer& answer = *hold_->answer;
  if (answer.kind == Answer::parked) {
    tell_to_come_again(head, judged, ruling);
    return false;
  }
  const bool agreed = answer.kind == Answer::approved;
  const bool is_same =
      agreed && hold_->configuration == worker_.current->snapshot().generation &&
      answer.binding == hold_->binding &&
      binding_for(head, judged, hold_rules(exchange_->listener->policy, ruling.holds)) ==
          hold_->binding;
  if (is_same) return true;
  const std::string reason = agreed ? "what would run is not what was approved" : answer.reason;
  refuse(head, judged, refusal_status(answer, hold_->refused_as), ruling.rule, reason);
  return false;
}

/// 202: whoever keeps the request goes on without this session.
void HttpSession::tell_to_come_again(const http1::RequestHead& head, const Judged& judged,
                                     const config::Ruling& ruling) {
  audit::Record record = describe(head, judged);
  record.ruling = audit::RulingKind::hold;
  record.rule = ruling.rule;
  record.status = 202;
  Refusal reply;
  reply.status = 202;
  reply.detail = "it waits for approval; repeat it with Sluice-Request once it is approved";
  reply.rule = ruling.rule;
  answer_held(head, record, reply);
}

/// The client asks how far a request of its own is.
void HttpSession::look_at_request(const http1::RequestHead& head, const Judged& judged) {
  if (hold_ != nullptr) return tell_state(head, judged);
  const std::string name = name_in(judged.target.path.substr(requests_path.size()));
  const bool is_get = head.method == http1::Method::get || head.method == http1::Method::head;
  if (!is_get) return refuse(head, judged, 405, approvals_rule, "requests are only looked at here");
  if (name.empty() || judged.principal == nullptr) {
    return refuse(head, judged, 404, approvals_rule, "no such request");
  }
  auto what = std::make_unique<config::HeldOperation>();
  what->errand = Errand::look;
  what->request = name;
  what->who = *judged.principal;
  what->listener = exchange_->listener->settings.name;
  what->configuration = exchange_->view->snapshot().generation;
  await_people(std::move(what));
}

void HttpSession::tell_state(const http1::RequestHead& head, const Judged& judged) {
  const HoldAnswer answer = *hold_->answer;
  const std::string_view state = state_of(answer.kind);
  if (state.empty() || hold_->refused_as != HoldEnd::refused) {
    const std::uint16_t status =
        answer.kind == Answer::unknown ? 404 : refusal_status(answer, hold_->refused_as);
    return refuse(head, judged, status, approvals_rule, answer.reason);
  }
  audit::Record record = describe(head, judged);
  record.ruling = audit::RulingKind::allow;
  record.rule = approvals_rule;
  record.status = 200;
  Refusal reply;
  reply.status = 200;
  reply.detail = answer.reason;
  reply.state = state;
  answer_held(head, record, reply);
}

/// The gateway's own answer to what it held; recorded, and then nothing is held any more.
void HttpSession::answer_held(const http1::RequestHead& head, const audit::Record& record,
                              Refusal reply) {
  const std::string request = hold_->request;
  const auto sequence = log_.append_single(record);
  reply.request = request;
  if (reply.state.empty()) reply.state = state_of(Answer::parked);
  reply.is_head_request = head.method == http1::Method::head;
  reply.close = !exchange_->client_keeps_alive;
  forget_hold();
  drop_exchange();
  continue_answered_ = false;
  stage_ = Stage::head;
  head_since_ = worker_.now.monotonic;
  if (!sequence) {
    return answer({503, log_refusal, {}, {}, reply.is_head_request, true}, std::nullopt);
  }
  answer(reply, sequence);
}

/// Who asks for what, where; the body as it was decoded.
config::Binding HttpSession::binding_for(const http1::RequestHead& head, const Judged& judged,
                                         const std::vector<config::HoldRule>& rules) {
  const config::Listener& listener = exchange_->listener->settings;
  std::vector<std::string_view> pieces{"http",           target().name,       listener.name,
                                       head.method_text, judged.target.whole, head.host};
  for (const http1::Field& field : head.fields) {
    if (!is_bound(field, listener, target())) continue;
    pieces.insert(pieces.end(), {"field", field.name, field.value});
  }
  for (const config::HoldRule& rule : rules) pieces.insert(pieces.end(), {"rule", rule.rule});
  add_asker(*judged.principal, pieces);
  worker_.body_pieces.clear();
  held_.for_each(worker_.chunks, [&](ByteSpan piece) { worker_.body_pieces.push_back(piece); });
  return binding_of(worker_.log, pieces, worker_.body_pieces);
}

}  // namespace sluice::dataplane
