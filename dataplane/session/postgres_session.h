// One client connection speaking PostgreSQL's protocol 3.
//
// The client logs in here with its key; the gateway logs in at the target with the
// target's credential, on a connection of this session's own. Each statement is
// judged and recorded before it goes on; what comes back is masked.
//
// source   PostgreSQL manual, "Frontend/Backend Protocol".
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/record.h"
#include "base/ring_queue.h"
#include "dataplane/session/certificate_proof.h"
#include "dataplane/session/column_reach.h"
#include "dataplane/session/execution_meter.h"
#include "dataplane/session/name_table.h"
#include "dataplane/session/postgres_backend.h"
#include "dataplane/session/postgres_inbox.h"
#include "dataplane/session/postgres_outbox.h"
#include "dataplane/session/postgres_rows.h"
#include "dataplane/session/postgres_tap.h"
#include "dataplane/session/session.h"
#include "dataplane/session/session_principal.h"
#include "dataplane/session/statement_judge.h"
#include "parsers/postgres/backend.h"
#include "parsers/postgres/frontend.h"
#include "parsers/postgres/startup.h"

namespace sluice::dataplane {

class ClientScram;

class PostgresSession final : public Session {
 public:
  /// channel  by which the client came; nothing: in clear.
  PostgresSession(WorkerContext& worker, std::uint16_t listener, const Endpoint& peer,
                  std::uint64_t session_number, std::optional<SecureChannel> channel);
  ~PostgresSession() override;

  void on_client_bytes(BufferId buffer, std::uint32_t size_bytes) override;
  void on_client_end() override;
  void on_client_lost() override;
  void on_client_sent() override;
  void on_upstream_ready(std::size_t address, bool reused, std::unique_ptr<UpstreamState> state,
                         std::optional<SecureChannel> channel) override;
  void on_upstream_trouble(UpstreamTrouble trouble) override;
  void on_upstream_bytes(BufferId buffer, std::uint32_t size_bytes) override;
  void on_upstream_end() override;
  void on_upstream_lost() override;
  void on_upstream_sent() override;
  void on_proof(const identity::KeyVerdict& verdict) override;
  void on_no_proof() override;
  void on_token_news() override;
  void on_hold_answer(const config::HoldAnswer& answer) override;
  void on_log_room() override;
  void on_log_broken() override;
  void on_tick() override;
  [[nodiscard]] Instant rests_until() const noexcept override;
  void on_drain() override;
  [[nodiscard]] CancelOrder on_kill() override;
  std::optional<CancelOrder> on_cancel(const CancelKey& key) override;
  void on_cancel_settled() override;

  [[nodiscard]] bool has_more_for_client() const noexcept override {
    return client_out_.has_spill();
  }
  [[nodiscard]] bool owes_record() const noexcept override { return ending_.has_value(); }
  [[nodiscard]] bool wants_client_bytes() const noexcept override;
  [[nodiscard]] bool wants_upstream_bytes() const noexcept override;
  [[nodiscard]] std::shared_ptr<const identity::ApiKeys> keys() const noexcept override;
  [[nodiscard]] bool wants_fresh_upstream() const noexcept override {
    return !is_pooled_ || wants_fresh_;
  }
  [[nodiscard]] Fingerprint upstream_key() const noexcept override;
  [[nodiscard]] bool may_wait_for_upstream() const noexcept override { return is_pooled_; }
  [[nodiscard]] UpstreamPool& upstream_pool() noexcept override;
  [[nodiscard]] const config::Target& target() const noexcept override;

 private:
  void describe_own(SessionSummary& summary) const override;
  [[nodiscard]] CancelOrder cancel_order() const;
  /// The target was sent nothing that it has yet to answer.
  [[nodiscard]] bool is_at_rest() const noexcept { return expected_.empty() && rests_; }
  [[nodiscard]] bool has_running_target() const noexcept;

