#include "backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace sluice::dataplane::postgres_sim {
namespace {

constexpr unsigned type_int4 = 23;
constexpr unsigned type_text = 25;
constexpr unsigned customers = 16400;
constexpr std::string_view redacted = "[redacted]";

/// What every configuration shows of a text.
std::string shown(std::string text) {
  for (std::size_t at = text.find(secret_card); at != text.npos; at = text.find(secret_card)) {
    text.replace(at, secret_card.size(), "411111******1111");
  }
  return text;
}

std::string tag_of(const Statement& statement, std::size_t rows) {
  return fmt::format("{} {}", statement.kind == Kind::fetch ? "FETCH" : "SELECT", rows);
}

/// The constant at the end of a text.
std::string quoted_in(const std::string& text) {
  const std::size_t begin = text.find('\'') + 1;
  return text.substr(begin, text.rfind('\'') - begin);
}

struct Column {
  std::string_view name;
  unsigned table = 0;
  unsigned number = 0;
  unsigned type = type_text;
};

std::vector<Column> columns_of(const Statement& statement) {
  switch (statement.kind) {
    case Kind::select:
    case Kind::prepare:
    case Kind::declare:
    case Kind::declare_held:
      return {{"id", customers, 1, type_int4},
              {"ssn", customers, 2, type_text},
              {statement.kind == Kind::select ? std::string_view(statement.tag) : "note", customers,
               3, type_text}};
    case Kind::length:
    case Kind::division:
      return {{statement.tag, 0, 0, type_int4}};
    default:
      return {{statement.tag, 0, 0, type_text}};
  }
}

}  // namespace

void Backend::start(const std::string& application) {
  first_application_ = session_.application = application;
}

std::string Backend::left_over() const {
  if (session_.search_path != "public") return "a search path";
  if (session_.listens) return "LISTEN";
  if (session_.has_temporary) return "a temporary table";
  if (session_.is_touched) return "what a function left";
  if (session_.locks != 0) return "a lock";
  if (!session_.last_value.empty()) return "lastval()";
  if (!session_.prepared.empty()) return "PREPARE";
  return session_.cursors.empty() ? "" : "a cursor";
}

void Backend::run() {
  while (!running_ && !is_over_) {
    if (in_query_ && !copy_) {
      continue_query();
      continue;
    }
    const auto message = in_.next();
    if (!message) return;
    ++messages_;
    on_message(*message);
  }
}

void Backend::on_message(const Message& message) {
  if (copy_) return on_copy_message(message);
  is_extended_ = std::string_view("PBDEC").find(message.tag) != std::string_view::npos;
  if (message.tag == 'X') {
    is_over_ = true;
    return;
  }
  if (message.tag == 'S') return on_sync();
  if (skips_) return;
  const Fields fields(message.body);
  switch (message.tag) {
    case 'Q':
      return on_query(fields);
    case 'P':
      return on_parse(fields);
    case 'B':
      return on_bind(fields);
    case 'D':
      return on_describe(fields);
    case 'E':
      return on_execute(fields);
    case 'C':
      return on_close(fields);
    case 'F':
      return on_function_call();
    case 'H':
      return flush();
    case 'd':
    case 'c':
    case 'f':
      return;  // of a COPY that failed
    default:
      is_confused_ = true;
      return die("08P01", "invalid frontend message type");
  }
}

void Backend::on_query(Fields fields) {
  const std::string text = fields.text();
  statements_.erase("");
  portals_.erase("");
  in_query_ = true;
  query_.clear();
  if (surroundings_.refuses(text, true)) return fail("42501", "refused");
  surroundings_.on_text(text);
  for (Statement& statement : statements_of(text)) query_.push_back(std::move(statement));
  if (query_.empty()) reply('I');
}

/// The next statement of the Query.
void Backend::continue_query() {
  if (query_.empty()) return end_query();
  const Statement statement = query_.front();
  query_.pop_front();
  if (is_failed(statement)) return fail("25P02", "the transaction is aborted");
  if (statement.kind == Kind::missing_column) return fail("42703", "there is no such column");
  if (statement.kind == Kind::length) return fail("42P02", "there is no parameter $1");
  if (is_missing_relation(statement)) return fail("42P01", "there is no such relation");
  begin(statement);
}

void Backend::end_query() {
  in_query_ = false;
  if (!in_block_) commit();
  ready();
}

