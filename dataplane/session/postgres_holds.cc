// Statements that rules hold: they are shown to people, and run when those agree. The
// session waits meanwhile. The client's message stays where it is; with the answer it is
// read and judged again, so that what runs has passed all that any other statement passes.
#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "dataplane/session/postgres_session.h"

namespace sluice::dataplane {
namespace {

using config::HoldAnswer;
using config::HoldEnd;
using Kind = config::Ruling::Kind;

/// SQLSTATE of a refusal.
std::string_view code_of(const HoldAnswer& answer, HoldEnd as) {
  if (as == HoldEnd::withdrawn) return "57014";  // query_canceled
  if (answer.kind == HoldAnswer::Kind::too_many) return "53400";
  if (answer.kind == HoldAnswer::Kind::unavailable) return "58000";
  return "42501";
}

}  // namespace

/// Whether a statement may run now. With `later` it waits for people, and its message is
/// read again; with `no` it was refused.
PostgresSession::Clearance PostgresSession::clear(JudgedStatement& judged, const Meaning* portal,
                                                  bool is_query) {
  if (hold_ != nullptr) return clear_answered(judged, portal, is_query);
  const bool is_refused = judged.ruling.kind == Kind::deny || judged.info->sets_unreadable;
  if (judged.ruling.kind == Kind::hold && !is_refused) {
    const std::string_view fault = hold_fault(judged, portal);
    if (fault.empty()) {
      hold(judged, portal);
      return Clearance::later;
    }
    judged.ruling = {Kind::deny, judged.ruling.rule, fault};
  }
  if (judged.ruling.kind == Kind::allow && !is_refused) return Clearance::yes;
  refuse_statement(judged, is_query);
  return Clearance::no;
}

/// Why people could not know what they agree to; empty when they can.
std::string_view PostgresSession::hold_fault(const JudgedStatement& judged,
                                             const Meaning* portal) const {
  const StatementInfo& info = *judged.info;
  if (worker_.draining) return "it needs approval, and the gateway is going down";
  if (!info.is_parsed) return "it needs approval, and the gateway does not understand it";
  if (replication_ != Replication::none) return "what replication brings cannot be approved";
  if (info.prepares) return "it needs approval: prepare it by the protocol, not by PREPARE";
  const bool takes_data = std::ranges::any_of(info.analysis.statements, [](const auto& statement) {
    return statement.classes.has(sql::StatementClass::copy_in);
  });
  if (takes_data) return "it needs approval, and what it copies in comes later";
  if (portal != nullptr && !portal->bound) {
    return "it needs approval, and its parameters are too long or were bound under other rules";
  }
  return {};
}

/// Who asks for what, where.
config::Binding PostgresSession::binding_for(const JudgedStatement& judged,
                                             const Meaning* portal) const {
  std::vector<std::string_view> pieces{"postgres",   target().name, plan().settings.name,
                                       database_,    user_,         portal ? "portal" : "query",
                                       judged.source};
  if (portal != nullptr) pieces.push_back(as_text(*portal->bound));
  for (const std::string_view schema : backend_->search_path()) {
    pieces.insert(pieces.end(), {"schema", schema});
  }
  const std::vector<config::HoldRule> rules = hold_rules(plan().policy, judged.ruling.holds);
  for (const config::HoldRule& rule : rules) pieces.insert(pieces.end(), {"rule", rule.rule});
  add_asker(principal_->who(), pieces);
  return binding_of(worker_.log, pieces);
}

/// Asks people; recorded before they are shown anything.
void PostgresSession::hold(const JudgedStatement& judged, const Meaning* portal) {
  const Snapshot& snapshot = worker_.current->snapshot();
  auto what = std::make_unique<config::HeldOperation>();
  what->request = request_name(worker_.fingerprint_key, number_, ++operations_);
  what->who = principal_->who();
  what->peer = peer_text_;
  what->listener = plan().settings.name;
  what->target = target().name;
  what->protocol = "postgres";
  what->verb = judged.info->classes;
  what->resource = judged.record_text;
  what->host = recorded_database_;
  what->rules = hold_rules(plan().policy, judged.ruling.holds);
  what->wait = earliest_expiry(what->rules);
  what->binding = binding_for(judged, portal);
  what->session = number_;
  what->operation = operations_;
  what->configuration = snapshot.generation;
  std::string detail = hold_detail(what->rules, what->wait);
  begin_hold(std::move(what));
  hold_->detail = std::move(detail);
  audit::Record record = describe(judged);
  record.ruling = audit::RulingKind::hold;
  record.rule = judged.ruling.rule;
  const auto sequence = log_.append_single(record);
  if (!sequence) return fail_session("57P03", log_refusal, "log-failed");
  tell_after(*sequence);
  // What the client asked before is not kept from it.
  make_target_answer();
}

void PostgresSession::on_hold_answer(const HoldAnswer& answer) {
  if (!is_held() || stage_ != Stage::open || answer.request != hold_->request) return;
  if (answer.kind == HoldAnswer::Kind::parked) {
    hold_->is_notice_due = true;
  } else {
    hold_->answer = answer;
  }
  note_progress();
  advance();
}

/// The session itself refuses what it holds.
void PostgresSession::refuse_held(HoldEnd as, std::string reason) {
  hold_->answer = HoldAnswer{HoldAnswer::Kind::denied, hold_->request, {}, std::move(reason)};
  hold_->refused_as = as;
}

/// What is held, with what people made of it.
PostgresSession::Clearance PostgresSession::clear_answered(JudgedStatement& judged,
                                                           const Meaning* portal, bool is_query) {
  ASSERT(hold_->answer);
  const HoldAnswer& answer = *hold_->answer;
  const bool is_approved = answer.kind == HoldAnswer::Kind::approved;
  const bool is_same = is_approved && judged.ruling.kind == Kind::hold &&
                       hold_->configuration == worker_.current->snapshot().generation &&
                       answer.binding == hold_->binding &&
                       binding_for(judged, portal) == hold_->binding;
  if (is_same) {
    judged.ruling.kind = Kind::allow;
    return Clearance::yes;
  }
  if (judged.ruling.kind != Kind::deny) {
    std::string_view reason = answer.reason;
    if (is_approved) reason = "what would run is not what was approved";
    judged.ruling = {Kind::deny, judged.ruling.rule, reason};
  }
  const HoldEnd as = hold_->refused_as;
  refuse_statement(judged, is_query, code_of(answer, as));
  end_hold(as);
  return Clearance::no;
}

/// Under other rules it may not have been held, or not been allowed: it is asked anew.
void PostgresSession::watch_hold() {
  if (!is_held()) return;
  if (hold_->configuration != worker_.current->snapshot().generation) {
    refuse_held(HoldEnd::reloaded, "the configuration was changed while it waited: ask again");
  } else if (worker_.now.monotonic >= hold_->deadline) {
    refuse_held(HoldEnd::refused, "nobody decided in time");
  }
}

/// A notice may stand between any two messages, but not within one.
void PostgresSession::tell_of_hold() {
  if (!is_held() || !hold_->is_notice_due || server_piece_left_ != 0 || !client_out_.has_room()) {
    return;
  }
  hold_->is_notice_due = false;
  const std::string message =
      fmt::format("the statement waits for approval as request {}", hold_->request);
  const std::string hint = fmt::format("sluice approve {}", hold_->request);
  const bool told = client_out_.write([&](postgres::Writer& writer) {
    writer.notice_response({.severity = "NOTICE",
                            .code = "00000",
                            .message = message,
                            .detail = hold_->detail,
                            .hint = hint});
  });
  if (!told) fail_session("53000", "the gateway has no buffer free", "no-buffers");
}

}  // namespace sluice::dataplane