  enum class Stage : std::uint8_t {
    startup,     ///< The first packet.
    proof,       ///< The client was asked to prove who it is.
    slow_proof,  ///< A slow check is under way.
    token_keys,  ///< Newer keys are fetched for the token that it showed.
    connect,     ///< To the target.
    login,       ///< The gateway logs in at the target.
    settings,    ///< It asks the target what a session is like.
    open,
    cancelling,  ///< What this client's key names is told to stop.
    closing,     ///< Nothing more is understood from this client.
  };

  /// What the client's connection is for.
  enum class Replication : std::uint8_t {
    none,
    physical,  ///< No SQL at all.
    logical,   ///< SQL too, by simple queries.
  };

  /// An execution that was recorded and is not over.
  struct Operation {
    SnapshotView* view = nullptr;
    matcher::RuleSet masks;  ///< Of what comes back, for its principal.
    std::uint64_t number = 0;
    std::uint64_t bytes_in = 0;
    Instant started;
    std::uint64_t record = 0;   ///< Its intent's.
    ExecutionMeter meter;       ///< Of what it brings.
    std::uint64_t rows_in = 0;  ///< That the target says it wrote.
    bool has_copied_in = false;
  };

  /// What a function call brings.
  struct Called {
    postgres::Oid result = 0;  ///< Its type; 0: nothing was called.
    postgres::Format format = postgres::Format::text;
  };

  /// What the next reply of the target answers.
  struct Expected {
    enum class Kind : std::uint8_t {
      query,
      parse,
      bind,
      describe_statement,  ///< ParameterDescription comes first.
      describe_portal,
      execute,
      close,
      sync,
      refusal,  ///< Of the gateway: written when its turn comes.
      spoil,    ///< A statement of the gateway that fails, so that the transaction does.
      ready,    ///< A ReadyForQuery of the gateway.
      parsed,   ///< Its ParseComplete: the target has the statement already.
    };
    Kind kind = Kind::sync;
    bool has_operation = false;  ///< The first of the open ones, when its turn comes.
    bool is_own = false;         ///< The gateway asked: the client does not see the reply.
    bool may_copy_in = false;    ///< It may make the target take CopyData.
    bool reads_masked = false;   ///< Texts about it may quote a masked column's value.
    Called called;               ///< By a function call.
    std::shared_ptr<const StatementInfo> info;  ///< Where rows come from it.
    std::string refusal;                        ///< An ErrorResponse.
    ServerStatements::Id statement = 0;         ///< That a Parse or a Close is about.
  };

  /// What a name stands for.
  struct Prepared {
    /// body  of its Parse, behind the name.
    Prepared(const postgres::Parse& parse, std::string_view body,
             std::shared_ptr<const StatementInfo> facts, const Fingerprint& body_print,
             std::size_t& bytes)
        : source(body),
          info(std::move(facts)),
          parameter_types(parse.parameter_types.begin(), parse.parameter_types.end()),
          print(body_print),
          bytes_in_use(bytes) {
      bytes_in_use += source.size();
    }
    ~Prepared() { bytes_in_use -= source.size(); }
    Prepared(const Prepared&) = delete;
    Prepared& operator=(const Prepared&) = delete;

    /// Judged when it is prepared and when it is executed.
    [[nodiscard]] std::string_view text() const noexcept { return source.c_str(); }

    const std::string source;  ///< The text, its end, and the parameters' types.
    const std::shared_ptr<const StatementInfo> info;
    const std::vector<postgres::Oid> parameter_types;  ///< 0: the target works it out.
    const Fingerprint print;    ///< Of the source, where server connections are shared.
    std::size_t& bytes_in_use;  ///< Of the session's prepared texts.
  };
  struct Meaning {
    std::shared_ptr<const Prepared> prepared;
    std::shared_ptr<Brought> brought = {};  ///< By a portal so far, where rules limit that.
    // Of a portal, where rules look at parameters: the patterns that its own hold, and of
    // which configuration; 0: nobody looked.
    std::vector<std::uint32_t> parameter_hits = {};
    std::uint64_t hits_generation = 0;
    /// Digest of a portal's parameters and formats, where rules may hold what it executes.
    std::optional<audit::Hash> bound = {};
  };
  /// A change of names that the target has yet to confirm.
  struct Pending {
    bool is_portal = false;
    std::string name;
    Meaning meaning;             ///< None: closed.
    std::uint64_t pipeline = 0;  ///< Up to which Sync it stands or falls.
  };
  using Names = NameTable<Meaning>;

