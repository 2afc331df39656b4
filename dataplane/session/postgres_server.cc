// The target's side: each reply is held against what was asked, and masked.
//
// source   PostgreSQL manual, "Message Flow", "Pipelining".
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "dataplane/session/postgres_session.h"
#include "sql/shape.h"

namespace sluice::dataplane {

using postgres::BackendType;
using postgres::Format;
using postgres::Header;
using postgres::HeaderStep;
using postgres::TransactionStatus;

namespace {

/// Largest message that is put side by side to be understood or masked.
constexpr std::size_t gathered_bytes_max = std::size_t{16} << 20;

/// Whether a column of the text's result may come from several queries, one of which
/// passes a value on while another computes it.
bool merges_queries(const StatementInfo& info) {
  const std::string_view text = info.text;  // words are in lower case
  const auto holds = [text](std::string_view word) { return text.find(word) != text.npos; };
  return text.ends_with(sql::cut_mark) || holds("union") || holds("intersect") || holds("except");
}

}  // namespace

bool PostgresSession::read_server() {
  if (!client_out_.has_room()) return false;
  if (!recording_.has_room()) {
    waits_for_log_ = true;
    return false;
  }
  if (!operations_open_.empty()) tap_.set_operation(operations_open_.front().number);
  if (server_piece_left_ != 0) return relay_server_piece();
  if (upstream_inbox_.empty()) return false;
  const HeaderStep step = upstream_inbox_.peek(worker_, postgres::Side::backend);
  if (step.kind == HeaderStep::Kind::needs_more) return false;
  if (step.kind == HeaderStep::Kind::malformed) {
    fail_session("08P01", "the target sent what is not PostgreSQL's protocol", "target-malformed");
    return false;
  }
  const Header& header = step.header;
  const bool is_data =
      header.backend() == BackendType::data_row || header.backend() == BackendType::copy_data;
  if (is_data && answers({Expected::Kind::query, Expected::Kind::execute})) {
    server_piece_drops_ = !may_bring(header.body_bytes);
    if (server_piece_drops_) {
      server_piece_left_ = header.message_bytes();
      return stage_ == Stage::open;
    }
  }
  if (is_data && relay_data(header.backend())) return stage_ == Stage::open;
  if (header.message_bytes() > gathered_bytes_max) {
    fail_session("54000",
                 fmt::format("the target sent a message of {} bytes: masks look into {} at most",
                             header.message_bytes(), gathered_bytes_max),
                 "too-long");
    return false;
  }
  const auto message = upstream_inbox_.whole(worker_, header);
  if (!message) return false;
  if (!on_reply(*message)) {
    if (stage_ != Stage::closing) {
      fail_session("08P01", "the target sent what nobody asked for", "target-malformed");
    }
    return false;
  }
  if (stage_ == Stage::closing) return false;
  upstream_inbox_.consume(worker_, *message);
  settle_own_replies();
  return true;
}

/// Bytes of a message that passes as it is.
bool PostgresSession::relay_server_piece() {
  const ByteSpan in = upstream_inbox_.front(worker_);
  if (in.empty()) return false;
  const std::size_t n = std::min<std::uint64_t>(in.size(), server_piece_left_);
  if (!server_piece_drops_) client_out_.pass(upstream_inbox_.front_buffer(), in.first(n));
  upstream_inbox_.take(worker_, n);
  server_piece_left_ -= n;
  return true;
}

/// False when it is malformed, or answers nothing that was asked.
bool PostgresSession::on_reply(const PostgresInbox::Message& message) {
  using Kind = Expected::Kind;
  if (is_cut() && on_reply_after_cut(message.header.backend())) return true;
  let_answer_go(message.header.backend());
  switch (message.header.backend()) {
    case BackendType::error_response:
    case BackendType::notice_response:
      return on_report(message);
    case BackendType::parameter_status:
      return on_parameter(message);
    case BackendType::notification_response:
      return on_notification(message);
    case BackendType::parse_complete:
      return on_confirmed(message, Kind::parse);
    case BackendType::bind_complete:
      return on_confirmed(message, Kind::bind);
    case BackendType::close_complete:
      return on_confirmed(message, Kind::close);
    case BackendType::parameter_description:
      pass_on(message);
      return answers({Kind::describe_statement});
    case BackendType::row_description:
      return on_columns(message, true);
    case BackendType::no_data:
      return on_columns(message, false);
    case BackendType::data_row:
      return answers({Kind::query, Kind::execute}) && on_row(message);
    case BackendType::copy_data:
      if (!answers({Kind::query, Kind::execute}) || operations_open_.empty()) return false;
      note_row(message.header.body_bytes);
      rows_.mask_in_place(worker_.scratch, masks(), message.body(), mask_counts_);
      pass_on(message);
      return true;
    case BackendType::command_complete:
      return note_rows_in(message) && on_end_of_execution(message);
    case BackendType::empty_query_response:
    case BackendType::portal_suspended:
      return on_end_of_execution(message);
    case BackendType::copy_in_response:
      // Nothing was sent behind what may begin a COPY, so nothing can be lost in it.
      if (!answers({Kind::query, Kind::execute}) || !expected_.front().may_copy_in) return false;
      copies_in_ = true;
      if (!operations_open_.empty()) operations_open_.front().has_copied_in = true;
      pass_on(message);
      return true;
    case BackendType::copy_out_response: {
      const auto copy = postgres::decode_copy_response(message.body());
      if (!copy || !answers({Kind::query, Kind::execute})) return false;
      if (copy->format == Format::binary && masks().active.any()) {
        fail_session("0A000", "masks cannot read a binary COPY: use the text format", "unmaskable");
        return true;
      }
      pass_on(message);
      return true;
    }
    case BackendType::copy_done:
      pass_on(message);
      return answers({Kind::query, Kind::execute});
    case BackendType::ready_for_query:
      return on_ready(message);
    case BackendType::copy_both_response:
      if (replication_ == Replication::none || !answers({Kind::query})) return false;
      copies_in_ = true;
      pass_on(message);
      return true;
    case BackendType::function_call_response:
      return on_function_result(message);
    case BackendType::authentication:
    case BackendType::backend_key_data:
    case BackendType::negotiate_protocol_version:
      return false;
  }
  return false;
}

bool PostgresSession::on_row(const PostgresInbox::Message& message) {
  if (!postgres::decode_data_row(message.body())) return false;
  note_row(message.header.body_bytes);
  const auto rewritten = rows_.mask(worker_.scratch, masks(), message.bytes, mask_counts_);
  rewritten ? copy_on(*rewritten) : pass_on(message);
  return true;
}

/// RowDescription or NoData.
bool PostgresSession::on_columns(const PostgresInbox::Message& message, bool has_columns) {
  using Kind = Expected::Kind;
  if (!answers({Kind::query, Kind::describe_portal, Kind::describe_statement})) return false;
  const bool is_description = expected_.front().kind != Kind::query;
  if (!has_columns && !is_description) return false;
  if (has_columns) {
    const auto fields = postgres::decode_row_description(message.body());
    if (!fields) return false;
    // A described statement tells nothing of formats: its portals do.
    if (expected_.front().kind != Kind::describe_statement) {
      rows_.describe(*fields);
      mask_columns(*fields);
    }
  } else if (expected_.front().kind == Kind::describe_portal) {
    rows_.forget();
  }
  if (!expected_.front().is_own) pass_on(message);
  if (is_description) pop_expected();
  return true;
}

/// What ends an execution is among the last bytes of its answer: the outcome comes first.
bool PostgresSession::on_end_of_execution(const PostgresInbox::Message& message) {
  using Kind = Expected::Kind;
  if (!answers({Kind::query, Kind::execute})) return false;
  copies_in_ = false;
  const bool is_query = expected_.front().kind == Kind::query;
  if (expected_.front().has_operation) is_query ? hold_answer() : end_operation("ok");
  answer(message);
  if (!is_query) pop_expected();
  return true;
}

/// A Query's outcome is known when its last statement is over.
void PostgresSession::hold_answer() noexcept {
  if (worker_.durable) to_client_.close_gate();
}

/// The Query goes on: what was held was not the end of its answer.
void PostgresSession::let_answer_go(BackendType next) noexcept {
  if (is_cut()) return;
  switch (next) {
    case BackendType::row_description:
    case BackendType::command_complete:
    case BackendType::copy_in_response:
    case BackendType::copy_out_response:
      return to_client_.open_gate();
    default:
      return;
  }
}

bool PostgresSession::on_report(const PostgresInbox::Message& message) {
  const auto report = postgres::decode_report(message.body());
  if (!report) return false;
  const bool is_error = message.header.backend() == BackendType::error_response;
  // It says why it goes, on a connection that this session does not need any more, or yet.
  const bool is_unneeded =
      is_pooled_ && is_quiet_ && !is_pinned_ && status_ == TransactionStatus::idle;
  if (is_error && is_unneeded) return true;
  if (is_error && answers({Expected::Kind::query}) && expected_.front().is_own) {
    fail_session("08006", "the target does not take what the session is called", "upstream-failed");
    return true;
  }
  const std::string_view severity = report->find('V');
  const bool is_fatal = severity == "FATAL" || severity == "PANIC";
  if (is_error && !is_fatal && answers({Expected::Kind::spoil})) {
    pop_expected();  // the gateway's own doing
    return true;
  }
  // Texts of the target quote values.
  report_.assign(message.bytes.begin(), message.bytes.begin() + postgres::header_bytes);
  const bool may_quote = !expected_.empty() && expected_.front().reads_masked;
  for (const postgres::ReportField& field : report->fields) {
    // Detail, hint and context: who may not see the value must do without them.
    if (may_quote &&
        std::string_view("DHWq").find(static_cast<char>(field.code)) != std::string_view::npos) {
      continue;
    }
    const std::string_view text = may_quote && field.code == 'M'
                                      ? "the target's message may quote a masked value"
                                      : masked(field.text);
    report_.push_back(field.code);
    report_.insert(report_.end(), text.begin(), text.end());
    report_.push_back(0);
  }
  report_.push_back(0);
  const auto size = static_cast<std::uint32_t>(report_.size() - 1);
  for (unsigned i = 0; i < 4; ++i) report_[1 + i] = static_cast<std::uint8_t>(size >> (24 - 8 * i));
  const bool was_due = !is_error || on_error(is_fatal);
  copy_on(report_);
  // Nothing may come behind a last word: no answer of the gateway's own either.
  if (is_error && is_fatal && was_due) end_by_target();
  return was_due;
}

/// The target gave up on what it was asked; in a pipeline on all up to Sync.
bool PostgresSession::on_error(bool is_fatal) {
  copies_in_ = false;
  if (expected_.empty()) return true;  // it ends the session by itself
  switch (expected_.front().kind) {
    case Expected::Kind::query:
      if (std::exchange(expected_.front().has_operation, false)) end_operation("error");
      return true;
    case Expected::Kind::sync:
      return true;  // committing failed
    case Expected::Kind::parse:
      // The target forgot it before it looked at what was to take its place.
      if (!expected_.front().is_own && pending_.front().name.empty()) statements_.erase({});
      [[fallthrough]];
    case Expected::Kind::bind:
    case Expected::Kind::describe_statement:
    case Expected::Kind::describe_portal:
    case Expected::Kind::execute:
    case Expected::Kind::close:
      if (std::exchange(expected_.front().has_operation, false)) end_operation("error");
      skip_to_sync();
      return true;
    case Expected::Kind::spoil:
      return is_fatal;  // no answer to it, but the target may go at any time
    case Expected::Kind::refusal:
    case Expected::Kind::ready:
    case Expected::Kind::parsed:
      return false;
  }
  return false;
}

/// The target answers nothing before the next Sync: of what was sent, or is to come.
void PostgresSession::skip_to_sync() {
  while (!expected_.empty() && expected_.front().kind != Expected::Kind::sync) {
    if (expected_.front().has_operation) end_operation("not-run");
    const Expected::Kind kind = expected_.front().kind;
    const bool changes_names = kind == Expected::Kind::parse || kind == Expected::Kind::bind ||
                               kind == Expected::Kind::close || kind == Expected::Kind::parsed;
    if (changes_names && !expected_.front().is_own) pending_.pop_front();
    on_unanswered(expected_.front());
    pop_expected();
  }
  has_described_ = false;
  rests_ = false;
  if (expected_.empty()) {
    skips_ = true;
    skips_need_spoil_ = false;  // the target knows
  }
}

bool PostgresSession::on_ready(const PostgresInbox::Message& message) {
  const auto status = postgres::decode_ready_for_query(message.body());
  if (!status || !answers({Expected::Kind::query, Expected::Kind::sync})) return false;
  const bool was_cut = is_cut();
  if (expected_.front().has_operation) end_operation("ok");
  status_ = *status;
  // Portals end with their transaction.
  if (status_ == TransactionStatus::idle) portals_.clear();
  copies_in_ = false;
  const bool is_own = expected_.front().is_own;
  pop_expected();
  is_quiet_ = expected_.empty();
  if (is_quiet_) reading_uncertain_ = false;
  if (was_cut && status_ == TransactionStatus::in_transaction) {
    spoil_transaction();  // its ReadyForQuery is the client's
    return true;
  }
  if (!is_own) pass_on(message);
  if (worker_.draining && expected_.empty()) on_drain();
  return true;
}

bool PostgresSession::on_parameter(const PostgresInbox::Message& message) {
  const auto parameter = postgres::decode_parameter_status(message.body());
  if (!parameter) return false;
  if (const auto reason = PostgresBackend::unreadable_setting(parameter->name, parameter->value)) {
    fail_session("0A000", *reason, "target-settings");
    return true;
  }
  if (is_pooled_) {
    backend_->on_report(parameter->name, parameter->value);
    if (!expected_.empty() && expected_.front().is_own) return true;
    if (note_renamed(parameter->name)) return true;
    note_told(parameter->name, parameter->value);
  }
  if (const std::string_view value = masked(parameter->value); value != parameter->value) {
    const bool told = client_out_.write(
        [&](postgres::Writer& writer) { writer.parameter_status(parameter->name, value); });
    if (!told) fail_session("53000", "the gateway has no buffer free", "no-buffers");
    return true;
  }
  pass_on(message);
  return true;
}

bool PostgresSession::on_notification(const PostgresInbox::Message& message) {
  const auto notification = postgres::decode_notification_response(message.body());
  if (!notification) return false;
  // Who only listens executes nothing before which it would be asked.
  if (is_at_rest() && !renew_principal()) {
    fail_withdrawn();
    return true;
  }
  if (masks().active.any() && masked(notification->payload) != notification->payload) {
    const std::string payload(masked(notification->payload));
    const bool told = client_out_.write([&](postgres::Writer& writer) {
      writer.notification_response(notification->process_id, notification->channel, payload);
    });
    if (!told) fail_session("53000", "the gateway has no buffer free", "no-buffers");
    return true;
  }
  pass_on(message);
  return true;
}

/// ParseComplete, BindComplete or CloseComplete.
bool PostgresSession::on_confirmed(const PostgresInbox::Message& message, Expected::Kind kind) {
  if (!answers({kind})) return false;
  const Expected& expected = expected_.front();
  if (kind == Expected::Kind::parse) backend_->statements().confirm(expected.statement);
  if (!expected.is_own) {
    if (pending_.empty()) return false;
    pass_on(message);
    settle_name();
  }
  pop_expected();
  return true;
}

/// The oldest change of names came true.
void PostgresSession::settle_name() {
  Pending& pending = pending_.front();
  Names& names = pending.is_portal ? portals_ : statements_;
  if (pending.meaning.prepared == nullptr) {
    names.erase(pending.name);
  } else {
    names.set(std::move(pending.name), std::move(pending.meaning));
  }
  pending_.pop_front();
}

/// The client sees what answers its own messages.
void PostgresSession::answer(const PostgresInbox::Message& message) {
  if (expected_.empty() || !expected_.front().is_own) pass_on(message);
}

bool PostgresSession::answers(std::initializer_list<Expected::Kind> kinds) const noexcept {
  return !expected_.empty() && std::ranges::find(kinds, expected_.front().kind) != kinds.end();
}

void PostgresSession::pop_expected() {
  const Expected::Kind kind = expected_.front().kind;
  // A refusal says nothing about the target.
  if (kind != Expected::Kind::refusal) {
    rests_ = kind == Expected::Kind::query || kind == Expected::Kind::sync ||
             kind == Expected::Kind::ready;
  }
  expected_.pop_front();
}

/// What the gateway itself answers, once its turn has come.
void PostgresSession::settle_own_replies() {
  using Kind = Expected::Kind;
  while (answers({Kind::refusal, Kind::ready, Kind::parsed}) && client_out_.has_room()) {
    const Kind kind = expected_.front().kind;
    const bool told = kind == Kind::refusal
                          ? client_out_.copy(as_bytes(expected_.front().refusal))
                          : client_out_.write([this, kind](postgres::Writer& writer) {
                              if (kind == Kind::ready) return writer.ready_for_query(status_);
                              writer.empty(BackendType::parse_complete);
                            });
    if (!told) return fail_session("53000", "the gateway has no buffer free", "no-buffers");
    if (kind == Kind::parsed) settle_name();
    pop_expected();
  }
}

void PostgresSession::note_row(std::uint64_t row_bytes) noexcept {
  if (!operations_open_.empty()) operations_open_.front().meter.count(row_bytes);
}

/// "INSERT 0 5", "UPDATE 5", and "COPY 5" behind data of the client's: rows that were written.
bool PostgresSession::note_rows_in(const PostgresInbox::Message& message) {
  const auto complete = postgres::decode_command_complete(message.body());
  if (!complete) return false;
  if (operations_open_.empty()) return true;
  Operation& operation = operations_open_.front();
  const std::string_view tag = complete->tag;
  const bool writes = tag.starts_with("INSERT ") || tag.starts_with("UPDATE ") ||
                      tag.starts_with("DELETE ") || tag.starts_with("MERGE ") ||
                      (tag.starts_with("COPY ") && operation.has_copied_in);
  operation.has_copied_in = false;
  if (!writes) return true;
  std::uint64_t rows = 0;
  const char* const begin = tag.data() + tag.rfind(' ') + 1;
  if (std::from_chars(begin, tag.data() + tag.size(), rows).ec == std::errc()) {
    operation.rows_in += rows;
  }
  return true;
}

void PostgresSession::end_operation(std::string_view result) {
  ASSERT(!operations_open_.empty());
  const Operation& operation = operations_open_.front();
  const Snapshot& snapshot = operation.view->snapshot();
  std::size_t used = 0;
  for (std::size_t rule = 0; rule < snapshot.masks->size(); ++rule) {
    const std::uint32_t count = std::exchange(mask_counts_[rule], 0);
    if (count == 0) continue;
    worker_.mask_counts[used++] = {snapshot.masks->rule_name(rule), count};
    worker_.metrics.masks_applied.add(count);
  }
  audit::Record record;
  record.phase = audit::Phase::outcome;
  record.time = worker_.now;
  record.session = number_;
  record.operation = operation.number;
  const Brought brought = operation.meter.brought();
  record.result = result;
  if (const auto& cut = operation.meter.is_cut()) {
    record.result = "cut";
    record.rule = cut->rule;
    record.reason = cut->reason;
  }
  record.bytes_in = operation.bytes_in;
  record.bytes_out = brought.bytes;
  record.rows_in = operation.rows_in;
  record.rows_out = brought.rows;
  record.duration = worker_.now.monotonic - operation.started;
  record.upstream = upstream_text_;
  record.masks = {worker_.mask_counts.data(), used};
  worker_.metrics.bytes_in.add(record.bytes_in);
  worker_.metrics.bytes_out.add(record.bytes_out);
  operation.view->latency_ns(snapshot.listeners[listener_].target)
      .record(static_cast<std::uint64_t>(record.duration.ns));
  answer_after(log_.append_outcome(record));
  --operation.view->operations;
  operations_open_.pop_front();
}

void PostgresSession::pass_on(const PostgresInbox::Message& message) {
  if (message.buffer != no_buffer) {
    client_out_.pass(message.buffer, message.bytes);
  } else {
    copy_on(message.bytes);
  }
}

void PostgresSession::copy_on(ByteView bytes) {
  if (!client_out_.copy(bytes)) {
    fail_session("53000", "the gateway has no buffer free", "no-buffers");
  }
}

/// Each column's origin decides, whatever it is called in the result.
void PostgresSession::mask_columns(const postgres::Fields& fields) {
  // As masks() has it: an operation keeps the rules it began with.
  const bool is_under_way = !operations_open_.empty();
  SnapshotView& view = is_under_way ? *operations_open_.front().view : *worker_.current;
  const matcher::RuleSet rules =
      column_rules(view, is_under_way ? operations_open_.front().masks : masks_in_force());
  if (rules.none()) return;
  const bool knows = catalog_fits(view);
  std::size_t column = 0;
  for (const postgres::Field& field : fields) {
    ColumnRules found;
    if (!knows) {
      found = {rules, true};  // asked for under other rules
    } else if (field.table == 0) {
      found = rules_of_expression(expected_.front().info, column, fields.size(),
                                  view.snapshot().listeners[listener_].derived_allowed);
    } else if (const auto known = backend_->catalog()->rules_of(field.table, field.column)) {
      found = *known;
    } else {
      // Younger than what the gateway knows: nothing of it is shown until it asked again.
      found = {rules, true};
      backend_->doubt_answers();
      worker_.catalogs.forget(catalog_key());
    }
    found.rules &= rules;
    if (found.rules.any()) {
      std::uint8_t rule = 0;
      while (!found.rules.test(rule)) ++rule;
      rows_.mask_whole(column, rule, found.is_derived);
    }
    ++column;
  }
}

/// A result's column that is no relation's.
ColumnRules PostgresSession::rules_of_expression(const std::shared_ptr<const StatementInfo>& info,
                                                 std::size_t column, std::size_t columns,
                                                 const matcher::RuleSet& allowed) {
  if (info == nullptr) return {backend_->catalog()->all_rules(), true};
  const auto& statements = info->analysis.statements;
  if (statements.size() == 1 && statements[0].output.size() == columns) {
    const auto& output = statements[0].output;
    const bool has_star = std::ranges::any_of(output, &sql::OutputColumn::is_star);
    if (!has_star) {
      ColumnRules found = backend_->catalog()->rules_of(output[column]);
      // What UNION passes on has no origin for the target, but is no expression.
      if (!output[column].is_direct && !merges_queries(*info)) found.rules &= ~allowed;
      return found;
    }
  }
  return {reach(info).read | named_rules_, true};
}

/// What a text reaches by what is known of the database.
const ReachedRules& PostgresSession::reach(const std::shared_ptr<const StatementInfo>& info) {
  return reach_.of(info, backend_->catalog());
}

/// The masks by column among those in force.
matcher::RuleSet PostgresSession::column_rules(const SnapshotView& view,
                                               const matcher::RuleSet& masks) const {
  matcher::RuleSet rules;
  for (const ColumnMask& mask : view.snapshot().listeners[listener_].columns) rules.set(mask.rule);
  return rules & masks;
}

/// Of what comes outside of any operation; all there are, while nobody asked what this
/// configuration has for its principal.
matcher::RuleSet PostgresSession::masks_in_force() const {
  const config::PrincipalView* const view =
      principal_ ? principal_->view_under(*worker_.current) : nullptr;
  return view == nullptr ? worker_.current->snapshot().record_masks : view->response_masks();
}

/// Whether the catalog was asked for what this view's masks name.
bool PostgresSession::catalog_fits(const SnapshotView& view) const noexcept {
  return backend_->catalog_fits(view.snapshot().generation, listener_);
}

RowMasks PostgresSession::masks() {
  // Under way, an operation keeps the rules it began with.
  if (operations_open_.empty()) return {worker_.current->snapshot().masks.get(), masks_in_force()};
  const Operation& operation = operations_open_.front();
  return {operation.view->snapshot().masks.get(), operation.masks};
}

/// A text of the target as this client may see it; lives until the next one.
std::string_view PostgresSession::masked(std::string_view text) noexcept {
  const RowMasks rules = masks();
  if (rules.active.none() || text.empty()) return text;
  // The scan reads a little behind its subject.
  scanned_.assign(text.begin(), text.end());
  scanned_.resize(text.size() + readable_tail_bytes);
  const std::size_t size = matcher::mask_text(
      *rules.program, rules.active, matcher::BodyKind::text, {},
      ByteView(scanned_).first(text.size()), worker_.text_room, worker_.text_scratch, mask_counts_);
  return as_text({worker_.text_room.data(), size});
}

}  // namespace sluice::dataplane
