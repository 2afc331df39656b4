#include "dataplane/session/postgres_backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "identity/md5_password.h"
#include "parsers/postgres/backend.h"

namespace sluice::dataplane {

using postgres::Authentication;
using postgres::BackendType;

namespace {

bool is_utf8(std::string_view encoding) {
  const std::string lower = in_lower_case(encoding);
  return lower == "utf8" || lower == "utf-8" || lower == "unicode" || lower == "'utf-8'";
}

constexpr std::string_view application_name = "application_name";

/// As Query: it cannot run inside of a transaction, and there is none.
constexpr auto discard_all = std::to_array<std::uint8_t>(
    {'Q', 0, 0, 0, 16, 'D', 'I', 'S', 'C', 'A', 'R', 'D', ' ', 'A', 'L', 'L', 0});
static_assert(discard_all.size() == 1 + 16);
constexpr std::size_t reset_answer_bytes_max = 64 * 1024;

std::string constant_of(std::string_view text) {
  std::string constant = "'";
  for (const char c : text) constant.append(c == '\'' ? 2 : 1, c);
  return constant + "'";
}

}  // namespace

/// A setting on which the gateway's reading of statements rests.
std::optional<std::string_view> PostgresBackend::unreadable_setting(std::string_view name,
                                                                    std::string_view value) {
  if (name == "client_encoding" && !is_utf8(value)) {
    return "the gateway reads statements in UTF-8 only: set client_encoding to UTF8";
  }
  if (name == "standard_conforming_strings" && value != "on") {
    return "the gateway reads statements with standard_conforming_strings = on only";
  }
  return std::nullopt;
}

bool PostgresBackend::greet(PostgresOutbox& out, const config::TargetCredential& credential,
                            const std::string& database, const Parameters& parameters) {
  std::vector<postgres::Parameter> packet{{"user", credential.user}, {"database", database}};
  for (const auto& [name, value] : parameters) {
    packet.push_back({name, value});
    if (name == application_name) first_application_ = application_ = value;
  }
  return out.write([&](postgres::Writer& writer) { writer.startup_message({3, 0}, packet); });
}

PostgresBackend::Progress PostgresBackend::on_login(const PostgresInbox::Message& message,
                                                    const config::TargetCredential& credential,
                                                    PostgresOutbox& out) {
  const ByteView body = message.body();
  bool understood = false;
  switch (message.header.backend()) {
    case BackendType::authentication:
      understood = authenticate(body, credential, out);
      break;
    case BackendType::parameter_status: {
      const auto status = postgres::decode_parameter_status(body);
      if (!status) break;
      if (const auto reason = unreadable_setting(status->name, status->value)) {
        return fail("0A000", *reason, "target-settings");
      }
      on_report(status->name, status->value);
      understood = true;
      break;
    }
    case BackendType::backend_key_data: {
      const auto key = postgres::decode_backend_key_data(body);
      if (!key) break;
      process_ = key->process_id;
      cancel_key_.assign(key->key.begin(), key->key.end());
      understood = true;
      break;
    }
    case BackendType::negotiate_protocol_version:
      understood = true;
      break;
    case BackendType::ready_for_query:
      scram_ = nullptr;
      return Progress::done;
    default:
      break;
  }
  if (understood) return Progress::more;
  return fail("08P01", "the target's login is not one that the gateway knows", "target-malformed");
}

PostgresBackend::Progress PostgresBackend::fail(std::string_view code, std::string_view message,
                                                std::string_view result) {
  fault_ = {code, message, result};
  return Progress::failed;
}

bool PostgresBackend::authenticate(ByteView body, const config::TargetCredential& credential,
                                   PostgresOutbox& out) {
  const auto asked = postgres::decode_authentication(body);
  if (!asked) return false;
  switch (asked->kind) {
    case Authentication::Kind::ok:
      // After SCRAM only a server that proved itself is one to talk to.
      return scram_ == nullptr || is_scram_verified_;
    case Authentication::Kind::md5_password: {
      if (!credential.password) return false;
      const auto answer =
          identity::md5_password(credential.user, credential.password->value, asked->data);
      return answer &&
             out.write([&](postgres::Writer& writer) { writer.password_message(*answer); });
    }
    case Authentication::Kind::sasl:
    case Authentication::Kind::sasl_continue:
    case Authentication::Kind::sasl_final:
      return credential.password && answer_sasl(*asked, credential, out);
    case Authentication::Kind::cleartext_password:
      // It is shown only to who has proved to be the target.
      return channel_ && channel_->is_verified && credential.password &&
             out.write([&](postgres::Writer& writer) {
               writer.password_message(credential.password->value);
             });
    case Authentication::Kind::unsupported:
      return false;
  }
  return false;
}

/// Bound to the channel where there is one and the server offers that.
bool PostgresBackend::begin_sasl(const Authentication& asked, PostgresOutbox& out) {
  if (scram_ != nullptr) return false;
  const auto binding = channel_ ? channel_->server_end_point : identity::ChannelBinding();
  bool is_offered = false;
  bool is_bound = false;
  for (const std::string_view mechanism : asked.mechanisms) {
    is_offered = is_offered || mechanism == identity::scram_mechanism;
    is_bound = is_bound || (mechanism == identity::scram_plus_mechanism && !binding.empty());
  }
  if (!is_offered && !is_bound) return false;
  const std::string_view chosen =
      is_bound ? identity::scram_plus_mechanism : identity::scram_mechanism;
  const std::string seed = fmt::format("scram {}", number_);
  const Fingerprint a = worker_.fingerprint_key.of(seed);
  const Fingerprint b = worker_.fingerprint_key.of(seed + "'");
  scram_ = std::make_unique<identity::ScramClient>(
      fmt::format("{:016x}{:016x}{:016x}{:016x}", a[0], a[1], b[0], b[1]), chosen, binding);
  const std::string first = scram_->first();
  return out.write(
      [&](postgres::Writer& writer) { writer.sasl_initial_response(chosen, as_bytes(first)); });
}

bool PostgresBackend::answer_sasl(const Authentication& asked,
                                  const config::TargetCredential& credential, PostgresOutbox& out) {
  if (asked.kind == Authentication::Kind::sasl) return begin_sasl(asked, out);
  if (scram_ == nullptr) return false;
  if (asked.kind == Authentication::Kind::sasl_final) {
    is_scram_verified_ = scram_->verify(as_text(asked.data)) == identity::ScramFault::none;
    return is_scram_verified_;
  }
  const auto challenge = scram_->challenge(as_text(asked.data));
  if (!challenge) return false;
  const auto keys =
      worker_.scram_keys.derive(credential.password->value, challenge->salt, challenge->iterations);
  if (!keys) return false;
  const auto proof = scram_->prove(*keys);
  return proof &&
         out.write([&](postgres::Writer& writer) { writer.sasl_response(as_bytes(*proof)); });
}

/// A Query would make the server forget the client's unnamed statement and portal. Closed
/// before, too: a question that was cancelled leaves its statement behind.
bool PostgresBackend::send_question(PostgresOutbox& out, std::string_view text) {
  constexpr std::string_view name = "question of the gateway";
  return out.write([&](postgres::Writer& writer) {
    writer.close(postgres::Target::Kind::statement, name);
    writer.parse({.statement = name, .text = text, .parameter_types = {}});
    writer.bind({.portal = name,
                 .statement = name,
                 .parameter_formats = {},
                 .parameters = {},
                 .result_formats = {}});
    writer.execute({.portal = name});
    writer.close(postgres::Target::Kind::portal, name);
    writer.close(postgres::Target::Kind::statement, name);
    writer.empty(postgres::FrontendType::sync);
  });
}

void PostgresBackend::on_report(std::string_view name, std::string_view value) {
  const auto known = std::ranges::find(reported_, name, &Parameters::value_type::first);
  if (known == reported_.end()) {
    reported_.emplace_back(name, value);
  } else {
    known->second = value;
  }
  if (name == application_name) application_ = value;
}

ByteView PostgresBackend::reset_request() const noexcept {
  return trace_ >= sql::SessionTrace::unknown ? ByteView(discard_all) : ByteView();
}

std::optional<bool> PostgresBackend::on_reset_bytes(ByteView bytes) {
  reset_answer_.insert(reset_answer_.end(), bytes.begin(), bytes.end());
  if (reset_answer_.size() > reset_answer_bytes_max) return false;
  ByteView rest(reset_answer_);
  for (;;) {
    const postgres::HeaderStep step = postgres::decode_header(postgres::Side::backend, rest);
    if (step.kind == postgres::HeaderStep::Kind::malformed) return false;
    const bool is_whole = step.kind == postgres::HeaderStep::Kind::header &&
                          step.header.message_bytes() <= rest.size();
    if (!is_whole) break;
    const ByteView body = rest.first(step.header.message_bytes()).subspan(postgres::header_bytes);
    const auto verdict = on_reset_message(step.header, body);
    rest = rest.subspan(step.header.message_bytes());
    if (!verdict) continue;
    const bool is_all = rest.empty();
    reset_answer_ = {};
    return *verdict && is_all;
  }
  reset_answer_.erase(reset_answer_.begin(), reset_answer_.end() - std::ssize(rest));
  return std::nullopt;
}

std::optional<bool> PostgresBackend::on_reset_message(const postgres::Header& header,
                                                      ByteView body) {
  switch (header.backend()) {
    case BackendType::command_complete:
    case BackendType::notice_response:
      return std::nullopt;
    case BackendType::parameter_status: {
      const auto status = postgres::decode_parameter_status(body);
      if (!status || unreadable_setting(status->name, status->value)) return false;
      on_report(status->name, status->value);
      return std::nullopt;
    }
    case BackendType::ready_for_query: {
      const auto status = postgres::decode_ready_for_query(body);
      if (!status || *status != postgres::TransactionStatus::idle) return false;
      trace_ = sql::SessionTrace::none;
      owner_ = {};
      statements_.clear();
      forget_search_path();
      doubt_answers();
      return true;
    }
    default:
      return false;
  }
}

std::string PostgresBackend::introduction(const Owner& owner, const std::string& application) {
  std::string text;
  if (trace_ == sql::SessionTrace::sequences && owner_ != owner) {
    text = "DISCARD SEQUENCES;";
    trace_ = sql::SessionTrace::none;
  }
  if (application_ != application) {
    text += "SET application_name = " + constant_of(application);
    application_ = application;
  }
  owner_ = owner;
  return text;
}

bool PostgresBackend::must_ask(std::uint64_t generation, std::size_t listener,
                               bool has_columns) const noexcept {
  if (must_ask_ || !has_columns) return must_ask_;
  return !catalog_fits(generation, listener) ||
         worker_.now.monotonic >= catalog_since_ + CatalogCache::lifetime;
}

bool PostgresBackend::ask(PostgresOutbox& out, const Question& question) {
  must_ask_ = false;
  asking_ = question.key;
  asking_columns_.assign(question.columns.begin(), question.columns.end());
  asking_catalog_ = nullptr;
  search_path_views_.clear();
  search_path_.clear();
  return send_question(
      out, "SELECT pg_catalog.unnest(pg_catalog.current_schemas(false))::pg_catalog.text");
}

PostgresBackend::Progress PostgresBackend::on_answer(const PostgresInbox::Message& message,
                                                     PostgresOutbox& out) {
  switch (message.header.backend()) {
    case BackendType::parse_complete:
    case BackendType::bind_complete:
    case BackendType::close_complete:
    case BackendType::command_complete:
      return Progress::more;
    case BackendType::error_response:
      is_unanswered_ = true;
      return Progress::more;
    case BackendType::data_row:
      if (on_answer_row(message.body())) return Progress::more;
      break;
    case BackendType::ready_for_query:
      return on_answer_end(out);
    default:
      break;
  }
  return fail("08006", "the target did not say what a session is like", "target-malformed");
}

bool PostgresBackend::on_answer_row(ByteView body) {
  const auto row = postgres::decode_data_row(body);
  if (!row) return false;
  if (asking_catalog_ != nullptr) return asking_catalog_->add(*row);
  if (row->size() != 1) return false;
  const postgres::Value value = *row->begin();
  if (value) search_path_.emplace_back(as_text(*value));
  return true;
}

/// What the client wanted to cancel may have been over when its request arrived, and hit
/// the question; a time limit of the client's may be too short for it. It is asked again
/// later, and until then nothing is known.
PostgresBackend::Progress PostgresBackend::on_no_answer() {
  is_unanswered_ = false;
  must_ask_ = true;
  asking_catalog_ = nullptr;
  constexpr int unanswered_max = 3;
  if (++unanswered_ < unanswered_max) return Progress::done;
  return fail("08006", "the target did not say what a session is like", "target-malformed");
}

PostgresBackend::Progress PostgresBackend::on_answer_end(PostgresOutbox& out) {
  if (is_unanswered_) return on_no_answer();
  const Instant now = worker_.now.monotonic;
  if (asking_catalog_ != nullptr) {
    asking_catalog_->finish(asking_columns_);
    catalog_ = std::move(asking_catalog_);
    worker_.catalogs.put(asking_, catalog_, now);
  } else {
    search_path_views_.assign(search_path_.begin(), search_path_.end());
    if (asking_columns_.empty()) {
      unanswered_ = 0;
      return Progress::done;
    }
    catalog_ = worker_.catalogs.find(asking_, now);
    if (catalog_ == nullptr) {
      asking_catalog_ = std::make_unique<ColumnCatalog>();
      const std::string text = ColumnCatalog::query(asking_columns_);
      if (send_question(out, text)) return Progress::more;
      return fail("54000", "too many masked columns are configured", "too-long");
    }
  }
  unanswered_ = 0;
  catalog_since_ = now;
  question_ = asking_;
  return Progress::done;
}

}  // namespace sluice::dataplane