  /// The last word on a session: recorded first, then told.
  struct Ending {
    bool is_refusal = false;  ///< Of a client that is not in yet.
    std::string why;          ///< For the record.
    std::string code{};       ///< For the client; empty: it is told nothing.
    std::string message{};
  };

  void advance();

  // postgres_login.cc
  bool read_startup();
  void refuse_encryption(std::size_t request_bytes);
  void take_cancel(const postgres::CancelRequest& request);
  [[nodiscard]] bool came_in_clear() const noexcept;
  bool begin_login(const postgres::StartupMessage& startup);
  bool take_parameters(const postgres::StartupMessage& startup);
  void greet_target();
  bool read_login_reply();
  void refuse_by_target(const PostgresInbox::Message& message);
  void ask_settings();
  bool read_settings_reply();
  void on_settings_end();
  bool advance_backend(PostgresBackend::Progress progress);
  void finish_login();

  // postgres_proof.cc
  bool ask_for_proof();
  enum class Admission : std::uint8_t { admitted, refused, undecided };
  Admission admit_by_certificate();
  [[nodiscard]] bool takes_passwords() const;
  bool read_proof();
  bool take_password(ByteSpan body);
  bool take_token(std::string_view token, ByteSpan body);
  bool take_scram(ByteView body);
  void authenticate(std::string_view presented);
  void on_verdict(const identity::KeyVerdict& verdict);
  void admit(SessionPrincipal principal);
  void refuse_proof(std::string_view why, bool is_guess = true);

  // postgres_replication.cc
  [[nodiscard]] static std::optional<Replication> replication_of(std::string_view parameter);
  [[nodiscard]] bool is_replication_command(std::string_view text) const;
  [[nodiscard]] JudgedStatement judge_replication(std::string_view command);
  bool admit_replication();
  [[nodiscard]] bool may_still_replicate();

  // postgres_client.cc
  bool read_client();
  bool relay_client_piece();
  enum class Handled : std::uint8_t { done, later, malformed };
  Handled on_request(const PostgresInbox::Message& message);
  Handled on_query(const PostgresInbox::Message& message);
  Handled on_parse(const PostgresInbox::Message& message);
  bool admit_parse(const postgres::Parse& parse, const JudgedStatement& judged);
  Handled on_bind(const PostgresInbox::Message& message);
  bool on_long_bind(const postgres::Header& header);
  enum class Bound : std::uint8_t { yes, refused, later };
  Bound bind_names(std::string_view portal, std::string_view statement);
  Handled on_describe(const PostgresInbox::Message& message);
  Handled on_execute(const PostgresInbox::Message& message);
  bool on_close(const PostgresInbox::Message& message);
  void on_sync(const PostgresInbox::Message& message);
  bool ask_columns(std::string_view portal, const std::shared_ptr<const StatementInfo>& info);
  void note_origin(const std::shared_ptr<const StatementInfo>& info);
  [[nodiscard]] bool must_wait(const PostgresInbox::Message& message);
  [[nodiscard]] bool will_be_answered() const noexcept;
  [[nodiscard]] bool must_wait_for_answers(postgres::FrontendType type) const noexcept;
  bool take_copy_message(const postgres::Header& header);
  void note_copied_in();
  void make_target_answer();
  void send_on(const PostgresInbox::Message& message);
  bool ask_again();
  void expect(Expected::Kind kind);