/// One that has a tag takes a while, and can be cancelled.
void Backend::begin(const Statement& statement) {
  surroundings_.on_execution(statement);
  running_ = statement;
  const bool is_question =
      statement.kind == Kind::path_question || statement.kind == Kind::catalog_question;
  if (statement.tag.empty() && !is_question) finish(false);
}

void Backend::finish(bool is_cancelled) {
  const Statement statement = *running_;
  running_.reset();
  if (is_cancelled) {
    runs_portal_ = false;
    return fail("57014", "canceling statement due to user request");
  }
  std::exchange(runs_portal_, false) ? execute_portal() : execute_query(statement);
}

void Backend::execute_query(const Statement& statement) {
  switch (statement.kind) {
    case Kind::copy_in:
      return begin_copy(statement, true);
    case Kind::copy_out:
    case Kind::copy_customers:
      return copy_out(statement);
    case Kind::division:
      describe_rows(statement, false);
      return fail("22012", "division by zero");
    default:
      break;
  }
  const Statement* const source = analysed(statement);
  if (source == nullptr) return fail_unknown(statement);
  if (tells_of_session(statement.kind)) {
    describe_rows(statement, false);
    const auto answer = answer_of_session(statement);
    if (!answer) return;
    reply('D', *answer);
    return reply('C', Body().text("SELECT 1").take());
  }
  if (returns_rows(statement.kind)) {
    describe_rows(*source, false);
    const auto [first, end] = rows_shown(statement, *source);
    for (std::size_t i = first; i < end; ++i) {
      if (i == surroundings_.rows_max(*source)) return fail("54000", "too much");
      row(*source, i, false, 0);
    }
    return reply('C', Body().text(tag_of(statement, end - first)).take());
  }
  const auto tag = command(statement);
  if (tag) reply('C', Body().text(*tag).take());
}

/// What SQL's EXECUTE and FETCH stand for; null: nothing.
const Statement* Backend::analysed(const Statement& statement) const {
  if (statement.kind == Kind::fetch) {
    const auto found = session_.cursors.find(statement.tag);
    return found == session_.cursors.end() ? nullptr : &found->second.statement;
  }
  if (statement.kind != Kind::execute) return &statement;
  const auto found = session_.prepared.find(statement.tag);
  return found == session_.prepared.end() ? nullptr : &found->second;
}

void Backend::fail_unknown(const Statement& statement) {
  if (statement.kind == Kind::fetch) return fail("34000", "there is no such cursor");
  fail("26000", "there is no such prepared statement");
}

std::pair<std::size_t, std::size_t> Backend::rows_shown(const Statement& statement,
                                                        const Statement& source) {
  const std::size_t rows = rows_of(source);
  if (statement.kind != Kind::fetch) return {0, rows};
  std::size_t& sent = session_.cursors.at(statement.tag).rows_sent;
  const std::size_t first = sent;
  sent = std::min(rows, sent + statement.count);
  return {first, sent};
}

bool Backend::is_missing_relation(const Statement& statement) const {
  return statement.kind == Kind::count_temporary && !session_.has_temporary;
}

/// The one value.
std::optional<std::string> Backend::answer_of_session(const Statement& statement) {
  const auto cell = [](std::string_view value) { return Body().u16(1).value(value).take(); };
  switch (statement.kind) {
    case Kind::show_path:
      return cell(session_.search_path);
    case Kind::show_name:
      return cell(session_.application);
    case Kind::count_temporary:
      return cell("0");
    case Kind::lock:
      ++session_.locks;
      return cell("");
    case Kind::unlock: {
      const bool was_locked = session_.locks != 0;
      if (was_locked) --session_.locks;
      return cell(was_locked ? "t" : "f");
    }
    case Kind::leave:
      session_.is_touched = true;
      return cell("");
    default: {
      const bool is_old = last_value_since_ != transactions_;
      if (session_.last_value.empty() || (is_old && surroundings_.has_forgotten_sequences())) {
        fail("55000", "lastval is not yet defined in this session");
        return std::nullopt;
      }
      return cell(fmt::format("{}{}", drawn_by, session_.last_value));
    }
  }
}

std::optional<std::string> Backend::declare(const Statement& statement) {
  const bool is_held = statement.kind == Kind::declare_held;
  if (!in_block_ && !is_held) {
    fail("25P01", "DECLARE CURSOR can only be used in transaction blocks");
    return std::nullopt;
  }
  session_.cursors[statement.tag] = {statement, 0, is_held};
  return "DECLARE CURSOR";
}

