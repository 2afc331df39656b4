// The client's side: what it asks for is judged and recorded, then goes on.
//
// source   PostgreSQL manual, "Message Flow".
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "dataplane/session/postgres_session.h"
#include "dataplane/session/record_id.h"

namespace sluice::dataplane {

using postgres::FrontendType;
using postgres::Header;
using postgres::HeaderStep;
using postgres::TransactionStatus;

namespace {

/// Replies that may be outstanding before the client is read no further.
constexpr std::size_t expected_max = 1024;
/// The target holds its replies back until it is told to flush, so it is, now and then.
constexpr std::size_t unflushed_max = 64;
constexpr std::size_t names_max = 10'000;
constexpr std::size_t prepared_bytes_max = std::size_t{16} << 20;
/// Parameters up to here are awaited whole; longer ones pass piece by piece.
constexpr std::size_t bind_bytes_max = 64 * 1024;

/// A Parse of what is no statement: the transaction fails by it, or what this pipeline
/// did so far, just as it would have by the statement that was refused. It has a name,
/// because a Parse without one forgets the unnamed statement even when it fails.
constexpr auto spoiling_parse = std::to_array<std::uint8_t>(
    {'P', 0,   0,   0,   31,  'x', 0,   'r', 'e', 'f', 'u', 's', 'e', 'd', ' ', 'b',
     'y', ' ', 't', 'h', 'e', ' ', 'g', 'a', 't', 'e', 'w', 'a', 'y', 0,   0,   0});
static_assert(spoiling_parse.size() == 1 + 31);

constexpr auto flush_message = std::to_array<std::uint8_t>({'H', 0, 0, 0, 4});
constexpr auto sync_message = std::to_array<std::uint8_t>({'S', 0, 0, 0, 4});

bool is_copy_message(FrontendType type) {
  return type == FrontendType::copy_data || type == FrontendType::copy_done ||
         type == FrontendType::copy_fail;
}

bool is_heard_in_copy(FrontendType type) {
  return is_copy_message(type) || type == FrontendType::sync || type == FrontendType::flush ||
         type == FrontendType::terminate;
}

bool only_steps_transactions(const StatementInfo& info) {
  return info.is_parsed && std::ranges::all_of(info.analysis.statements, [](const auto& statement) {
           return statement.transaction != sql::TransactionStep::none;
         });
}

bool may_copy_in(const StatementInfo& info) {
  if (!info.is_parsed) return true;
  return std::ranges::any_of(info.analysis.statements, [](const sql::Statement& statement) {
    return statement.classes.has(sql::StatementClass::copy_in);
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

std::string error_message(const postgres::ReportText& report) {
  std::array<std::uint8_t, 8 * 1024> room;
  postgres::Writer writer(room);
  writer.error_response(report);
  return std::string(as_text(writer.written()));
}

}  // namespace

bool PostgresSession::read_client() {
  if (target_ended_ || !upstream_out_.has_room() || !client_out_.has_room()) return false;
  if (client_piece_left_ != 0) return relay_client_piece();
  if (client_inbox_.empty() || expected_.size() >= expected_max) return false;
  if (backend_ != nullptr && ask_again()) return true;
  if (!worker_.log.has_room()) {
    if (worker_.log.is_broken()) {
      fail_session("57P03", "the audit log cannot be written", "log-broken");
      return false;
    }
    waits_for_log_ = true;
    worker_.metrics.log_stalls.add();
    return false;
  }
  const HeaderStep step = client_inbox_.peek(worker_, postgres::Side::frontend);
  if (step.kind == HeaderStep::Kind::needs_more) return false;
  if (step.kind == HeaderStep::Kind::malformed) {
    fail_session("08P01", postgres::text(step.fault), "malformed");
    return false;
  }
  const Header& header = step.header;
  const FrontendType type = header.frontend();
  const bool ends_skipping = type == FrontendType::sync || type == FrontendType::terminate;
  if (skips_ && !ends_skipping && type != FrontendType::flush) {
    client_piece_left_ = header.message_bytes();
    client_piece_drops_ = true;
    return true;
  }
  if (waits_for_limited(type)) return false;
  if (must_wait_for_answers(type)) {
    make_target_answer();
    return false;
  }
  if (copies_in_ && !is_heard_in_copy(type)) {
    // The server would not know either where the next message begins.
    fail_session("08P01", "a message came that no COPY has", "malformed");
    return false;
  }
  if (type != FrontendType::terminate && !has_target()) return false;
  const std::uint64_t statement_max = plan().settings.postgres.statement_bytes_max;
  switch (type) {
    case FrontendType::query:
    case FrontendType::parse:
    case FrontendType::function_call:
      if (header.body_bytes > statement_max) {
        client_piece_left_ = header.message_bytes();
        client_piece_drops_ = true;
        refuse_message("54000", "the statement is longer than the gateway reads",
                       "see the listener's limit 'statement'", type != FrontendType::parse);
        return true;
      }
      break;
    case FrontendType::copy_data:
    case FrontendType::copy_done:
    case FrontendType::copy_fail:
      return take_copy_message(header);
    case FrontendType::bind:
      if (header.message_bytes() <= bind_bytes_max) break;
      if (!looks_at_parameters()) return on_long_bind(header);
      if (header.body_bytes <= statement_max) break;
      client_piece_left_ = header.message_bytes();
      client_piece_drops_ = true;
      refuse_message("54000", "the parameters are longer than the gateway reads",
                     "see the listener's limit 'statement'", false);
      return true;
    case FrontendType::terminate:
      record_session("closed", "by the client");
      on_client_lost();
      return false;
    case FrontendType::password:
      fail_session("08P01", "a password was not asked for", "malformed");
      return false;
    case FrontendType::close:
    case FrontendType::describe:
    case FrontendType::execute:
    case FrontendType::flush:
    case FrontendType::sync:
      if (header.body_bytes > bind_bytes_max) {
        fail_session("08P01", "a message is too long", "malformed");
        return false;
      }
      break;
  }
  const auto message = client_inbox_.whole(worker_, header);
  if (!message || must_wait(*message)) return false;
  const Handled handled = on_request(*message);
  if (handled == Handled::later) return false;
  if (handled == Handled::malformed) {
    if (stage_ != Stage::closing) fail_session("08P01", "a message is malformed", "malformed");
    return false;
  }
  if (stage_ == Stage::closing) return false;
  client_inbox_.consume(worker_, *message);
  // Not while a part of the message still waits for room: it would come before that.
  if (++unflushed_ >= unflushed_max && upstream_out_.has_room()) make_target_answer();
  settle_own_replies();
  return true;
}

/// The target holds its replies back until it is told to flush, and some must be known
/// before the client is read on.
void PostgresSession::make_target_answer() {
  if (expected_.empty() || will_be_answered() || unflushed_ == 0) return;
  to_upstream_.push_static(flush_message);
  unflushed_ = 0;
}

bool PostgresSession::must_wait_for_answers(FrontendType type) const noexcept {
  if (expected_.empty() || type == FrontendType::terminate) return false;
  // Whether the target takes it, and whether it hears a Sync, is known when it answered.
  if (is_copy_message(type) || expected_.back().may_copy_in) return !copies_in_;
  // An error before it would skip it, too: the target reads on to the next Sync.
  const bool is_query = type == FrontendType::query || type == FrontendType::function_call;
  return is_query && !will_be_answered();
}

/// A part of a COPY passes piece by piece, or is dropped as the server would.
bool PostgresSession::take_copy_message(const Header& header) {
  client_piece_drops_ = !copies_in_;
  client_piece_left_ = header.message_bytes();
  if (!copies_in_) return true;
  ++unflushed_;
  if (!operations_open_.empty()) operations_open_.front().bytes_in += header.body_bytes;
  if (header.frontend() != FrontendType::copy_data) {
    copies_in_ = false;
    // An Execute has one COPY, a Query may have another.
    if (expected_.back().kind == Expected::Kind::execute) expected_.back().may_copy_in = false;
  }
  return true;
}

/// Some messages cannot be judged before the target has told what the ones before did.
bool PostgresSession::must_wait(const PostgresInbox::Message& message) {
  const FrontendType type = message.header.frontend();
  const bool has_text = type == FrontendType::query || type == FrontendType::parse;
  const bool is_ambiguous =
      has_text && !operations_open_.empty() &&
      std::ranges::find(message.body(), std::uint8_t{'\\'}) != message.body().end();
  if (!waits_to_settle_ && !is_ambiguous) return false;
  if (will_be_answered()) return true;
  if (expected_.empty()) waits_to_settle_ = false;
  return false;
}

/// All that is outstanding: nothing waits for a Sync.
bool PostgresSession::will_be_answered() const noexcept {
  return !expected_.empty() && (expected_.back().kind == Expected::Kind::sync ||
                                expected_.back().kind == Expected::Kind::query ||
                                expected_.back().kind == Expected::Kind::ready);
}

PostgresSession::Handled PostgresSession::on_request(const PostgresInbox::Message& message) {
  const auto unless = [](bool understood) {
    return understood ? Handled::done : Handled::malformed;
  };
  switch (message.header.frontend()) {
    case FrontendType::query:
      return unless(on_query(message));
    case FrontendType::parse:
      return on_parse(message);
    case FrontendType::bind:
      return on_bind(message);
    case FrontendType::describe:
      return on_describe(message);
    case FrontendType::execute:
      return on_execute(message);
    case FrontendType::close:
      return unless(on_close(message));
    case FrontendType::sync:
      on_sync(message);
      return Handled::done;
    case FrontendType::flush:
      send_on(message);
      return Handled::done;
    case FrontendType::function_call:
      return unless(on_function_call(message));
    default:
      return Handled::malformed;
  }
}

/// What the gateway knows of the target's session may be out of date: between two
/// requests it asks. True when it did.
bool PostgresSession::ask_again() {
  // Within a pipeline a question would end its transaction.
  if (!expected_.empty() || !rests_ || status_ == TransactionStatus::failed) return false;
  if (replication_ != Replication::none) return false;
  const std::uint64_t generation = worker_.current->snapshot().generation;
  if (!backend_->must_ask(generation, listener_, !plan().columns.empty())) return false;
  ask_settings();
  return true;
}

/// Bytes of a message that passes, or is dropped, piece by piece.
bool PostgresSession::relay_client_piece() {
  const ByteSpan in = client_inbox_.front(worker_);
  if (in.empty()) return false;
  const std::size_t n = std::min<std::uint64_t>(in.size(), client_piece_left_);
  if (!client_piece_drops_) upstream_out_.pass(client_inbox_.front_buffer(), in.first(n));
  client_inbox_.take(worker_, n);
  client_piece_left_ -= n;
  if (client_piece_left_ == 0) client_piece_drops_ = false;
  return true;
}

bool PostgresSession::on_query(const PostgresInbox::Message& message) {
  const auto query = postgres::decode_query(message.body());
  if (!query) return false;
  // As the server does, whatever comes of the Query.
  forget_name(false, "");
  forget_name(true, "");
  if (!is_readable(query->text, true)) return true;
  const auto judged = judge(query->text);
  if (!judged) return true;
  has_described_ = false;
  if (is_empty(*judged)) {
    expect(Expected::Kind::query);
    send_on(message);
    return true;
  }
  if (judged->ruling.kind != config::Ruling::Kind::allow || judged->info->sets_unreadable) {
    refuse_statement(*judged, true);
    return true;
  }
  if (!keeps_rates(*judged, true)) return true;
  if (!begin_operation(*judged, query->text.size(), nullptr)) return true;
  expect(Expected::Kind::query);
  expected_.back().has_operation = true;
  expected_.back().may_copy_in = may_copy_in(*judged->info);
  note_origin(judged->info);
  backend_->statements().forget_unnamed();
  send_on(message);
  return true;
}

PostgresSession::Handled PostgresSession::on_parse(const PostgresInbox::Message& message) {
  const auto parse = postgres::decode_parse(message.body());
  if (!parse) return Handled::malformed;
  if (!is_readable(parse->text, false)) return Handled::done;
  const auto judged = judge(parse->text);
  if (!judged || !admit_parse(*parse, *judged)) return Handled::done;
  const std::string_view source = as_text(message.body()).substr(parse->statement.size() + 1);
  const Fingerprint print = is_pooled_ ? worker_.fingerprint_key.of(source) : Fingerprint{};
  auto prepared =
      std::make_shared<const Prepared>(*parse, source, judged->info, print, prepared_bytes_);
  if (is_pooled_) {
    const Bound bound = parse_in_pool(message, parse->statement, *prepared);
    if (bound != Bound::yes) return bound == Bound::later ? Handled::later : Handled::done;
  } else {
    expect(Expected::Kind::parse);
    send_on(message);
  }
  // SQL's EXECUTE takes names from here too.
  if (!parse->statement.empty()) named_rules_ |= reach(judged->info).read;
  pending_.push_back(
      {false, std::string(parse->statement), Meaning{std::move(prepared)}, pipeline_});
  return Handled::done;
}

/// False when it was refused.
bool PostgresSession::admit_parse(const postgres::Parse& parse, const JudgedStatement& judged) {
  const bool is_allowed = is_empty(judged) || (judged.ruling.kind == config::Ruling::Kind::allow &&
                                               !judged.info->sets_unreadable);
  if (!is_allowed) {
    refuse_statement(judged, false);
    return false;
  }
  if (statements_.size() + pending_.size() >= names_max) {
    refuse_message("54000", "too many prepared statements in one session", {}, false);
    return false;
  }
  if (prepared_bytes_ + parse.text.size() > prepared_bytes_max) {
    refuse_message("54000", "the prepared statements of one session are too long", {}, false);
    return false;
  }
  return true;
}

PostgresSession::Handled PostgresSession::on_bind(const PostgresInbox::Message& message) {
  const auto bind = postgres::decode_bind(message.body());
  if (!bind) return Handled::malformed;
  const Bound bound = bind_names(bind->portal, bind->statement);
  if (bound == Bound::later) return Handled::later;
  if (bound != Bound::yes) return Handled::done;
  if (looks_at_parameters()) {
    Meaning& portal = pending_.back().meaning;
    look_at_parameters(bind->parameters, bind->parameter_formats, portal.prepared->parameter_types,
                       portal);
  }
  const bool is_named_anew = is_pooled_ && !bind->statement.empty();
  is_named_anew ? send_bind(message, *bind) : send_on(message);
  return Handled::done;
}

/// Its names stand at its beginning; the rest passes as it comes.
bool PostgresSession::on_long_bind(const Header& header) {
  while (client_inbox_.front(worker_).size() < 1024) {
    if (!client_inbox_.join(worker_, 1024)) return false;
  }
  const std::string_view body =
      as_text(client_inbox_.front(worker_).subspan(postgres::header_bytes));
  const std::size_t portal_end = body.find('\0');
  const std::size_t statement_end =
      portal_end == body.npos ? body.npos : body.find('\0', portal_end + 1);
  if (statement_end == body.npos) {
    fail_session("08P01", "a name is too long", "malformed");
    return false;
  }
  const std::string_view portal = body.substr(0, portal_end);
  const Bound bound =
      bind_names(portal, body.substr(portal_end + 1, statement_end - portal_end - 1));
  if (bound == Bound::later) return false;
  client_piece_left_ = header.message_bytes();
  client_piece_drops_ = bound == Bound::refused;
  if (bound == Bound::refused || !is_pooled_) return true;
  const std::size_t rest_bytes = header.body_bytes - (statement_end + 1);
  const bool is_sent = upstream_out_.write([&](postgres::Writer& writer) {
    writer.bind_head(portal, held_name_.text(), static_cast<std::uint32_t>(rest_bytes));
  });
  client_inbox_.take(worker_, postgres::header_bytes + statement_end + 1);
  client_piece_left_ = rest_bytes;
  if (!is_sent) fail_session("53000", "the gateway has no buffer free", "no-buffers");
  return is_sent;
}

PostgresSession::Bound PostgresSession::bind_names(std::string_view portal,
                                                   std::string_view statement) {
  if (is_undecided(false, statement)) return Bound::later;
  auto prepared = find_name(false, statement);
  if (prepared == nullptr) {
    refuse_message("26000", "the gateway knows no prepared statement of this name",
                   "prepare it by the protocol, not by PREPARE", false);
    return Bound::refused;
  }
  if (portals_.size() + pending_.size() >= names_max) {
    refuse_message("54000", "too many portals in one session", {}, false);
    return Bound::refused;
  }
  if (is_pooled_) {
    const Bound held = hold_statement(statement, *prepared);
    if (held != Bound::yes) return held;
  }
  if (has_described_ && described_ == portal) has_described_ = false;
  // SQL's FETCH takes names from here too.
  if (!portal.empty()) named_rules_ |= reach(prepared->info).read;
  pending_.push_back({true, std::string(portal), Meaning{std::move(prepared)}, pipeline_});
  expect(Expected::Kind::bind);
  return Bound::yes;
}

PostgresSession::Handled PostgresSession::on_describe(const PostgresInbox::Message& message) {
  const auto target = postgres::decode_describe(message.body());
  if (!target) return Handled::malformed;
  if (target->kind == postgres::Target::Kind::portal) {
    // Whose rows they are decides what is masked in them.
    static_cast<void>(renew_principal());
    described_ = target->name;
    has_described_ = true;
    described_generation_ = worker_.current->snapshot().generation;
    expect(Expected::Kind::describe_portal);
    if (const auto prepared = find_name(true, target->name)) note_origin(prepared->info);
  } else if (is_pooled_) {
    return describe_in_pool(target->name);
  } else {
    // A Query that was refused has ended it, too, and the target does not know that.
    if (target->name.empty() && find_name(false, {}) == nullptr) {
      refuse_message("26000", "the gateway knows no unnamed prepared statement", {}, false);
      return Handled::done;
    }
    expect(Expected::Kind::describe_statement);
  }
  send_on(message);
  return Handled::done;
}

PostgresSession::Handled PostgresSession::on_execute(const PostgresInbox::Message& message) {
  const auto execute = postgres::decode_execute(message.body());
  if (!execute) return Handled::malformed;
  if (is_undecided(true, execute->portal)) return Handled::later;
  Meaning* const portal = find_meaning(true, execute->portal);
  if (portal == nullptr) {
    refuse_message("34000", "the gateway knows no portal of this name", {}, false);
    return Handled::done;
  }
  const auto prepared = portal->prepared;
  // Judged now, too: rules may have changed since it was prepared.
  const auto judged = judge(prepared->text(), portal);
  if (!judged) return Handled::done;
  if (!is_empty(*judged)) {
    if (judged->ruling.kind != config::Ruling::Kind::allow) {
      refuse_statement(*judged, false);
      return Handled::done;
    }
    if (!keeps_rates(*judged, false)) return Handled::done;
    if (!begin_operation(*judged, prepared->text().size(), portal)) return Handled::done;
  }
  // Other rules may be about other columns, and leave marks where there are none now.
  const bool is_current = described_generation_ == worker_.current->snapshot().generation;
  const bool is_described = is_current && has_described_ && described_ == execute->portal;
  if ((masks().active.any() || !is_current) && !is_described) {
    if (!ask_columns(execute->portal, prepared->info)) return Handled::done;
  }
  expect(Expected::Kind::execute);
  expected_.back().has_operation = !is_empty(*judged);
  expected_.back().may_copy_in = may_copy_in(*judged->info);
  note_origin(prepared->info);
  send_on(message);
  // What comes behind it waits for the target's answer.
  if (waits_for_limited(FrontendType::flush) && !upstream_out_.copy(flush_message)) {
    fail_session("53000", "the gateway has no buffer free", "no-buffers");
  }
  return Handled::done;
}

/// Masks depend on what the columns are, and the client did not ask.
bool PostgresSession::ask_columns(std::string_view portal,
                                  const std::shared_ptr<const StatementInfo>& info) {
  const bool asked = upstream_out_.write(
      [&](postgres::Writer& writer) { writer.describe(postgres::Target::Kind::portal, portal); });
  if (!asked) {
    fail_session("53000", "the gateway has no buffer free", "no-buffers");
    return false;
  }
  described_ = portal;
  has_described_ = true;
  described_generation_ = worker_.current->snapshot().generation;
  expect(Expected::Kind::describe_portal);
  expected_.back().is_own = true;
  note_origin(info);
  return true;
}

bool PostgresSession::on_close(const PostgresInbox::Message& message) {
  const auto target = postgres::decode_close(message.body());
  if (!target) return false;
  const bool is_portal = target->kind == postgres::Target::Kind::portal;
  pending_.push_back({is_portal, std::string(target->name), {}, pipeline_});
  expect(Expected::Kind::close);
  send_on(message);
  return true;
}

void PostgresSession::on_sync(const PostgresInbox::Message& message) {
  ++pipeline_;
  backend_->statements().begin_pipeline();
  if (copies_in_) return;  // the target would not hear it
  if (std::exchange(skips_, false) && std::exchange(skips_need_spoil_, false)) {
    return spoil_transaction();
  }
  expect(Expected::Kind::sync);
  send_on(message);
  unflushed_ = 0;
}

void PostgresSession::send_on(const PostgresInbox::Message& message) {
  if (message.buffer != no_buffer) {
    upstream_out_.pass(message.buffer, message.bytes);
  } else if (!upstream_out_.copy(message.bytes)) {
    fail_session("53000", "the gateway has no buffer free", "no-buffers");
  }
}

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
    fail_session("57P01", "the key that this session began with is no longer valid",
                 "key-withdrawn");
    return std::nullopt;
  }
  if (is_replication_command(text)) return judge_replication(text);
  StatementContext context{worker_.current, listener_, key_, backend_->search_path()};
  const std::uint64_t generation = worker_.current->snapshot().generation;
  if (portal != nullptr && portal->hits_generation == generation) {
    context.parameter_hits = portal->parameter_hits;
  }
  JudgedStatement judged = worker_.statements.judge(text, context, worker_.text_scratch);
  guard_execute(judged);
  guard_pool(judged);
  guard_columns(judged);
  guard_parameters(judged, portal);
  return judged;
}

/// The target reads the names of what was prepared anew when the search path changed: what
/// PREPARE was allowed for is not what EXECUTE would run.
void PostgresSession::guard_execute(JudgedStatement& judged) const {
  const StatementInfo& info = *judged.info;
  if (judged.ruling.kind != config::Ruling::Kind::allow || !info.executes) return;
  if (!names_moved_ && !info.may_change_search_path) return;
  judged.ruling = {config::Ruling::Kind::deny, "protocol",
                   "search_path changed after PREPARE: prepare it again in a new session"};
}

/// Refuses what would take a masked column's values where no mask follows them.
void PostgresSession::guard_columns(JudgedStatement& judged) {
  const matcher::RuleSet rules = column_rules(*worker_.current, key_);
  if (rules.none() || judged.ruling.kind != config::Ruling::Kind::allow) return;
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
  audit::Record record = describe(judged);
  record.ruling = audit::RulingKind::allow;
  record.rule = judged.ruling.rule;
  const auto intent = worker_.log.append_intent(record);
  if (!intent) {
    fail_session("57P03", "the audit log cannot take a record", "log-broken");
    return false;
  }
  if (worker_.durable) upstream_gate_ = *intent;
  worker_.metrics.requests_allowed.add();
  ++worker_.current->operations;
  operations_open_.push_back({worker_.current, key_, operations_, bytes_in, worker_.now.monotonic,
                              *intent, meter_of(judged, portal)});
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
  return true;
}

audit::Record PostgresSession::describe(const JudgedStatement& judged) {
  const Snapshot& snapshot = worker_.current->snapshot();
  const config::Principal& principal = keys_->principal(key_);
  worker_.groups.assign(principal.groups.begin(), principal.groups.end());
  audit::Record record;
  record.phase = audit::Phase::intent;
  record.time = worker_.now;
  record.session = number_;
  record.operation = operations_;
  record.configuration = snapshot.generation;
  record.subject = principal.subject;
  record.issuer = principal.issuer;
  record.proof = "api-key";
  record.credential_id = principal.credential_id;
  record.groups = worker_.groups;
  record.peer = peer_text_;
  record.listener = plan().settings.name;
  record.target = target().name;
  record.protocol = "postgres";
  record.verb = judged.info->is_parsed ? std::string_view(judged.info->classes) : "unparsed";
  record.resource = judged.record_text;
  record.host = recorded_database_;
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
  const auto sequence = worker_.log.append_single(record);
  if (!sequence) {
    return fail_session("57P03", "the audit log cannot take a record", "log-broken");
  }
  if (worker_.durable) client_gate_ = *sequence;
  worker_.metrics.requests_denied.add();
  std::array<char, 64> id{};
  const std::string detail =
      fmt::format("rule {}, record {}", record.rule, record_id(worker_.log, *sequence, id));
  const std::string_view hint =
      judged.info->is_parsed ? record.reason : "the gateway does not understand the statement";
  queue_refusal(error_message({.code = code,
                               .message = "the gateway's policy refused the statement",
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
  const bool is_alone = expected_.empty() && rests_;
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
  to_upstream_.push_static(sync_message);
  expect(Expected::Kind::sync);
  unflushed_ = 0;
}

/// What a name will stand for when the target has come so far; null: nothing that is known.
PostgresSession::Meaning* PostgresSession::find_meaning(bool is_portal, std::string_view name) {
  for (auto pending = pending_.rbegin(); pending != pending_.rend(); ++pending) {
    if (pending->is_portal != is_portal || pending->name != name) continue;
    return pending->meaning.prepared == nullptr ? nullptr : &pending->meaning;
  }
  Names& names = is_portal ? portals_ : statements_;
  const auto found = names.find(name);
  return found == names.end() ? nullptr : &found->second;
}

std::shared_ptr<const PostgresSession::Prepared> PostgresSession::find_name(bool is_portal,
                                                                            std::string_view name) {
  const Meaning* meaning = find_meaning(is_portal, name);
  return meaning == nullptr ? nullptr : meaning->prepared;
}

/// What the rows and texts that answer the newest request come from.
void PostgresSession::note_origin(const std::shared_ptr<const StatementInfo>& info) {
  if (plan().columns.empty()) return;
  expected_.back().info = info;
  const matcher::RuleSet rules = column_rules(*worker_.current, key_);
  expected_.back().reads_masked =
      rules.any() &&
      (!catalog_fits(*worker_.current) || ((reach(info).touched | named_rules_) & rules).any());
}

/// The name was changed before the last Sync, and the target has not said whether that
/// came true: what is asked of it now cannot be judged yet. Within one pipeline it can,
/// because what fails there takes what follows with it.
bool PostgresSession::is_undecided(bool is_portal, std::string_view name) const noexcept {
  return std::ranges::any_of(pending_, [&](const Pending& pending) {
    return pending.is_portal == is_portal && pending.name == name && pending.pipeline != pipeline_;
  });
}

/// SQL has names for statements and portals too, and they are the same names: what it
/// may have changed is no longer known here.
void PostgresSession::forget_names(const StatementInfo& info) {
  if (!info.is_parsed) {
    forget_names(false);
    forget_names(true);
  }
  for (const sql::Statement& statement : info.analysis.statements) {
    switch (statement.kind) {
      case sql::StatementClass::prepare:
      case sql::StatementClass::deallocate:
        statement.name.empty() ? forget_names(false) : forget_name(false, statement.name);
        break;
      case sql::StatementClass::declare:
      case sql::StatementClass::close:
        statement.name.empty() ? forget_names(true) : forget_name(true, statement.name);
        break;
      case sql::StatementClass::discard:
        forget_names(false);
        forget_names(true);
        break;
      default:
        break;
    }
  }
}

/// Also where the change that made it is not confirmed yet.
void PostgresSession::forget_name(bool is_portal, std::string_view name) {
  Names& names = is_portal ? portals_ : statements_;
  if (const auto found = names.find(name); found != names.end()) names.erase(found);
  for (Pending& pending : pending_) {
    if (pending.is_portal == is_portal && pending.name == name) pending.meaning = {};
  }
}

void PostgresSession::forget_names(bool is_portal) {
  (is_portal ? portals_ : statements_).clear();
  for (Pending& pending : pending_) {
    if (pending.is_portal == is_portal) pending.meaning = {};
  }
}

void PostgresSession::expect(Expected::Kind kind) {
  expected_.emplace_back();
  expected_.back().kind = kind;
  const bool is_ours = kind == Expected::Kind::refusal || kind == Expected::Kind::ready ||
                       kind == Expected::Kind::parsed || kind == Expected::Kind::closed;
  is_quiet_ = is_quiet_ && is_ours;
}

}  // namespace sluice::dataplane