  // postgres_verdict.cc
  [[nodiscard]] bool is_readable(std::string_view text, bool is_query);
  /// portal  that is executed; null with a statement's text.
  [[nodiscard]] std::optional<JudgedStatement> judge(std::string_view text,
                                                     const Meaning* portal = nullptr);
  void guard_recording(JudgedStatement& judged) const;
  void begin_recording();
  void guard_execute(JudgedStatement& judged) const;
  void guard_columns(JudgedStatement& judged);
  [[nodiscard]] static bool is_empty(const JudgedStatement& judged) noexcept;
  [[nodiscard]] bool begin_operation(const JudgedStatement& judged, std::uint64_t bytes_in,
                                     Meaning* portal);
  void refuse_statement(const JudgedStatement& judged, bool is_query,
                        std::string_view code = "42501");
  void refuse_message(std::string_view code, std::string_view message, std::string_view hint,
                      bool is_query);
  void queue_refusal(std::string bytes, bool is_query);
  void spoil_transaction();
  audit::Record describe(const JudgedStatement& judged);
  [[nodiscard]] std::string_view fit_for_record(std::string_view text);

  // postgres_holds.cc
  enum class Clearance : std::uint8_t { yes, no, later };
  [[nodiscard]] Clearance clear(JudgedStatement& judged, const Meaning* portal, bool is_query);
  [[nodiscard]] Clearance clear_answered(JudgedStatement& judged, const Meaning* portal,
                                         bool is_query);
  [[nodiscard]] std::string_view hold_fault(const JudgedStatement& judged,
                                            const Meaning* portal) const;
  [[nodiscard]] config::Binding binding_for(const JudgedStatement& judged,
                                            const Meaning* portal) const;
  void hold(const JudgedStatement& judged, const Meaning* portal);
  void refuse_held(config::HoldEnd as, std::string reason);
  void watch_hold();
  void tell_of_hold();
  [[nodiscard]] bool may_be_held();

  // postgres_names.cc
  [[nodiscard]] Meaning* find_meaning(bool is_portal, std::string_view name);
  [[nodiscard]] std::shared_ptr<const Prepared> find_name(bool is_portal, std::string_view name);
  [[nodiscard]] bool is_undecided(bool is_portal, std::string_view name) const noexcept;
  void forget_names(const StatementInfo& info);
  void forget_name(bool is_portal, std::string_view name);
  void forget_names(bool is_portal);

  // postgres_functions.cc
  bool on_function_call(const PostgresInbox::Message& message);
  bool on_function_result(const PostgresInbox::Message& message);

  // postgres_parameters.cc
  [[nodiscard]] bool looks_at_parameters();
  void look_at_parameters(const postgres::Values& values, const postgres::Formats& formats,
                          std::span<const postgres::Oid> types, Meaning& meaning);
  void guard_parameters(JudgedStatement& judged, const Meaning* portal);

  // postgres_limits.cc
  [[nodiscard]] bool keeps_rates(const JudgedStatement& judged, bool is_query);
  [[nodiscard]] ExecutionMeter meter_of(const JudgedStatement& judged, Meaning* portal) const;
  [[nodiscard]] bool waits_for_limited(postgres::FrontendType type) const noexcept;
  [[nodiscard]] bool may_bring(std::uint64_t row_bytes);
  void cut(Operation& operation);
  [[nodiscard]] bool is_cut() const noexcept;
  bool on_reply_after_cut(postgres::BackendType type);
  void end_cut_execution(bool needs_spoil);

  // postgres_pooling.cc
  [[nodiscard]] bool has_target();
  void adopt(std::unique_ptr<PostgresBackend> backend);
  void tell_settings();
  bool note_told(std::string_view name, std::string_view value);
  bool note_renamed(std::string_view name);
  void introduce();
  void let_go();
  [[nodiscard]] bool can_let_go() const noexcept;
  [[nodiscard]] bool replace_dead();
  void leave_target();
  void guard_pool(JudgedStatement& judged) const;
  void note_trace(const StatementInfo& info);
  Bound parse_in_pool(const PostgresInbox::Message& message, std::string_view name,
                      const Prepared& prepared);
  Bound hold_statement(std::string_view name, const Prepared& prepared);
  void send_parse(const Prepared& prepared, ServerStatements::Id id, bool is_named);
  [[nodiscard]] bool make_room_for_statement();
  Handled describe_in_pool(std::string_view name);
  void send_bind(const PostgresInbox::Message& message, const postgres::Bind& bind);
  void on_unanswered(const Expected& expected);