void Backend::discard() {
  statements_.clear();
  portals_.clear();
  const std::string application = session_.application;
  session_ = {};
  session_.application = first_application_;
  if (application != first_application_) {
    changed_settings_.emplace_back("application_name", first_application_);
  }
}

void Backend::name_application(const std::string& name) {
  session_.application = name;
  changed_settings_.emplace_back("application_name", name);
}

std::optional<std::string> Backend::command(const Statement& statement) {
  switch (statement.kind) {
    case Kind::insert:
      inserted_.push_back(statement.tag);
      session_.last_value = statement.tag;
      last_value_since_ = transactions_;
      return "INSERT 0 1";
    case Kind::set_path:
      session_.search_path = statement.tag + ", public";
      return "SET";
    case Kind::set_name:
      name_application(statement.tag);
      return "SET";
    case Kind::begin:
      if (in_block_) report('N', "WARNING", "25001", "there is already a transaction in progress");
      in_block_ = true;
      return "BEGIN";
    case Kind::commit: {
      const bool was_failed = failed_;
      if (!in_block_) report('N', "WARNING", "25P01", "there is no transaction in progress");
      was_failed ? abort() : commit();
      in_block_ = failed_ = false;
      return was_failed ? "ROLLBACK" : "COMMIT";
    }
    case Kind::rollback:
      if (!in_block_) report('N', "WARNING", "25P01", "there is no transaction in progress");
      abort();
      in_block_ = failed_ = false;
      return "ROLLBACK";
    case Kind::savepoint:
      if (!in_block_) {
        fail("25P01", "SAVEPOINT can only be used in transaction blocks");
        return std::nullopt;
      }
      has_savepoint_ = true;
      inserted_at_savepoint_ = inserted_.size();
      for (auto& [name, portal] : portals_) portal.in_savepoint = false;
      return "SAVEPOINT";
    case Kind::rollback_to:
      if (!in_block_) {
        fail("25P01", "ROLLBACK TO SAVEPOINT can only be used in transaction blocks");
        return std::nullopt;
      }
      if (!has_savepoint_) {
        fail("3B001", "savepoint does not exist");
        return std::nullopt;
      }
      inserted_.resize(inserted_at_savepoint_);
      failed_ = false;
      std::erase_if(portals_, [](const auto& entry) { return entry.second.in_savepoint; });
      return "ROLLBACK";
    case Kind::drop:
      report('N', "NOTICE", "00000", fmt::format("table {} does not exist", secret_card));
      return "DROP TABLE";
    case Kind::listen:
      session_.listens = true;
      return "LISTEN";
    case Kind::notify:
      notifies_ = 1;  // one transaction tells the same only once
      return "NOTIFY";
    case Kind::prepare:
      if (session_.prepared.contains(statement.tag)) {
        fail("42P05", "the prepared statement already exists");
        return std::nullopt;
      }
      session_.prepared.emplace(statement.tag, statement);
      return "PREPARE";
    case Kind::deallocate:
      if (session_.prepared.erase(statement.tag) == 0) {
        fail("26000", "there is no such prepared statement");
        return std::nullopt;
      }
      return "DEALLOCATE";
    case Kind::declare:
    case Kind::declare_held:
      return declare(statement);
    case Kind::close:
      if (session_.cursors.erase(statement.tag) == 0) {
        fail("34000", "there is no such cursor");
        return std::nullopt;
      }
      return "CLOSE CURSOR";
    case Kind::create_temporary:
      if (session_.has_temporary) {
        fail("42P07", "there is such a relation already");
        return std::nullopt;
      }
      session_.has_temporary = true;
      return "CREATE TABLE";
    case Kind::introduction:
      name_application(quoted_in(statement.text));
      return "SET";
    case Kind::forget_sequences:
      session_.last_value.clear();
      return "DISCARD SEQUENCES";
    case Kind::discard:
    case Kind::reset:
      if (in_block_) {
        fail("25001", "DISCARD ALL cannot run inside a transaction block");
        return std::nullopt;
      }
      discard();
      return "DISCARD ALL";
    default:
      fail("42601", "the simulation knows no such statement");
      return std::nullopt;
  }
}

