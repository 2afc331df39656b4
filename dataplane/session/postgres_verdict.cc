// What the client asks for: judged, and recorded before it goes on, or refused.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "dataplane/session/postgres_session.h"
#include "dataplane/session/principal_record.h"
#include "dataplane/session/record_id.h"

namespace sluice::dataplane {

using postgres::TransactionStatus;

namespace {

/// A Parse of what is no statement: the transaction fails by it, or what this pipeline
/// did so far, just as it would have by the statement that was refused. It has a name,
/// because a Parse without one forgets the unnamed statement even when it fails.
constexpr auto spoiling_parse = std::to_array<std::uint8_t>(
    {'P', 0,   0,   0,   31,  'x', 0,   'r', 'e', 'f', 'u', 's', 'e', 'd', ' ', 'b',
     'y', ' ', 't', 'h', 'e', ' ', 'g', 'a', 't', 'e', 'w', 'a', 'y', 0,   0,   0});
static_assert(spoiling_parse.size() == 1 + 31);

bool only_steps_transactions(const StatementInfo& info) {
  return info.is_parsed && std::ranges::all_of(info.analysis.statements, [](const auto& statement) {
           return statement.transaction != sql::TransactionStep::none;
         });
}

/// Whether it may set what a backslash in a string means.
bool may_change_reading(const StatementInfo& info) {
  if (!info.is_parsed) return true;
  return std::ranges::any_of(info.analysis.statements, [](const sql::Statement& statement) {
    return statement.is_opaque() ||
           std::ranges::any_of(statement.functions,
                               [](const auto& called) { return called.name == "set_config"; }) ||
           std::ranges::any_of(statement.settings, [](const sql::Setting& setting) {
             return setting.name.empty() || !setting.is_known;
           });
  });
}

/// Whether the target's session may be nobody's afterwards.
bool may_drop_name(const StatementInfo& info) {
  return std::ranges::any_of(info.analysis.statements, [](const sql::Statement& statement) {
    return statement.classes.has(sql::StatementClass::discard);
  });
}

std::string error_message(const postgres::ReportText& report) {
  std::array<std::uint8_t, 8 * 1024> room;
  postgres::Writer writer(room);
  writer.error_response(report);
  return std::string(as_text(writer.written()));
}

}  // namespace

/// False, and refused: a statement before it may have changed where its strings end, and
/// the target tells that with the next ReadyForQuery only.
bool PostgresSession::is_readable(std::string_view text, bool is_query) {
  if (!reading_uncertain_ || text.find('\\') == text.npos) return true;
  refuse_message("0A000", "the gateway cannot tell yet how a backslash is read here",
                 "send Sync before this statement", is_query);
  return false;
}

/// Nothing when the session had to end.
std::optional<JudgedStatement> PostgresSession::judge(std::string_view text,
                                                      const Meaning* portal) {
  if (!renew_principal()) {
    fail_withdrawn();
    return std::nullopt;
  }
  if (is_replication_command(text)) {
    JudgedStatement command = judge_replication(text);
    command.source = text;
    guard_recording(command);
    return command;
  }
  StatementContext context{worker_.current, listener_, principal_->view(), backend_->search_path()};
  const std::uint64_t generation = worker_.current->snapshot().generation;
  if (portal != nullptr && portal->hits_generation == generation) {
    context.parameter_hits = portal->parameter_hits;
  }
  JudgedStatement judged = worker_.statements.judge(text, context, worker_.text_scratch);
  judged.source = text;
  guard_recording(judged);
  guard_execute(judged);
  guard_pool(judged);
  guard_columns(judged);
  guard_parameters(judged, portal);
  return judged;
}

/// What is to be recorded and cannot be is refused: also what comes later in a session that is.
void PostgresSession::guard_recording(JudgedStatement& judged) const {
  const bool is_wanted = judged.ruling.is_recorded || recording_.is_on();
  if (judged.ruling.kind == config::Ruling::Kind::deny || !is_wanted) return;
  if (recording_.refuses()) {
    judged.ruling = {config::Ruling::Kind::deny, recordings_rule, recordings_refusal};
  }
}

/// From the first statement of whose rule that is asked for, to the session's end.
void PostgresSession::begin_recording() {
  if (recording_.is_on()) return;
  recording_.begin({"postgres", plan().settings.name, target().name, principal_->who().subject});
  const bool passes = server_piece_left_ != 0 && !server_piece_drops_;
  tap_.begin(passes ? server_piece_left_ : 0);
  client_out_.set_tap(tap_);
}

/// The target reads the names of what was prepared anew when the search path changed: what
/// PREPARE was allowed for is not what EXECUTE would run.
void PostgresSession::guard_execute(JudgedStatement& judged) const {
  const StatementInfo& info = *judged.info;
  if (judged.ruling.kind == config::Ruling::Kind::deny || !info.executes) return;
  if (!names_moved_ && !info.may_change_search_path) return;
  judged.ruling = {config::Ruling::Kind::deny, "protocol",
                   "search_path changed after PREPARE: prepare it again in a new session"};
}

/// Refuses what would take a masked column's values where no mask follows them.
void PostgresSession::guard_columns(JudgedStatement& judged) {
  const matcher::RuleSet rules = column_rules(*worker_.current, masks_in_force());
  if (rules.none() || judged.ruling.kind == config::Ruling::Kind::deny) return;
  const StatementInfo& info = *judged.info;
  if (only_steps_transactions(info)) return;  // ROLLBACK must get through
  const auto refuse = [&](matcher::RuleSet because, std::string_view reason) {
    std::size_t rule = 0;
    while (!because.test(rule)) ++rule;
    judged.ruling = {config::Ruling::Kind::deny, worker_.current->snapshot().masks->rule_name(rule),
                     reason};
  };
  if (!catalog_fits(*worker_.current)) {
    return refuse(rules, "the masks were changed just now: send Sync and try again");
  }
  if (!info.is_parsed || info.is_opaque) {
    return refuse(rules, "masks by column cannot follow what this statement runs");
  }
  if (info.reads_statistics) return refuse(rules, "statistics hold values of masked columns");
  if (info.alters) return refuse(rules, "what masks by column rest on would be altered");
  const ReachedRules& reached = reach(judged.info);
  const matcher::RuleSet read = reached.read & rules;
  if (read.none()) return;
  if (const auto derived = rules & plan().derived_refused; derived.any()) {
    const matcher::RuleSet refused = reached.derived & derived;
    if (refused.any()) return refuse(refused, "an expression over a masked column is not shown");
  }
  if (info.copies_out) return refuse(read, "a masked column cannot be copied out: use SELECT");
  const matcher::RuleSet kept = info.writes ? reached.kept & rules : matcher::RuleSet();
  if (kept.any()) return refuse(kept, "a masked column's values cannot be written elsewhere");
  if (info.calls_reaching) return refuse(read, "a masked column's values cannot be handed on");
}

/// Blanks and comments: there is nothing to rule on.
bool PostgresSession::is_empty(const JudgedStatement& judged) noexcept {
  return judged.info->is_parsed && judged.info->facts.empty();
}

/// False when it could not be recorded: the session is over then.
bool PostgresSession::begin_operation(const JudgedStatement& judged, std::uint64_t bytes_in,
                                      Meaning* portal) {
  ++operations_;
  if (judged.ruling.is_recorded) begin_recording();
  audit::Record record = describe(judged);
  record.ruling = audit::RulingKind::allow;
  record.rule = judged.ruling.rule;
  const auto intent = log_.append_intent(record);
  if (!intent) {
    fail_session("57P03", log_refusal, "log-failed");
    return false;
  }
  // It ran: whoever approved it is told of that only now that it is recorded.
  end_hold(config::HoldEnd::ran);
  send_on_after(*intent);
  recording_.add(recordings::ItemKind::statement, operations_, as_bytes(judged.record_text));
  worker_.metrics.requests_allowed.add();
  ++worker_.current->operations;
  operations_open_.push_back({worker_.current, principal_->view()->response_masks(), operations_,
                              bytes_in, worker_.now.monotonic, *intent, meter_of(judged, portal)});
  // From here on names without a schema may mean something else.
  if (judged.info->may_change_search_path) {
    backend_->forget_search_path();
    backend_->doubt_answers();
  }
  if (judged.info->may_change_schema && !plan().columns.empty()) {
    worker_.catalogs.forget(catalog_key());
    backend_->doubt_answers();
  }
  for (const sql::Statement& statement : judged.info->analysis.statements) {
    // EXECUTE and FETCH show what these read.
    if (!statement.inner.empty()) named_rules_ |= reach(judged.info).read;
  }
  has_prepared_ = has_prepared_ || judged.info->prepares;
  names_moved_ = names_moved_ || (has_prepared_ && judged.info->may_change_search_path);
  forget_names(*judged.info);
  note_trace(*judged.info);
  if (may_change_reading(*judged.info)) waits_to_settle_ = reading_uncertain_ = true;
  // What follows runs under the name of who asks for it: that is told first.
  if (is_pooled_ && may_drop_name(*judged.info)) waits_to_settle_ = true;
  return true;
}

audit::Record PostgresSession::describe(const JudgedStatement& judged) {
  const Snapshot& snapshot = worker_.current->snapshot();
  audit::Record record;
  record.phase = audit::Phase::intent;
  record.time = worker_.now;
  record.session = number_;
  record.operation = operations_;
  record.configuration = snapshot.generation;
  record.policy = snapshot.policy_digest;
  describe_principal(principal_->who(), record, worker_);
  record.certificate = certificate_->fingerprint();
  record.peer = peer_text_;
  record.listener = plan().settings.name;
  record.target = target().name;
  record.protocol = "postgres";
  record.verb = judged.info->is_parsed ? std::string_view(judged.info->classes) : "unparsed";
  record.resource = judged.record_text;
  record.host = recorded_database_;
  record.recording = recording_.name();
  if (hold_ != nullptr) {
    record.approval = hold_->request;
    record.binding = hold_->binding;
  }
  worker_.unmasked[0] = judged.source;
  record.unmasked = {worker_.unmasked.data(), 1};
  return record;
}

/// As a record may hold it; lives until the next one.
std::string_view PostgresSession::fit_for_record(std::string_view text) {
  const Snapshot& snapshot = worker_.current->snapshot();
  // The scan reads a little behind its subject.
  scanned_.assign(text.begin(), text.end());
  scanned_.resize(text.size() + readable_tail_bytes);
  const std::size_t size = matcher::mask_text(
      *snapshot.masks, snapshot.record_masks, matcher::BodyKind::text, {},
      ByteView(scanned_).first(text.size()), worker_.record_room, worker_.text_scratch, {});
  return as_text({worker_.record_room.data(), size});
}

void PostgresSession::refuse_statement(const JudgedStatement& judged, bool is_query,
                                       std::string_view code) {
  const bool is_denied = judged.ruling.kind != config::Ruling::Kind::allow;
  ++operations_;
  audit::Record record = describe(judged);
  record.ruling = audit::RulingKind::deny;
  record.rule = is_denied ? judged.ruling.rule : std::string_view("protocol");
  record.reason = is_denied ? judged.ruling.reason
                            : "the gateway reads UTF-8 with standard_conforming_strings = on only";
  const auto sequence = log_.append_single(record);
  if (!sequence) {
    return fail_session("57P03", log_refusal, "log-failed");
  }
  tell_after(*sequence);
  recording_.add(recordings::ItemKind::statement, operations_, as_bytes(judged.record_text));
  tap_.set_operation(operations_);
  worker_.metrics.requests_denied.add();
  worker_.metrics.denials.add(record.target, record.rule);
  std::array<char, 64> id{};
  std::string detail =
      fmt::format("rule {}, record {}", record.rule, record_id(worker_.log, *sequence, id));
  if (hold_ != nullptr) detail += fmt::format(", request {}", hold_->request);
  const std::string_view hint =
      judged.info->is_parsed ? record.reason : "the gateway does not understand the statement";
  queue_refusal(
      error_message({.code = code,
                     .message = code == "57014" ? "canceling statement due to user request"
                                                : "the gateway's policy refused the statement",
                     .detail = detail,
                     .hint = hint}),
      is_query);
}

/// What no rule decided.
void PostgresSession::refuse_message(std::string_view code, std::string_view message,
                                     std::string_view hint, bool is_query) {
  worker_.metrics.requests_malformed.add();
  queue_refusal(error_message({.code = code, .message = message, .detail = {}, .hint = hint}),
                is_query);
}

/// The error comes when its turn has come. What follows up to Sync is skipped, as a
/// server would; behind a Query nothing is.
void PostgresSession::queue_refusal(std::string bytes, bool is_query) {
  const bool is_alone = is_at_rest();
  expect(Expected::Kind::refusal);
  expected_.back().refusal = std::move(bytes);
  if (!is_query) {
    skips_ = true;
    skips_need_spoil_ = true;
    // An error of the target's would have brought what comes before it along.
    make_target_answer();
  } else if (is_alone && status_ != TransactionStatus::in_transaction) {
    expect(Expected::Kind::ready);
  } else {
    spoil_transaction();
  }
  settle_own_replies();
}

/// Brings the target to where a failed statement would have brought it.
void PostgresSession::spoil_transaction() {
  to_upstream_.push_static(spoiling_parse);
  backend_->statements().forget_unnamed();
  expect(Expected::Kind::spoil);
  to_upstream_.push_static(postgres::sync_message);
  expect(Expected::Kind::sync);
  unflushed_ = 0;
}

}  // namespace sluice::dataplane