  // postgres_server.cc
  bool read_server();
  bool relay_server_piece();
  bool relay_data(postgres::BackendType kind);
  void pass_data(postgres::BackendType kind);
  bool mask_rows(const matcher::MaskProgram& program);
  bool on_reply(const PostgresInbox::Message& message);
  bool on_report(const PostgresInbox::Message& message);
  bool on_error(bool is_fatal);
  bool on_row(const PostgresInbox::Message& message);
  bool on_notification(const PostgresInbox::Message& message);
  bool on_parameter(const PostgresInbox::Message& message);
  bool on_columns(const PostgresInbox::Message& message, bool has_columns);
  bool on_end_of_execution(const PostgresInbox::Message& message);
  void hold_answer() noexcept;
  void let_answer_go(postgres::BackendType next) noexcept;
  bool on_ready(const PostgresInbox::Message& message);
  bool on_confirmed(const PostgresInbox::Message& message, Expected::Kind kind);
  void settle_name();
  void answer(const PostgresInbox::Message& message);
  [[nodiscard]] bool answers(std::initializer_list<Expected::Kind> kinds) const noexcept;
  void pop_expected();
  void skip_to_sync();
  void end_operation(std::string_view result);
  [[nodiscard]] bool note_rows_in(const PostgresInbox::Message& message);
  void note_row(std::uint64_t row_bytes) noexcept;
  void settle_own_replies();
  void pass_on(const PostgresInbox::Message& message);
  void copy_on(ByteView bytes);
  [[nodiscard]] std::string_view masked(std::string_view text) noexcept;
  [[nodiscard]] RowMasks masks();
  void mask_columns(const postgres::Fields& fields);
  [[nodiscard]] ColumnRules rules_of_expression(const std::shared_ptr<const StatementInfo>& info,
                                                std::size_t column, std::size_t columns,
                                                const matcher::RuleSet& allowed);
  [[nodiscard]] const ReachedRules& reach(const std::shared_ptr<const StatementInfo>& info);
  [[nodiscard]] matcher::RuleSet column_rules(const SnapshotView& view,
                                              const matcher::RuleSet& masks) const;
  [[nodiscard]] matcher::RuleSet masks_in_force() const;
  [[nodiscard]] bool catalog_fits(const SnapshotView& view) const noexcept;
  [[nodiscard]] CatalogCache::Key catalog_key() const;

  // postgres_session.cc
  void end_by_target();
  void say_fatal(std::string_view code, std::string_view message);
  void fail_session(std::string_view code, std::string_view message, std::string_view result);
  void refuse_login(std::string_view code, std::string_view message, std::string_view why);
  void leave(std::string_view why);
  void end(Ending ending);
  void finish_ending();
  [[nodiscard]] bool record_ending(const Ending& ending);
  /// False when the log cannot take it.
  std::optional<std::uint64_t> record_session(std::string_view event, std::string_view detail);
  [[nodiscard]] audit::Record describe_session(std::string_view event, std::string_view detail);
  void close_after_flush();
  void close_now();
  void drop_operations(std::string_view result);
  [[nodiscard]] bool renew_principal();
  void fail_withdrawn();
  [[nodiscard]] const ListenerPlan& plan() const noexcept;
  [[nodiscard]] CancelKey cancel_key() const noexcept;

  PostgresInbox client_inbox_;
  PostgresInbox upstream_inbox_;
  PostgresOutbox client_out_;
  PostgresOutbox upstream_out_;

  SessionRecording recording_;
  PostgresTap tap_{recording_};

