// The client says who it is, and after it proved that (postgres_proof.cc) the gateway
// logs in at the target.
//
// source   PostgreSQL manual, "Message Flow: Start-up".
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/ascii.h"
#include "dataplane/session/postgres_session.h"
#include "parsers/postgres/encryption.h"
#include "parsers/postgres/header.h"

namespace sluice::dataplane {

using postgres::BackendType;
using postgres::HeaderStep;
using postgres::StartupStep;

namespace {

constexpr std::size_t settings_message_bytes_max = std::size_t{1} << 20;
/// As the server cuts it (NAMEDATALEN).
constexpr std::size_t application_name_bytes_max = 63;
/// Of a server connection that several principals use, while none of them does.
constexpr std::string_view pool_application_name = "sluice";
constexpr std::string_view protocol_violation = "08P01";

/// Settings that a client may bring. Others could change what the gateway relies on.
constexpr auto allowed_parameters = std::to_array<std::string_view>(
    {"application_name", "client_encoding", "datestyle", "timezone", "intervalstyle",
     "extra_float_digits", "search_path", "statement_timeout", "lock_timeout",
     "idle_in_transaction_session_timeout", "bytea_output", "client_min_messages"});

}  // namespace

bool PostgresSession::read_startup() {
  StartupStep step = postgres::decode_startup(client_inbox_.front(worker_));
  while (step.kind == StartupStep::Kind::needs_more &&
         client_inbox_.join(worker_, postgres::startup_body_bytes_max + 4)) {
    step = postgres::decode_startup(client_inbox_.front(worker_));
  }
  switch (step.kind) {
    case StartupStep::Kind::needs_more:
      return false;
    case StartupStep::Kind::malformed:
      refuse_login(protocol_violation, postgres::text(step.fault), postgres::text(step.fault));
      return true;
    case StartupStep::Kind::ssl_request:
    case StartupStep::Kind::gssenc_request:
      refuse_encryption(step.size_bytes);
      return true;
    case StartupStep::Kind::cancel_request:
      take_cancel(step.cancel);
      return true;
    case StartupStep::Kind::startup_message: {
      const std::size_t size = step.size_bytes;
      if (begin_login(step.startup)) client_inbox_.take(worker_, size);
      return true;
    }
  }
  return false;
}

/// What a listener with TLS is asked for in clear, the loop answers; here is no more of it.
void PostgresSession::refuse_encryption(std::size_t request_bytes) {
  if (channel_) {
    return refuse_login(protocol_violation, "the connection is encrypted already",
                        "repeated-request");
  }
  client_inbox_.take(worker_, request_bytes);
  // What was sent before the answer could have been put there by somebody in
  // between (CVE-2021-23214).
  if (!client_inbox_.front(worker_).empty()) {
    return refuse_login(protocol_violation, "bytes came before the encryption was settled",
                        "early-bytes");
  }
  if (!client_out_.copy({&postgres::encryption_refused, 1})) close_now();
}

void PostgresSession::take_cancel(const postgres::CancelRequest& request) {
  if (came_in_clear() && !plan().settings.postgres.cancels_in_clear) {
    worker_.metrics.requests_unauthenticated.add();
    return end({.is_refusal = true, .why = "cancel-in-clear"});  // it is never answered
  }
  CancelKey key;
  key.process = request.process_id;
  key.secret_bytes = static_cast<std::uint8_t>(std::min<std::size_t>(request.key.size(), 255));
  std::copy_n(request.key.begin(), std::min(request.key.size(), key.secret.size()),
              key.secret.begin());
  cancel_wish_ = key;
  stage_ = Stage::cancelling;
}

/// Where TLS is spoken.
bool PostgresSession::came_in_clear() const noexcept {
  return plan().tls != nullptr && !channel_;
}

/// False when the client was refused.
bool PostgresSession::begin_login(const postgres::StartupMessage& startup) {
  if (came_in_clear()) {
    refuse_login("28000",
                 "this listener takes encrypted connections only: connect with "
                 "sslmode=verify-full",
                 "in-clear");
    return false;
  }
  user_ = startup.user;
  database_ = startup.database.empty() ? startup.user : startup.database;
  recorded_database_ = fit_for_record(database_);
  if (!take_parameters(startup)) return false;
  // What the client may do beyond the protocol's first version, as far as we know it.
  constexpr std::uint16_t newest_minor = 2;
  version_ = {3, std::min(startup.version.minor, newest_minor)};
  std::vector<std::string_view> options;
  for (const postgres::Parameter& parameter : startup.parameters) {
    if (postgres::is_protocol_option(parameter.name)) options.push_back(parameter.name);
  }
  const bool is_lowered = startup.version.minor > newest_minor || !options.empty();
  const bool told = !is_lowered || client_out_.write([&](postgres::Writer& writer) {
    writer.negotiate_protocol_version(version_, options);
  });
  if (!told) {
    close_now();
    return false;
  }
  return ask_for_proof();
}

bool PostgresSession::take_parameters(const postgres::StartupMessage& startup) {
  std::string application;
  bool names_encoding = false;
  for (const postgres::Parameter& parameter : startup.parameters) {
    const std::string name = in_lower_case(parameter.name);
    if (name == "user" || name == "database" || postgres::is_protocol_option(name)) continue;
    if (name == "replication") {
      const auto replication = replication_of(parameter.value);
      if (!replication) {
        refuse_login("22023", "the parameter 'replication' has a value that means nothing",
                     "startup-parameter");
        return false;
      }
      replication_ = *replication;
      if (replication_ != Replication::none) is_pooled_ = false;  // it is a connection of its own
      if (replication_ != Replication::none) parameters_.emplace_back(name, parameter.value);
      continue;
    }
    if (name == "application_name") {
      application = parameter.value;
      continue;
    }
    if (std::ranges::find(allowed_parameters, name) == allowed_parameters.end()) {
      refuse_login(
          "0A000",
          fmt::format("the gateway does not pass on the startup parameter '{}'", parameter.name),
          "startup-parameter");
      return false;
    }
    if (const auto reason = PostgresBackend::unreadable_setting(name, parameter.value)) {
      refuse_login("0A000", *reason, "client-encoding");
      return false;
    }
    names_encoding = names_encoding || name == "client_encoding";
    parameters_.emplace_back(name, parameter.value);
  }
  if (!names_encoding) parameters_.emplace_back("client_encoding", "UTF8");
  // Who it really is, where pg_stat_activity shows it.
  std::string shown =
      fmt::format("{} via sluice{}{}", user_, application.empty() ? "" : ": ", application);
  shown.resize(std::min(shown.size(), application_name_bytes_max));
  // As the server shows it.
  std::ranges::replace_if(
      shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  application_ = std::move(shown);
  // Where connections are shared, what DISCARD ALL and RESET go back to is nobody's.
  parameters_.emplace_back("application_name", is_pooled_ ? pool_application_name : application_);
  return true;
}

void PostgresSession::greet_target() {
  stage_ = Stage::login;
  const bool sent = backend_->greet(upstream_out_, *target().credential, database_, parameters_);
  if (!sent) fail_session("53000", "the gateway has no buffer free", "no-buffers");
}

bool PostgresSession::read_login_reply() {
  const HeaderStep step = upstream_inbox_.peek(worker_, postgres::Side::backend);
  if (step.kind == HeaderStep::Kind::needs_more) return false;
  if (step.kind == HeaderStep::Kind::malformed ||
      step.header.message_bytes() > buffer_data_bytes_max) {
    fail_session("08P01", "the target does not speak PostgreSQL's protocol", "target-malformed");
    return true;
  }
  const auto message = upstream_inbox_.whole(worker_, step.header);
  if (!message) return false;
  auto progress = PostgresBackend::Progress::more;
  if (step.header.backend() == BackendType::error_response) {
    refuse_by_target(*message);
  } else if (step.header.backend() != BackendType::notice_response) {
    progress = backend_->on_login(*message, *target().credential, upstream_out_);
  }
  if (!advance_backend(progress)) return true;
  upstream_inbox_.consume(worker_, *message);
  if (progress != PostgresBackend::Progress::done) return true;
  // A replication connection takes no question: no mask follows it, and names without a
  // schema are judged as where the search path is not known.
  replication_ == Replication::none ? ask_settings() : on_settings_end();
  return true;
}

/// False when the session is over.
bool PostgresSession::advance_backend(PostgresBackend::Progress progress) {
  if (progress == PostgresBackend::Progress::failed) {
    const PostgresBackend::Fault& fault = backend_->fault();
    fail_session(fault.code, fault.message, fault.result);
  }
  return stage_ != Stage::closing;
}

/// The target's error, but not what it says of the gateway's own credential.
void PostgresSession::refuse_by_target(const PostgresInbox::Message& message) {
  const auto report = postgres::decode_report(message.body());
  const std::string_view code = report ? report->find('C') : std::string_view();
  const bool is_ours = code.starts_with("28") || code.empty();
  const std::string text(is_ours ? "the target refused the gateway's own login"
                                 : masked(report->find('M')));
  fail_session(is_ours ? "08004" : code, text, "target-refused");
}

void PostgresSession::ask_settings() {
  stage_ = Stage::settings;
  if (!backend_->ask(upstream_out_, {catalog_key(), plan().columns})) {
    fail_session("53000", "the gateway has no buffer free", "no-buffers");
  }
}

bool PostgresSession::read_settings_reply() {
  const HeaderStep step = upstream_inbox_.peek(worker_, postgres::Side::backend);
  if (step.kind == HeaderStep::Kind::needs_more) return false;
  if (step.kind == HeaderStep::Kind::malformed ||
      step.header.message_bytes() > settings_message_bytes_max) {
    fail_session("08006", "the target did not say what a session is like", "target-malformed");
    return true;
  }
  const auto message = upstream_inbox_.whole(worker_, step.header);
  if (!message) return false;
  auto progress = PostgresBackend::Progress::more;
  const BackendType type = step.header.backend();
  const bool is_unasked =
      type == BackendType::parameter_status || type == BackendType::notification_response;
  if (is_greeted_ && is_unasked) {
    if (!on_reply(*message)) {
      fail_session("08006", "the target did not say what a session is like", "target-malformed");
    }
  } else if (type == BackendType::parameter_status) {
    progress = backend_->on_login(*message, *target().credential, upstream_out_);
  } else if (type != BackendType::notice_response) {
    progress = backend_->on_answer(*message, upstream_out_);
    // A question that was cancelled within a transaction has made it fail.
    const auto status = type == BackendType::ready_for_query
                            ? postgres::decode_ready_for_query(message->body())
                            : postgres::Decoded<postgres::TransactionStatus>(status_);
    if (status) status_ = *status;
  }
  if (!advance_backend(progress)) return true;
  upstream_inbox_.consume(worker_, *message);
  if (progress == PostgresBackend::Progress::done) on_settings_end();
  return true;
}

void PostgresSession::on_settings_end() {
  stage_ = Stage::open;
  if (!is_greeted_) finish_login();
  if (worker_.draining) on_drain();
}

CatalogCache::Key PostgresSession::catalog_key() const {
  return {worker_.current->snapshot().generation, listener_, database_};
}

void PostgresSession::finish_login() {
  is_greeted_ = true;
  const auto opened = record_session("opened", recorded_database_);
  if (!opened) return fail_session("57P03", log_refusal, "log-failed");
  tell_after(*opened);
  const CancelKey key = cancel_key();
  bool told = client_out_.write([](postgres::Writer& writer) { writer.authentication_ok(); });
  for (const auto& [name, value] : backend_->reported()) {
    // A connection that was kept is still called after who had it last.
    const std::string_view shown = is_pooled_ && name == "application_name" ? application_ : value;
    told = told && client_out_.write([&, &name = name](postgres::Writer& writer) {
      writer.parameter_status(name, shown);
    });
  }
  told = told && client_out_.write([&](postgres::Writer& writer) {
    writer.backend_key_data(key.process, ByteView(key.secret).first(key.secret_bytes));
    writer.ready_for_query(postgres::TransactionStatus::idle);
  });
  if (is_pooled_) {
    told_ = backend_->reported();
    note_told("application_name", application_);
  } else {
    parameters_ = {};
  }
  if (!told) return fail_session("53000", "the gateway has no buffer free", "no-buffers");
}

}  // namespace sluice::dataplane
