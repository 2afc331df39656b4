// The client logs in at the gateway, then the gateway at the target.
//
// source   PostgreSQL manual, "Message Flow: Start-up".
#include <fmt/format.h>

#include <strings.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/ascii.h"
#include "dataplane/session/postgres_session.h"
#include "identity/md5_password.h"
#include "parsers/postgres/header.h"

namespace sluice::dataplane {

using postgres::Authentication;
using postgres::BackendType;
using postgres::FrontendType;
using postgres::HeaderStep;
using postgres::StartupStep;

namespace {

constexpr std::size_t password_bytes_max = 1024;
constexpr std::size_t settings_message_bytes_max = std::size_t{1} << 20;
/// As the server cuts it (NAMEDATALEN).
constexpr std::size_t application_name_bytes_max = 63;
constexpr std::string_view protocol_violation = "08P01";

/// Settings that a client may bring. Others could change what the gateway relies on.
constexpr auto allowed_parameters = std::to_array<std::string_view>(
    {"application_name", "client_encoding", "datestyle", "timezone", "intervalstyle",
     "extra_float_digits", "search_path", "statement_timeout", "lock_timeout",
     "idle_in_transaction_session_timeout", "bytea_output", "client_min_messages"});

bool is_utf8(std::string_view encoding) {
  const std::string lower = in_lower_case(encoding);
  return lower == "utf8" || lower == "utf-8" || lower == "unicode" || lower == "'utf-8'";
}

bool is_no(std::string_view value) {
  const std::string lower = in_lower_case(value);
  return lower == "false" || lower == "off" || lower == "no" || lower == "0";
}

bool is_loopback(std::string_view peer) {
  return peer.starts_with("127.") || peer.starts_with("[::1]");
}

}  // namespace

/// A setting on which the gateway's reading of statements rests.
std::optional<std::string_view> PostgresSession::unreadable_setting(std::string_view name,
                                                                    std::string_view value) {
  if (name == "client_encoding" && !is_utf8(value)) {
    return "the gateway reads statements in UTF-8 only: set client_encoding to UTF8";
  }
  if (name == "standard_conforming_strings" && value != "on") {
    return "the gateway reads statements with standard_conforming_strings = on only";
  }
  return std::nullopt;
}

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
    case StartupStep::Kind::gssenc_request: {
      client_inbox_.take(worker_, step.size_bytes);
      // What was sent before the answer could have been put there by somebody in
      // between (CVE-2021-23214).
      if (!client_inbox_.front(worker_).empty()) {
        refuse_login(protocol_violation, "bytes came before the encryption was settled",
                     "early-bytes");
        return true;
      }
      if (!client_out_.copy({&postgres::encryption_refused, 1})) close_now();
      return true;
    }
    case StartupStep::Kind::cancel_request: {
      CancelKey key;
      key.process = step.cancel.process_id;
      key.secret_bytes =
          static_cast<std::uint8_t>(std::min<std::size_t>(step.cancel.key.size(), 255));
      std::copy_n(step.cancel.key.begin(), std::min(step.cancel.key.size(), key.secret.size()),
                  key.secret.begin());
      cancel_wish_ = key;
      close_after_flush();  // it is never told whether it helped
      return true;
    }
    case StartupStep::Kind::startup_message: {
      const std::size_t size = step.size_bytes;
      if (begin_login(step.startup)) client_inbox_.take(worker_, size);
      return true;
    }
  }
  return false;
}

/// False when the client was refused.
bool PostgresSession::begin_login(const postgres::StartupMessage& startup) {
  user_ = startup.user;
  database_ = startup.database.empty() ? startup.user : startup.database;
  recorded_database_ = fit_for_record(database_);
  if (!take_parameters(startup)) return false;
  if (!plan().settings.postgres.passwords_from_loopback || !is_loopback(peer_text_)) {
    refuse_login("28000",
                 "this listener takes no passwords in clear text; see passwords_from_loopback",
                 "cleartext-refused");
    return false;
  }
  std::vector<std::string_view> options;
  for (const postgres::Parameter& parameter : startup.parameters) {
    if (postgres::is_protocol_option(parameter.name)) options.push_back(parameter.name);
  }
  const bool asked = client_out_.write([&](postgres::Writer& writer) {
    if (startup.version.minor != 0 || !options.empty()) {
      writer.negotiate_protocol_version({3, 0}, options);
    }
    writer.authentication_cleartext_password();
  });
  if (!asked) {
    close_now();
    return false;
  }
  stage_ = Stage::password;
  return true;
}