  // Login.
  std::optional<SecureChannel> channel_;  ///< By which the client came; nothing: in clear.
  Instant since_;  ///< When the client's connection came, then when the target's did.
  std::string user_;
  std::string database_;
  std::string recorded_database_;              ///< As records may hold it.
  PostgresBackend::Parameters parameters_;     ///< For the target.
  std::unique_ptr<PostgresBackend> backend_;   ///< Once there is a connection to the target.
  std::unique_ptr<ClientScram> client_scram_;  ///< While it is under way.
  Replication replication_ = Replication::none;
  postgres::ProtocolVersion version_;  ///< That the client is served in.
  std::string upstream_text_;          ///< Where that is.
  std::string application_;            ///< What the target knows this session by.
  std::size_t attempts_ = 0;           ///< At reaching the target.
  /// The server connection is another's whenever this session is between transactions.
  bool is_pooled_;
  mutable Fingerprint upstream_key_{};
  mutable std::uint64_t upstream_key_generation_ = 0;  ///< Of the configuration; 0: not computed.
  PostgresBackend::Parameters told_;  ///< The target's settings, as the client knows them.
  ServerStatements::Name held_name_;  ///< Of the statement that is asked about now.

  // Who.
  std::shared_ptr<const identity::ApiKeys> keys_;  ///< That a login by key is proved against.
  std::optional<SessionPrincipal> principal_;      ///< Nothing: nobody is proved yet.
  std::shared_ptr<CertificateProof> certificate_;  ///< That the client showed; never null.
  std::string_view certificate_note_;  ///< Why it did not let the client in, for the record.

  // The conversation.
  RingQueue<Expected> expected_;
  RingQueue<Operation> operations_open_;
  std::size_t prepared_bytes_ = 0;
  std::uint64_t pipeline_ = 0;  ///< Counts the client's Syncs.
  RingQueue<Pending> pending_;
  Names statements_;
  Names portals_;
  /// What PREPARE and DECLARE of this session read, by masks' rules: EXECUTE and FETCH show it.
  matcher::RuleSet named_rules_;
  ColumnReach reach_;
  PostgresRows rows_;
  std::uint64_t client_piece_left_ = 0;  ///< Bytes of a message that passes piece by piece.
  std::uint64_t server_piece_left_ = 0;
  std::array<std::uint32_t, matcher::rules_max>
      mask_counts_{};      ///< Of the operation that is answered.
  std::string described_;  ///< The portal whose rows were asked about last.
  bool has_described_ = false;
  std::uint64_t described_generation_ = 0;  ///< Of the configuration then.
  std::vector<std::uint8_t> report_;        ///< A report, rewritten.
  std::vector<std::uint8_t> scanned_;       ///< A text, with a readable tail.
  std::size_t unflushed_ = 0;               ///< Messages since the target was last made to answer.
  postgres::TransactionStatus status_ = postgres::TransactionStatus::idle;
  Stage stage_ = Stage::startup;
  bool skips_ = false;              ///< The client's messages up to Sync are dropped.
  bool copies_in_ = false;          ///< The target takes CopyData.
  bool rests_ = true;               ///< The target said it is ready, and was sent nothing since.
  bool waits_to_settle_ = false;    ///< What the target answers decides how to go on.
  bool has_prepared_ = false;       ///< By SQL.
  bool names_moved_ = false;        ///< Since then names without a schema may mean something else.
  bool reading_uncertain_ = false;  ///< What a backslash means, until the target is ready.
  bool is_greeted_ = false;
  bool is_pinned_ = false;         ///< It left something in the target's session that it needs.
  bool is_quiet_ = false;          ///< The target was ready, and was asked nothing since.
  bool is_reused_ = false;         ///< The connection was kept for a while: it may be dead.
  bool wants_fresh_ = false;       ///< It was.
  bool is_introduced_ = false;     ///< To the connection it has.
  std::uint32_t discards_ = 0;     ///< How often it gave up what it left behind.
  bool skips_need_spoil_ = false;  ///< The target does not know why they are dropped.
  bool client_piece_drops_ = false;
  bool server_piece_drops_ = false;
  std::optional<Ending> ending_;  ///< It waits for room in the log.
  bool client_ended_ = false;
  bool target_ended_ = false;  ///< It says no more; what it said is still passed on.
  bool target_broke_ = false;
};

}  // namespace sluice::dataplane
