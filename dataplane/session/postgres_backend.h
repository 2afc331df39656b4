// A connection to a PostgreSQL target, as the gateway knows it: how it logs in there,
// and what the target's session is like. It travels with the connection.
//
// source   PostgreSQL manual, "Message Flow: Start-up".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/model/settings.h"
#include "dataplane/session/column_catalog.h"
#include "dataplane/session/postgres_inbox.h"
#include "dataplane/session/postgres_outbox.h"
#include "dataplane/session/server_statements.h"
#include "dataplane/session/upstream_state.h"
#include "dataplane/session/worker_context.h"
#include "dataplane/tls/secure_channel.h"
#include "identity/scram.h"
#include "sql/session_trace.h"

namespace sluice::dataplane {

/// Sans-IO, as sessions are: it is handed the target's messages while it logs in or
/// asks, and writes into the outbox of whoever has the connection.
class PostgresBackend final : public UpstreamState {
 public:
  /// key      of who may share the connection.
  /// channel  that it is; nothing: in clear.
  PostgresBackend(WorkerContext& worker, const Fingerprint& key,
                  std::optional<SecureChannel> channel) noexcept
      : worker_(worker),
        number_(++worker.logins),
        channel_(std::move(channel)),
        key_(key),
        statements_(worker.fingerprint_key, number_) {}

  [[nodiscard]] const Fingerprint& key() const noexcept override { return key_; }
  [[nodiscard]] ByteView reset_request() const noexcept override;
  std::optional<bool> on_reset_bytes(ByteView bytes) override;

  using Parameters = std::vector<std::pair<std::string, std::string>>;
  /// Why the connection cannot be used.
  struct Fault {
    std::string_view code;
    std::string_view message;
    std::string_view result;
  };
  enum class Progress : std::uint8_t { more, done, failed };
  [[nodiscard]] const Fault& fault() const noexcept { return fault_; }

  /// Sends the startup packet. False when no buffer is free.
  [[nodiscard]] bool greet(PostgresOutbox& out, const config::TargetCredential& credential,
                           const std::string& database, const Parameters& parameters);
  /// A message of the target's login, other than its errors and notices.
  Progress on_login(const PostgresInbox::Message& message,
                    const config::TargetCredential& credential, PostgresOutbox& out);

  /// Which columns masks are about, and under which configuration.
  struct Question {
    CatalogCache::Key key;
    std::span<const ColumnMask> columns;
  };
  /// Asks which schemas names without one are looked for in, and what is known of the
  /// columns, as things stand. False when no buffer is free.
  [[nodiscard]] bool ask(PostgresOutbox& out, const Question& question);
  /// A message that answers, other than notices and what comes unasked.
  Progress on_answer(const PostgresInbox::Message& message, PostgresOutbox& out);

  /// A statement may have changed what the answers were: they are asked for again.
  void doubt_answers() noexcept { must_ask_ = true; }
  /// From now on names without a schema may mean something else.
  void forget_search_path() noexcept { search_path_views_.clear(); }
  /// Whether the answers are no longer good, for masks about columns where there are any.
  [[nodiscard]] bool must_ask(std::uint64_t generation, std::size_t listener,
                              bool has_columns) const noexcept;

  /// Empty: not known.
  [[nodiscard]] std::span<const std::string_view> search_path() const noexcept {
    return search_path_views_;
  }
  /// Null: not asked for.
  [[nodiscard]] const std::shared_ptr<const ColumnCatalog>& catalog() const noexcept {
    return catalog_;
  }
  /// Whether the catalog was asked for what these masks name.
  [[nodiscard]] bool catalog_fits(std::uint64_t generation, std::size_t listener) const noexcept {
    return catalog_ != nullptr && question_.generation == generation &&
           question_.listener == listener;
  }

  /// What the target said of itself: the settings it reports.
  [[nodiscard]] const Parameters& reported() const noexcept { return reported_; }
  void on_report(std::string_view name, std::string_view value);

  /// A statement leaves this in the target's session.
  void leave(sql::SessionTrace trace) noexcept { trace_ = std::max(trace_, trace); }
  /// Whether another session may ever get it.
  [[nodiscard]] bool can_be_reset() const noexcept {
    return trace_ != sql::SessionTrace::indelible;
  }
  /// A session; once it discarded what it left behind, it is another one.
  struct Owner {
    std::uint64_t session = 0;
    std::uint32_t discards = 0;
    friend bool operator==(const Owner&, const Owner&) = default;
  };
  /// What must run before the first statement of an owner; empty: nothing.
  [[nodiscard]] std::string introduction(const Owner& owner, const std::string& application);
  /// It is called what it was called at its login.
  [[nodiscard]] bool is_nameless() const noexcept { return application_ == first_application_; }
  [[nodiscard]] ServerStatements& statements() noexcept { return statements_; }

  /// What cancels a statement here; empty when the target gave no key.
  [[nodiscard]] std::uint32_t process() const noexcept { return process_; }
  [[nodiscard]] ByteView cancel_key() const noexcept { return cancel_key_; }

  /// Why the gateway could not read statements under such a setting; nothing when it can.
  [[nodiscard]] static std::optional<std::string_view> unreadable_setting(std::string_view name,
                                                                          std::string_view value);

 private:
  Progress fail(std::string_view code, std::string_view message, std::string_view result);
  [[nodiscard]] bool authenticate(ByteView body, const config::TargetCredential& credential,
                                  PostgresOutbox& out);
  [[nodiscard]] bool answer_sasl(const postgres::Authentication& asked,
                                 const config::TargetCredential& credential, PostgresOutbox& out);
  [[nodiscard]] bool begin_sasl(const postgres::Authentication& asked, PostgresOutbox& out);
  [[nodiscard]] std::optional<bool> on_reset_message(const postgres::Header& header, ByteView body);
  [[nodiscard]] bool on_answer_row(ByteView body);
  Progress on_answer_end(PostgresOutbox& out);
  Progress on_no_answer();
  [[nodiscard]] static bool send_question(PostgresOutbox& out, std::string_view text);

  WorkerContext& worker_;
  std::uint64_t number_;
  Fault fault_;

  // Login.
  std::optional<SecureChannel> channel_;
  std::unique_ptr<identity::ScramClient> scram_;
  bool is_scram_verified_ = false;
  std::uint32_t process_ = 0;
  std::vector<std::uint8_t> cancel_key_;
  Parameters reported_;

  // Shared by sessions, one at a time.
  Fingerprint key_;
  ServerStatements statements_;
  sql::SessionTrace trace_ = sql::SessionTrace::none;
  Owner owner_;  ///< Who had it last.
  std::string first_application_;
  std::string application_;  ///< As the target was told last; empty: something else.
  std::vector<std::uint8_t> reset_answer_;

  // What it was asked. A reload may come before the answers: they belong to the
  // configuration of the question.
  CatalogCache::Key asking_;
  std::vector<ColumnMask> asking_columns_;
  std::unique_ptr<ColumnCatalog> asking_catalog_;  ///< Set: of the answers, the columns.
  bool must_ask_ = false;
  bool is_unanswered_ = false;  ///< An error came instead.
  int unanswered_ = 0;          ///< Questions, one after the other.

  std::vector<std::string> search_path_;
  std::vector<std::string_view> search_path_views_;
  std::shared_ptr<const ColumnCatalog> catalog_;
  CatalogCache::Key question_;  ///< That the catalog answers.
  Instant catalog_since_;
};

}  // namespace sluice::dataplane