void Backend::on_parse(Fields fields) {
  const std::string name = fields.text();
  const std::string text = fields.text();
  if (surroundings_.refuses(text, false)) return fail("42501", "refused");
  surroundings_.on_text(text);
  if (name.empty()) statements_.erase("");
  const auto all = statements_of(text);
  if (all.size() > 1) return fail("42601", "several commands in a prepared statement");
  Statement statement;
  if (!all.empty()) statement = all.front();
  if (!all.empty() && statement.kind == Kind::unknown) return fail("42601", "syntax error");
  if (!all.empty() && is_failed(statement)) return fail("25P02", "the transaction is aborted");
  if (statement.kind == Kind::missing_column) return fail("42703", "there is no such column");
  if (is_missing_relation(statement)) return fail("42P01", "there is no such relation");
  if (!name.empty() && statements_.contains(name)) {
    return fail("42P05", "the prepared statement already exists");
  }
  statements_[name] = statement;
  reply('1');
}

void Backend::on_bind(Fields fields) {
  const std::string portal = fields.text();
  const std::string name = fields.text();
  const auto found = statements_.find(name);
  if (found == statements_.end()) return fail("26000", "there is no such prepared statement");
  for (std::size_t formats = fields.u16(); formats > 0; --formats) fields.u16();
  const std::size_t parameters = fields.u16();
  std::size_t parameter_bytes = 0;
  for (std::size_t i = 0; i < parameters; ++i) {
    parameter_bytes = fields.u32();
    fields.bytes(parameter_bytes);
  }
  bool binary_id = false;
  for (std::size_t formats = fields.u16(); formats > 0; --formats) binary_id = fields.u16() == 1;
  if (parameters != (found->second.kind == Kind::length ? 1U : 0U)) {
    return fail("08P01", "wrong number of parameters");
  }
  if (!found->second.text.empty() && is_failed(found->second)) {
    return fail("25P02", "the transaction is aborted");
  }
  if (!portal.empty() && portals_.contains(portal)) {
    return fail("42P03", "the portal already exists");
  }
  portals_[portal] = {found->second, binary_id, 0, false, has_savepoint_, parameter_bytes};
  reply('2');
}

void Backend::on_describe(Fields fields) {
  const bool is_portal = fields.u8() == 'P';
  const std::string name = fields.text();
  Statement statement;
  bool binary_id = false;
  if (is_portal) {
    const auto found = portals_.find(name);
    if (found == portals_.end()) return fail("34000", "there is no such portal");
    statement = found->second.statement;
    binary_id = found->second.binary_id;
  } else {
    const auto found = statements_.find(name);
    if (found == statements_.end()) return fail("26000", "there is no such prepared statement");
    statement = found->second;
  }
  const Statement* const source = analysed(statement);
  const bool has_rows = returns_rows(statement.kind) && source != nullptr;
  if (failed_ && returns_rows(statement.kind)) return fail("25P02", "the transaction is aborted");
  if (!is_portal) {
    Body types;
    types.u16(statement.kind == Kind::length ? 1 : 0);
    if (statement.kind == Kind::length) types.u32(type_text);
    reply('t', types.take());
  }
  if (!has_rows) return reply('n');
  describe_rows(*source, binary_id);
}

void Backend::on_execute(Fields fields) {
  portal_name_ = fields.text();
  row_limit_ = fields.u32();
  const auto found = portals_.find(portal_name_);
  if (found == portals_.end()) return fail("34000", "there is no such portal");
  Portal& portal = found->second;
  if (portal.statement.text.empty()) return reply('I');
  if (surroundings_.refuses(portal.statement.text, true)) return fail("42501", "refused");
  if (is_failed(portal.statement)) return fail("25P02", "the transaction is aborted");
  if (portal.has_run && !returns_rows(portal.statement.kind)) {
    return fail("55000", "the portal cannot be run");
  }
  portal.has_run = true;
  runs_portal_ = true;
  begin(portal.statement);
}