bool PostgresSession::take_parameters(const postgres::StartupMessage& startup) {
  std::string application;
  bool names_encoding = false;
  for (const postgres::Parameter& parameter : startup.parameters) {
    const std::string name = in_lower_case(parameter.name);
    if (name == "user" || name == "database" || postgres::is_protocol_option(name)) continue;
    if (name == "replication" && is_no(parameter.value)) continue;
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
    if (const auto reason = unreadable_setting(name, parameter.value)) {
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
  parameters_.emplace_back("application_name", std::move(shown));
  return true;
}

bool PostgresSession::read_password() {
  const HeaderStep step = client_inbox_.peek(worker_, postgres::Side::frontend);
  if (step.kind == HeaderStep::Kind::needs_more) return false;
  const bool is_password = step.kind == HeaderStep::Kind::header &&
                           step.header.frontend() == FrontendType::password &&
                           step.header.body_bytes <= password_bytes_max;
  if (!is_password) {
    // psql closes here, to ask its user and come back.
    refuse_login(protocol_violation, "a password was expected", "no-password");
    return true;
  }
  const auto message = client_inbox_.whole(worker_, step.header);
  if (!message) return false;
  const auto password = postgres::decode_password(message->body());
  if (!password) {
    refuse_login(protocol_violation, postgres::text(password.error()), "malformed");
    return true;
  }
  std::string presented = fmt::format("{}:{}", user_, password->password);
  std::ranges::fill(message->body(), std::uint8_t{0});
  client_inbox_.consume(worker_, *message);
  authenticate(presented);
  explicit_bzero(presented.data(), presented.size());
  return true;
}

void PostgresSession::authenticate(std::string_view presented) {
  const Snapshot& snapshot = worker_.current->snapshot();
  keys_ = snapshot.keys;
  keys_generation_ = snapshot.generation;
  const identity::KeyVerdict verdict = keys_->verify(presented, worker_.now.wall);
  if (verdict.fault != identity::KeyFault::needs_slow_proof) return on_verdict(verdict);
  proof_wish_.assign(presented);
  stage_ = Stage::proof;
}

void PostgresSession::on_verdict(const identity::KeyVerdict& verdict) {
  if (verdict.fault != identity::KeyFault::none || verdict.principal->subject != user_) {
    keys_ = nullptr;
    return refuse_login("28P01", fmt::format("authentication failed for user \"{}\"", user_),
                        identity::text(verdict.fault));
  }
  key_ = verdict.index;
  stage_ = Stage::connect;
  acquire_upstream();
}

void PostgresSession::greet_target() {
  stage_ = Stage::login;
  const config::TargetCredential& credential = *target().credential;
  std::vector<postgres::Parameter> parameters{{"user", credential.user}, {"database", database_}};
  for (const auto& [name, value] : parameters_) parameters.push_back({name, value});
  const bool sent = upstream_out_.write([&](postgres::Writer& writer) {
    writer.startup_message({3, 0}, parameters);
  });
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
  const ByteView body = message->body();
  bool understood = true;
  switch (step.header.backend()) {
    case BackendType::authentication:
      understood = answer_authentication(body);
      break;
    case BackendType::parameter_status: {
      const auto status = postgres::decode_parameter_status(body);
      understood = status.has_value();
      if (!understood) break;
      if (const auto reason = unreadable_setting(status->name, status->value)) {
        fail_session("0A000", *reason, "target-settings");
        return true;
      }
      greeting_.insert(greeting_.end(), message->bytes.begin(), message->bytes.end());
      break;
    }
    case BackendType::backend_key_data: {
      const auto key = postgres::decode_backend_key_data(body);
      understood = key.has_value();
      if (!understood) break;
      target_process_ = key->process_id;
      target_key_.assign(key->key.begin(), key->key.end());
      break;
    }
    case BackendType::ready_for_query:
      ask_settings();
      break;
    case BackendType::error_response: {
      const auto report = postgres::decode_report(body);
      const std::string_view code = report ? report->find('C') : std::string_view();
      const bool is_ours = code.starts_with("28") || code.empty();
      const std::string text(is_ours ? "the target refused the gateway's own login"
                                     : masked(report->find('M')));
      fail_session(is_ours ? "08004" : code, text, "target-refused");
      return true;
    }
    case BackendType::notice_response:
    case BackendType::negotiate_protocol_version:
      break;
    default:
      understood = false;
      break;
  }
  if (stage_ == Stage::closing) return true;
  if (!understood) {
    fail_session("08P01", "the target's login is not one that the gateway knows",
                 "target-malformed");
    return true;
  }
  upstream_inbox_.consume(worker_, *message);
  return true;
}

bool PostgresSession::answer_authentication(ByteView body) {
  const auto asked = postgres::decode_authentication(body);
  if (!asked) return false;
  const config::TargetCredential& credential = *target().credential;
  switch (asked->kind) {
    case Authentication::Kind::ok:
      // After SCRAM only a server that proved itself is one to talk to.
      return scram_ == nullptr || scram_verified_;
    case Authentication::Kind::md5_password: {
      if (!credential.password) return false;
      const auto answer =
          identity::md5_password(credential.user, credential.password->value, asked->data);
      return answer && upstream_out_.write(
                           [&](postgres::Writer& writer) { writer.password_message(*answer); });
    }
    case Authentication::Kind::sasl:
    case Authentication::Kind::sasl_continue:
    case Authentication::Kind::sasl_final:
      return credential.password && answer_sasl(*asked);
    case Authentication::Kind::cleartext_password:  // never without TLS
    case Authentication::Kind::unsupported:
      return false;
  }
  return false;
}

bool PostgresSession::answer_sasl(const Authentication& asked) {
  if (asked.kind == Authentication::Kind::sasl) {
    bool offered = false;
    for (const std::string_view mechanism : asked.mechanisms) {
      offered = offered || mechanism == identity::scram_mechanism;
    }
    if (!offered || scram_ != nullptr) return false;
    const std::string seed = fmt::format("scram {}", number_);
    const Fingerprint a = worker_.fingerprint_key.of(seed);
    const Fingerprint b = worker_.fingerprint_key.of(seed + "'");
    scram_ = std::make_unique<identity::ScramClient>(
        fmt::format("{:016x}{:016x}{:016x}{:016x}", a[0], a[1], b[0], b[1]));
    const std::string first = scram_->first();
    return upstream_out_.write([&](postgres::Writer& writer) {
      writer.sasl_initial_response(identity::scram_mechanism, as_bytes(first));
    });
  }
  if (scram_ == nullptr) return false;
  if (asked.kind == Authentication::Kind::sasl_final) {
    scram_verified_ = scram_->verify(as_text(asked.data)) == identity::ScramFault::none;
    return scram_verified_;
  }
  const auto challenge = scram_->challenge(as_text(asked.data));
  if (!challenge) return false;
  const auto keys = worker_.scram_keys.derive(target().credential->password->value, challenge->salt,
                                              challenge->iterations);
  if (!keys) return false;
  const auto proof = scram_->prove(*keys);
  return proof && upstream_out_.write(
                      [&](postgres::Writer& writer) { writer.sasl_response(as_bytes(*proof)); });
}

/// Which schemas names without one are looked for in, and which columns masks are
/// about, as things stand.
void PostgresSession::ask_settings() {
  stage_ = Stage::settings;
  must_ask_again_ = false;
  asks_columns_ = false;
  search_path_.clear();
  // A reload may come before the answers: they belong to what was in force now.
  asked_generation_ = worker_.current->snapshot().generation;
  asked_columns_ = plan().columns;
  const bool sent = upstream_out_.write([](postgres::Writer& writer) {
    writer.query("SELECT pg_catalog.unnest(pg_catalog.current_schemas(false))::pg_catalog.text");
  });
  if (!sent) fail_session("53000", "the gateway has no buffer free", "no-buffers");
}

bool PostgresSession::read_settings_reply() {
  const HeaderStep step = upstream_inbox_.peek(worker_, postgres::Side::backend);
  if (step.kind == HeaderStep::Kind::needs_more) return false;
  std::optional<PostgresInbox::Message> message;
  if (step.kind == HeaderStep::Kind::header &&
      step.header.message_bytes() <= settings_message_bytes_max) {
    message = upstream_inbox_.whole(worker_, step.header);
    if (!message) return false;
  }
  bool understood = message.has_value();
  bool is_over = false;
  if (message) {
    switch (step.header.backend()) {
      case BackendType::data_row:
        understood = on_settings_row(message->body());
        break;
      case BackendType::ready_for_query:
        is_over = true;
        break;
      case BackendType::row_description:
      case BackendType::command_complete:
      case BackendType::notice_response:
        break;
      case BackendType::parameter_status:
      case BackendType::notification_response:
        understood = is_greeted_ && on_reply(*message);
        break;
      default:
        understood = false;
        break;
    }
  }
  if (stage_ == Stage::closing) return true;
  if (!understood) {
    fail_session("08006", "the target did not say what a session is like", "target-malformed");
    return true;
  }
  upstream_inbox_.consume(worker_, *message);
  if (is_over) on_settings_end();
  return true;
}

bool PostgresSession::on_settings_row(ByteView body) {
  const auto row = postgres::decode_data_row(body);
  if (!row) return false;
  if (asks_columns_) return asked_catalog_->add(*row);
  if (row->size() != 1) return false;
  const postgres::Value value = *row->begin();
  if (value) search_path_.emplace_back(as_text(*value));
  return true;
}

void PostgresSession::on_settings_end() {
  const Instant now = worker_.now.monotonic;
  const CatalogCache::Key key{asked_generation_, listener_, database_};
  if (asks_columns_) {
    asked_catalog_->finish(asked_columns_);
    catalog_ = std::move(asked_catalog_);
    catalog_since_ = now;
    worker_.catalogs.put(key, catalog_, now);
  } else {
    search_path_views_.assign(search_path_.begin(), search_path_.end());
    if (!asked_columns_.empty()) {
      catalog_ = worker_.catalogs.find(key, now);
      catalog_since_ = now;
    }
    if (!asked_columns_.empty() && catalog_ == nullptr) {
      asks_columns_ = true;
      asked_catalog_ = std::make_unique<ColumnCatalog>();
      const std::string text = ColumnCatalog::query(asked_columns_);
      const bool sent = upstream_out_.write([&](postgres::Writer& writer) { writer.query(text); });
      if (!sent) fail_session("54000", "too many masked columns are configured", "too-long");
      return;
    }
  }
  catalog_generation_ = asked_generation_;
  stage_ = Stage::open;
  if (!is_greeted_) finish_login();
  if (worker_.draining) on_drain();
}

CatalogCache::Key PostgresSession::catalog_key() const {
  return {worker_.current->snapshot().generation, listener_, database_};
}

void PostgresSession::finish_login() {
  is_greeted_ = true;
  const CancelKey key = cancel_key();
  const bool told =
      client_out_.write([](postgres::Writer& writer) { writer.authentication_ok(); }) &&
      client_out_.copy(greeting_) && client_out_.write([&](postgres::Writer& writer) {
        writer.backend_key_data(key.process, ByteView(key.secret).first(key.secret_bytes));
        writer.ready_for_query(postgres::TransactionStatus::idle);
      });
  greeting_ = {};
  parameters_ = {};
  scram_ = nullptr;
  if (!told) return fail_session("53000", "the gateway has no buffer free", "no-buffers");
  record_session("opened", recorded_database_);
}

}  // namespace sluice::dataplane
