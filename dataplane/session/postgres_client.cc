// The client's side: its messages are cut, understood and sent on once they were judged.
//
// source   PostgreSQL manual, "Message Flow".
#include <algorithm>

#include "dataplane/session/postgres_session.h"

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

bool is_copy_message(FrontendType type) {
  return type == FrontendType::copy_data || type == FrontendType::copy_done ||
         type == FrontendType::copy_fail;
}

bool is_heard_in_copy(FrontendType type) {
  return is_copy_message(type) || type == FrontendType::sync || type == FrontendType::flush ||
         type == FrontendType::terminate;
}

bool may_copy_in(const StatementInfo& info) {
  if (!info.is_parsed) return true;
  return std::ranges::any_of(info.analysis.statements, [](const sql::Statement& statement) {
    return statement.classes.has(sql::StatementClass::copy_in);
  });
}

}  // namespace

bool PostgresSession::read_client() {
  if (target_ended_ || !upstream_out_.has_room() || !client_out_.has_room()) return false;
  if (client_piece_left_ != 0) return relay_client_piece();
  if (client_inbox_.empty() || expected_.size() >= expected_max) return false;
  if (is_held() && !skips_) return false;
  if (backend_ != nullptr && ask_again()) return true;
  if (!worker_.log.has_room()) {
    if (worker_.log.is_broken()) {
      fail_session("57P03", log_refusal, "log-failed");
      return false;
    }
    waits_for_log_ = true;
    worker_.metrics.log_stalls.add();
    return false;
  }
  if (!recording_.has_room()) {
    waits_for_log_ = true;
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
    end_hold(config::HoldEnd::interrupted);
    client_piece_left_ = header.message_bytes() - client_inbox_.drop_gathered();
    client_piece_drops_ = client_piece_left_ != 0;
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
      leave("by the client");
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
  if (handled == Handled::later) {
    // For minutes, perhaps: others need the buffers.
    if (is_held()) client_inbox_.set_aside(worker_, *message);
    return false;
  }
  end_hold(config::HoldEnd::refused);
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
  to_upstream_.push_static(postgres::flush_message);
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
    note_copied_in();
    // An Execute has one COPY, a Query may have another.
    if (expected_.back().kind == Expected::Kind::execute) expected_.back().may_copy_in = false;
  }
  return true;
}

/// How much it was: no mask has seen what it is.
void PostgresSession::note_copied_in() {
  if (!recording_.is_on() || operations_open_.empty()) return;
  const Operation& operation = operations_open_.front();
  recording_.add(recordings::ItemKind::copied_in, operation.number,
                 as_bytes(std::to_string(operation.bytes_in)));
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
      return on_query(message);
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
  if (!is_at_rest() || status_ == TransactionStatus::failed) return false;
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

PostgresSession::Handled PostgresSession::on_query(const PostgresInbox::Message& message) {
  const auto query = postgres::decode_query(message.body());
  if (!query) return Handled::malformed;
  // As the server does, whatever comes of the Query.
  forget_name(false, "");
  forget_name(true, "");
  if (!is_readable(query->text, true)) return Handled::done;
  auto judged = judge(query->text);
  if (!judged) return Handled::done;
  has_described_ = false;
  if (is_empty(*judged)) {
    expect(Expected::Kind::query);
    send_on(message);
    return Handled::done;
  }
  const Clearance clearance = clear(*judged, nullptr, true);
  if (clearance == Clearance::later) return Handled::later;
  if (clearance == Clearance::no || !keeps_rates(*judged, true)) return Handled::done;
  if (!begin_operation(*judged, query->text.size(), nullptr)) return Handled::done;
  expect(Expected::Kind::query);
  expected_.back().has_operation = true;
  expected_.back().may_copy_in = may_copy_in(*judged->info);
  note_origin(judged->info);
  backend_->statements().forget_unnamed();
  send_on(message);
  return Handled::done;
}

PostgresSession::Handled PostgresSession::on_parse(const PostgresInbox::Message& message) {
  const auto parse = postgres::decode_parse(message.body());
  if (!parse) return Handled::malformed;
  if (!is_readable(parse->text, false)) return Handled::done;
  if (is_pooled_ && !parse->statement.empty()) {
    if (is_undecided(false, parse->statement)) return Handled::later;
    if (find_name(false, parse->statement) != nullptr) {
      // The target has it under another name, and would not mind.
      refuse_message("42P05", "a prepared statement of this name exists already", "close it first",
                     false);
      return Handled::done;
    }
  }
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
  // What is held is so when it is executed.
  const bool is_allowed = is_empty(judged) || (judged.ruling.kind != config::Ruling::Kind::deny &&
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
  if (may_be_held()) {
    const std::size_t names_bytes = bind->portal.size() + 1 + bind->statement.size() + 1;
    const std::string_view values = as_text(message.body()).substr(names_bytes);
    pending_.back().meaning.bound = worker_.log.digest_of({&values, 1});
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
    if (target->name.empty() && is_undecided(false, {})) return Handled::later;
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
  auto judged = judge(prepared->text(), portal);
  if (!judged) return Handled::done;
  if (!is_empty(*judged)) {
    const Clearance clearance = clear(*judged, portal, false);
    if (clearance == Clearance::later) return Handled::later;
    if (clearance == Clearance::no || !keeps_rates(*judged, false)) return Handled::done;
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
  if (waits_for_limited(FrontendType::flush) && !upstream_out_.copy(postgres::flush_message)) {
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

/// What the rows and texts that answer the newest request come from.
void PostgresSession::note_origin(const std::shared_ptr<const StatementInfo>& info) {
  if (plan().columns.empty()) return;
  expected_.back().info = info;
  const matcher::RuleSet rules = column_rules(*worker_.current, masks_in_force());
  expected_.back().reads_masked =
      rules.any() &&
      (!catalog_fits(*worker_.current) || ((reach(info).touched | named_rules_) & rules).any());
}

void PostgresSession::expect(Expected::Kind kind) {
  expected_.push_back({}).kind = kind;
  const bool is_ours = kind == Expected::Kind::refusal || kind == Expected::Kind::ready ||
                       kind == Expected::Kind::parsed;
  is_quiet_ = is_quiet_ && is_ours;
}

}  // namespace sluice::dataplane