void Backend::execute_portal() {
  Portal& portal = portals_.at(portal_name_);
  const Statement statement = portal.statement;
  switch (statement.kind) {
    case Kind::copy_in:
      return begin_copy(statement, false);
    case Kind::copy_out:
    case Kind::copy_customers:
      return copy_out(statement);
    case Kind::division:
      return fail("22012", "division by zero");
    default:
      break;
  }
  if (!returns_rows(statement.kind)) {
    const auto tag = command(statement);
    if (tag) end_portal_run(*tag);
    return;
  }
  const Statement* const source = analysed(statement);
  if (source == nullptr) return fail_unknown(statement);
  std::size_t sent = 0;
  if (tells_of_session(statement.kind)) {
    const auto answer = portal.answer ? portal.answer : answer_of_session(statement);
    if (!answer) return;  // The portal went with the transaction.
    portal.answer = answer;
    if (portal.rows_sent == 0) {
      reply('D', *portal.answer);
      sent = ++portal.rows_sent;
    }
    if (row_limit_ != 0 && sent == row_limit_) return reply('s');
    return end_portal_run(tag_of(statement, sent));
  }
  if (!portal.has_rows)
    std::tie(portal.rows_sent, portal.rows_end) = rows_shown(statement, *source);
  portal.has_rows = true;
  const std::size_t rows = portal.rows_end;
  while (portal.rows_sent < rows && (row_limit_ == 0 || sent < row_limit_)) {
    if (portal.rows_sent == surroundings_.rows_max(*source)) return fail("54000", "too much");
    row(*source, portal.rows_sent, portal.binary_id, portal.parameter_bytes);
    ++portal.rows_sent;
    ++sent;
  }
  if (row_limit_ != 0 && sent == row_limit_) return reply('s');
  end_portal_run(tag_of(statement, sent));
}

/// BEGIN, COMMIT and ROLLBACK have their effect at once.
void Backend::end_portal_run(const std::string& tag) {
  reply('C', Body().text(tag).take());
}

void Backend::on_close(Fields fields) {
  const bool is_portal = fields.u8() == 'P';
  const std::string name = fields.text();
  if (is_portal) {
    portals_.erase(name);
  } else {
    statements_.erase(name);
  }
  reply('3');
}

/// The gateway has none of it, and a server answers it like a Query.
void Backend::on_function_call() {
  in_query_ = true;
  query_.clear();
  fail("0A000", "no function calls");
}

void Backend::on_sync() {
  skips_ = false;
  if (!in_block_) commit();
  ready();
}

void Backend::copy_out(const Statement& statement) {
  reply('H', Body().u8(0).u16(1).u16(0).take());
  const std::size_t lines = 1 + statement.tag.size() % 3;
  for (std::size_t i = 0; i < lines; ++i) {
    const std::string line = fmt::format("{} card: {}\n", statement.tag, secret_card);
    reply_masked('d', line, shown(line), shown(line));
  }
  reply('c');
  reply('C', Body().text(fmt::format("COPY {}", lines)).take());
}

void Backend::begin_copy(const Statement& statement, bool is_query) {
  copy_ = CopyIn{statement, 0, is_query};
  reply('G', Body().u8(0).u16(1).u16(0).take());
  flush();
}

void Backend::on_copy_message(const Message& message) {
  is_extended_ = !copy_->is_query;
  switch (message.tag) {
    case 'H':
    case 'S':
      return;  // not heard
    case 'd':
      copy_->lines += static_cast<std::size_t>(std::ranges::count(message.body, '\n'));
      if (message.body.find("bad") == std::string::npos) return;
      copy_.reset();
      return fail("22P04", "a line is bad");
    case 'c':
      return end_copy();
    case 'f':
      copy_.reset();
      return fail("57014", "COPY from stdin failed");
    default:
      is_confused_ = true;
      return die("08P01", "terminating connection because protocol synchronization was lost");
  }
}

void Backend::end_copy() {
  const CopyIn copy = *copy_;
  copy_.reset();
  inserted_.push_back(copy.statement.tag);
  reply('C', Body().text(fmt::format("COPY {}", copy.lines)).take());
}

void Backend::describe_rows(const Statement& statement, bool binary_id) {
  const auto columns = columns_of(statement);
  Body body;
  body.u16(static_cast<unsigned>(columns.size()));
  for (const Column& column : columns) {
    body.text(column.name).u32(column.table).u16(column.number).u32(column.type);
    body.u16(column.type == type_int4 ? 4 : 0xFFFF).u32(0xFFFFFFFF);
    body.u16(binary_id ? 1 : 0);
  }
  reply('T', body.take());
}

std::size_t Backend::rows_of(const Statement& statement) const {
  if (statement.kind == Kind::path_question) return session_.search_path == "public" ? 1 : 2;
  if (statement.kind == Kind::catalog_question) return 6;
  const bool has_many = statement.kind == Kind::select || statement.kind == Kind::derived ||
                        statement.kind == Kind::prepare || statement.kind == Kind::declare ||
                        statement.kind == Kind::declare_held || has_limit(statement.kind);
  return has_many ? statement.count : 1;
}

