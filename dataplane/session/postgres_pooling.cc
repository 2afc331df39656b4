// Sharing server connections: a session has one from its first statement to where its
// transaction ends, unless it left something in the target's session.
//
// design   docs/decisions/0013-a-connection-per-transaction.md
#include <algorithm>

#include "base/assert.h"
#include "dataplane/session/postgres_session.h"

namespace sluice::dataplane {

using postgres::TransactionStatus;

namespace {

constexpr std::string_view application_name = "application_name";
constexpr std::string_view no_buffer_free = "the gateway has no buffer free";

}  // namespace

/// Who may share: the same login, to the same database, with the same settings.
Fingerprint PostgresSession::upstream_key() const noexcept {
  const std::uint64_t generation = worker_.current->snapshot().generation;
  if (!is_pooled_ || upstream_key_generation_ == generation) return upstream_key_;
  const config::TargetCredential& credential = *target().credential;
  FingerprintStream stream(worker_.fingerprint_key);
  const auto add = [&stream](std::string_view part) {
    stream.append(part);
    stream.append(std::string_view("\0", 1));
  };
  add(credential.user);
  if (credential.password) add(credential.password->value);
  add(database_);
  for (const auto& [name, value] : parameters_) {
    if (name == application_name) continue;
    add(name);
    add(value);
  }
  upstream_key_ = stream.finish();
  upstream_key_generation_ = generation;
  return upstream_key_;
}

/// Whether there is a connection for the client's next message; asks for one.
bool PostgresSession::has_target() {
  if (target_ended_) return false;
  if (upstream_ == Upstream::none) acquire_upstream();
  if (upstream_ != Upstream::attached) return false;
  if (is_pooled_ && !is_introduced_ && is_quiet_ && status_ == TransactionStatus::idle) {
    is_introduced_ = true;
    tell_settings();
    introduce();
  }
  return stage_ == Stage::open && upstream_out_.has_room() && client_out_.has_room();
}

/// A connection on which this session has asked for nothing yet.
void PostgresSession::adopt(std::unique_ptr<PostgresBackend> backend) {
  backend_ = std::move(backend);
  backend_->statements().begin_pipeline();
  status_ = TransactionStatus::idle;
  target_ended_ = target_broke_ = false;
  rests_ = is_quiet_ = true;
  is_introduced_ = false;
  has_described_ = false;
}

/// What this connection's settings differ in from what the client was told.
void PostgresSession::tell_settings() {
  for (const auto& [name, value] : backend_->reported()) {
    if (name == application_name) continue;
    if (!note_told(name, value)) continue;
    const std::string shown(masked(value));
    const bool is_told = client_out_.write(
        [&, &name = name](postgres::Writer& writer) { writer.parameter_status(name, shown); });
    if (!is_told) return fail_session("53000", no_buffer_free, "no-buffers");
  }
}

/// False when the client knows already.
bool PostgresSession::note_told(std::string_view name, std::string_view value) {
  const auto told = std::ranges::find(told_, name, &PostgresBackend::Parameters::value_type::first);
  if (told == told_.end()) {
    told_.emplace_back(name, value);
    return true;
  }
  if (told->second == value) return false;
  told->second = value;
  return true;
}

/// DISCARD ALL and RESET made the connection nobody's: it is called after who uses it
/// again, and for the client it is as it was at its login.
bool PostgresSession::note_renamed(std::string_view name) {
  if (name != application_name || !backend_->is_nameless()) return false;
  is_introduced_ = false;
  if (!note_told(name, application_)) return true;
  const bool told = client_out_.write(
      [&](postgres::Writer& writer) { writer.parameter_status(name, application_); });
  if (!told) fail_session("53000", no_buffer_free, "no-buffers");
  return true;
}

/// Who uses the connection from now on; with the first statement, so that nobody waits.
void PostgresSession::introduce() {
  const std::string text = backend_->introduction({number_, discards_}, application_);
  if (text.empty() || stage_ == Stage::closing) return;
  if (!upstream_out_.write([&](postgres::Writer& writer) { writer.query(text); })) {
    return fail_session("53000", no_buffer_free, "no-buffers");
  }
  expect(Expected::Kind::query);
  expected_.back().is_own = true;
  backend_->statements().forget_unnamed();
}

/// Between two transactions somebody else may have the connection.
void PostgresSession::let_go() {
  if (is_pinned_ || !can_let_go()) return;
  // Otherwise a cancel could still hit whoever gets it next.
  ASSERT(is_quiet_);
  release_upstream(UpstreamWish::keep, std::move(backend_));
}

/// Nothing is on its way in either direction, and no transaction is open.
bool PostgresSession::can_let_go() const noexcept {
  return is_pooled_ && stage_ == Stage::open && upstream_ == Upstream::attached && rests_ &&
         !target_ended_ && status_ == TransactionStatus::idle && expected_.empty() &&
         pending_.empty() && !skips_ && (client_piece_left_ == 0 || client_piece_drops_) &&
         server_piece_left_ == 0 && upstream_inbox_.empty() && to_upstream_.empty() &&
         upstream_out_.has_room();
}

/// The client goes. What can be shared again is.
void PostgresSession::leave_target() {
  if (can_let_go() && backend_->can_be_reset()) {
    release_upstream(UpstreamWish::keep, std::move(backend_));
  } else {
    release_upstream(UpstreamWish::discard);
  }
}

/// A connection that was kept for too long, and asked nothing of the client's yet:
/// another one will do. False when the client must know.
bool PostgresSession::replace_dead() {
  const bool is_unused = stage_ == Stage::settings || (stage_ == Stage::open && is_quiet_);
  if (!is_reused_ || is_pinned_ || !is_greeted_ || !is_unused ||
      status_ != TransactionStatus::idle) {
    return false;
  }
  release_upstream(UpstreamWish::discard);
  upstream_inbox_.clear(worker_);
  upstream_out_.clear();
  backend_ = nullptr;
  wants_fresh_ = true;
  stage_ = Stage::open;
  advance();
  return true;
}

/// SQL reaches the statements that the gateway holds for other sessions.
void PostgresSession::guard_pool(JudgedStatement& judged) const {
  if (!is_pooled_ || !judged.info->names_ours) return;
  if (judged.ruling.kind == config::Ruling::Kind::deny) return;
  judged.ruling = {config::Ruling::Kind::deny, "protocol",
                   "prepared statements are shared in mode: transaction"};
}

/// The statement runs, and leaves something behind.
void PostgresSession::note_trace(const StatementInfo& info) {
  if (!is_pooled_) return;
  backend_->leave(info.trace);
  is_pinned_ = is_pinned_ || info.trace >= sql::SessionTrace::state;
  const auto has = [&info](sql::StatementClass which) {
    return std::ranges::any_of(info.analysis.statements, [which](const auto& statement) {
      return statement.classes.has(which);
    });
  };
  const bool discards = has(sql::StatementClass::discard);
  if (discards) ++discards_;
  if (discards || has(sql::StatementClass::deallocate) || info.trace >= sql::SessionTrace::unknown)
    backend_->statements().distrust();
}

/// A Parse of the client's, under a name of the gateway's.
PostgresSession::Bound PostgresSession::parse_in_pool(const PostgresInbox::Message& message,
                                                      std::string_view name,
                                                      const Prepared& prepared) {
  ServerStatements& statements = backend_->statements();
  if (name.empty()) {
    expect(Expected::Kind::parse);
    expected_.back().statement = statements.set_unnamed(prepared.print);
    send_on(message);
    return Bound::yes;
  }
  if (statements.is_undecided(prepared.print)) return Bound::later;
  if (statements.use(prepared.print) != nullptr) {
    const bool may_have_failed =
        status_ == TransactionStatus::failed ||
        std::ranges::any_of(expected_, [](const Expected& expected) {
          return !expected.is_own &&
                 (expected.kind == Expected::Kind::query || expected.kind == Expected::Kind::sync);
        });
    if (!may_have_failed) {
      expect(Expected::Kind::parsed);
      return Bound::yes;
    }
    // Then the target takes no statement but one that ends the transaction: it is asked.
    statements.forget_unnamed();
    send_parse(prepared, 0, false);
    return Bound::yes;
  }
  if (!make_room_for_statement()) return Bound::refused;
  send_parse(prepared, statements.add(prepared.print), true);
  return Bound::yes;
}

/// Sees to it that the target has the statement, and that held_name_ is its name there.
PostgresSession::Bound PostgresSession::hold_statement(std::string_view name,
                                                       const Prepared& prepared) {
  ServerStatements& statements = backend_->statements();
  held_name_ = {};
  if (name.empty()) {
    if (statements.has_unnamed(prepared.print)) return Bound::yes;
    send_parse(prepared, statements.set_unnamed(prepared.print), false);
    expected_.back().is_own = true;
  } else {
    if (statements.is_undecided(prepared.print)) return Bound::later;
    if (const auto* const known = statements.use(prepared.print)) {
      held_name_ = ServerStatements::Name(known->id);
      return Bound::yes;
    }
    if (!make_room_for_statement()) return Bound::refused;
    const ServerStatements::Id id = statements.add(prepared.print);
    held_name_ = ServerStatements::Name(id);
    send_parse(prepared, id, true);
    expected_.back().is_own = true;
  }
  // While a part of it waits for room, what follows would come before that.
  return upstream_out_.has_room() ? Bound::yes : Bound::later;
}

void PostgresSession::send_parse(const Prepared& prepared, ServerStatements::Id id, bool is_named) {
  const ServerStatements::Name name(is_named ? id : 0);
  const bool is_sent = upstream_out_.write([&](postgres::Writer& writer) {
    writer.parse_head(name.text(), static_cast<std::uint32_t>(prepared.source.size()));
  }) && upstream_out_.copy(as_bytes(prepared.source));
  expect(Expected::Kind::parse);
  expected_.back().statement = id;
  if (!is_sent) fail_session("53000", no_buffer_free, "no-buffers");
}

/// Closes what was not used for longest. False, and refused: one pipeline uses too many.
bool PostgresSession::make_room_for_statement() {
  ServerStatements& statements = backend_->statements();
  const auto close = [this](ServerStatements::Id id) {
    const bool is_sent = upstream_out_.write([id](postgres::Writer& writer) {
      writer.close(postgres::Target::Kind::statement, ServerStatements::Name(id).text());
    });
    expect(Expected::Kind::close);
    expected_.back().is_own = true;
    expected_.back().statement = id;
    if (!is_sent) fail_session("53000", no_buffer_free, "no-buffers");
  };
  if (const auto id = statements.take_unclosed()) close(id);
  if (statements.has_room()) return true;
  const auto id = statements.evict();
  if (id != 0) {
    close(id);
    return true;
  }
  refuse_message("54000", "too many prepared statements in one pipeline", "send Sync more often",
                 false);
  return false;
}

PostgresSession::Handled PostgresSession::describe_in_pool(std::string_view name) {
  if (is_undecided(false, name)) return Handled::later;
  const auto prepared = find_name(false, name);
  if (prepared == nullptr) {
    refuse_message("26000", "the gateway knows no prepared statement of this name", {}, false);
    return Handled::done;
  }
  const Bound held = hold_statement(name, *prepared);
  if (held != Bound::yes) return held == Bound::later ? Handled::later : Handled::done;
  const bool is_sent = upstream_out_.write([this](postgres::Writer& writer) {
    writer.describe(postgres::Target::Kind::statement, held_name_.text());
  });
  expect(Expected::Kind::describe_statement);
  if (!is_sent) fail_session("53000", no_buffer_free, "no-buffers");
  return Handled::done;
}

/// A Bind, to the statement's name at the target.
void PostgresSession::send_bind(const PostgresInbox::Message& message, const postgres::Bind& bind) {
  const ByteSpan rest = message.body().subspan(bind.portal.size() + 1 + bind.statement.size() + 1);
  const bool is_sent = upstream_out_.write([&](postgres::Writer& writer) {
    writer.bind_head(bind.portal, held_name_.text(), static_cast<std::uint32_t>(rest.size()));
  });
  if (is_sent && message.buffer != no_buffer) {
    upstream_out_.pass(message.buffer, rest);
  } else if (!is_sent || !upstream_out_.copy(rest)) {
    fail_session("53000", no_buffer_free, "no-buffers");
  }
}

/// The target skipped it, or refused it.
void PostgresSession::on_unanswered(const Expected& expected) {
  if (expected.statement == 0) return;
  if (expected.kind == Expected::Kind::parse) backend_->statements().forget(expected.statement);
  if (expected.kind == Expected::Kind::close)
    backend_->statements().keep_closing(expected.statement);
}

}  // namespace sluice::dataplane