void Backend::row(const Statement& statement, std::size_t number, bool binary_id,
                  std::size_t parameter_bytes) {
  const auto cells = [](std::initializer_list<std::string_view> values) {
    Body body;
    body.u16(static_cast<unsigned>(values.size()));
    for (const std::string_view value : values) body.value(value);
    return body.take();
  };
  const auto integer = [binary_id](std::size_t value) {
    const auto small = static_cast<std::uint32_t>(value);
    return binary_id ? Body().u32(small).take() : fmt::format("{}", small);
  };
  switch (statement.kind) {
    case Kind::select:
    case Kind::prepare:
    case Kind::declare:
    case Kind::declare_held: {
      const std::string id = integer(number);
      const std::string note = fmt::format("note {}", number);
      return reply_masked('D', cells({id, secret_ssn, note}), cells({id, "***-**-6789", note}),
                          cells({id, redacted, redacted}));
    }
    case Kind::derived:
      return reply_masked('D', cells({secret_ssn}), cells({redacted}), cells({redacted}));
    case Kind::big:
      return reply('D', cells({std::string(statement.count, 'x')}));
    case Kind::card: {
      const std::string masked = cells({shown(std::string(secret_card))});
      return reply_masked('D', cells({secret_card}), masked, masked);
    }
    case Kind::length:
      return reply('D', cells({integer(parameter_bytes)}));
    case Kind::path_question:
      return reply('D', cells({number == 0 && session_.search_path != "public"
                                   ? std::string_view(session_.search_path)
                                         .substr(0, session_.search_path.find(','))
                                   : "public"}));
    case Kind::catalog_question:
      if (number >= 2 || (number == 1 && statement.text.find("'note'") == std::string::npos)) {
        const std::string relation = fmt::format("{}", customers + number - 2);
        return reply('D', cells({"r", number < 2 ? "1" : relation, "", "", "", "", "", ""}));
      }
      return reply('D', cells({"c", "16400", number == 0 ? "2" : "3", "public", "customers",
                               number == 0 ? "ssn" : "note", "public", "customers"}));
    case Kind::common:
      return reply('D', cells({"common"}));
    default:
      return reply('D', cells({"a report"}));
  }
}

void Backend::reply(char tag, std::string body) {
  replies_.push_back({{tag, std::move(body)}, {}, {}, messages_});
}

void Backend::reply_masked(char tag, std::string plain, std::string first, std::string second) {
  replies_.push_back(
      {{tag, std::move(plain)}, {tag, std::move(first)}, {tag, std::move(second)}, messages_});
}

void Backend::report(char tag, std::string_view severity, std::string_view code,
                     std::string_view text) {
  reply(tag, report_of(severity, code, text));
}

/// What a client sent of this request, or pipeline, goes unheard.
void Backend::fail(std::string_view code, std::string_view text) {
  report('E', "ERROR", code, text);
  flush();
  if (in_block_) {
    failed_ = true;
  } else {
    abort();
  }
  query_.clear();
  // A Query goes on to its ReadyForQuery.
  if (!in_query_ && is_extended_) skips_ = true;
}

void Backend::die(std::string_view code, std::string_view text) {
  report('E', "FATAL", code, text);
  flush();
  is_over_ = true;
}

void Backend::ready() {
  for (const auto& [name, value] : std::exchange(changed_settings_, {})) {
    reply('S', Body().text(name).text(value).take());
  }
  if (!in_block_ && session_.listens) {
    for (; notified_ != 0; --notified_) {
      const auto notification = [](const std::string& payload) {
        return Body().u32(1).text("channel").text(payload).take();
      };
      const std::string payload = fmt::format("card {}", secret_card);
      reply_masked('A', notification(payload), notification(shown(payload)),
                   notification(shown(payload)));
    }
  }
  notified_ = 0;
  reply('Z', std::string(1, failed_ ? 'E' : in_block_ ? 'T' : 'I'));
  flush();
}

void Backend::commit() {
  if (!inserted_.empty()) surroundings_.on_commit(inserted_);
  notified_ += std::exchange(notifies_, 0);
  inserted_.clear();
  has_savepoint_ = false;
  drop_portals();
}

void Backend::abort() {
  inserted_.clear();
  notifies_ = 0;
  has_savepoint_ = false;
  drop_portals();
}

void Backend::drop_portals() {
  ++transactions_;
  portals_.clear();
  std::erase_if(session_.cursors, [](const auto& entry) { return !entry.second.is_held; });
}

}  // namespace sluice::dataplane::postgres_sim
