// The loop: polls the transport, hands what happened to sessions, does what they want.
//
// One worker runs one loop on one thread. Only the loop knows connections; a
// template over the transport, so that tests run it on a simulated world.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/worker_log.h"
#include "base/mailbox.h"
#include "config/model/held_operation.h"
#include "dataplane/session/rate_limiter.h"
#include "dataplane/session/session.h"
#include "dataplane/session/snapshot.h"
#include "dataplane/session/worker_context.h"
#include "dataplane/tls/secure_transport.h"
#include "dataplane/transport/transport.h"
#include "dataplane/upstream/health_probe.h"
#include "dataplane/upstream/pool.h"

namespace sluice::dataplane {

/// A client's wish, and which connection of which worker it came by.
struct CancelRequest {
  CancelKey key;
  std::uint32_t worker = 0;
  ConnId client;
};

/// What other threads tell a worker.
struct WorkerMail {
  std::shared_ptr<const Snapshot> snapshot;               ///< Set: judge new operations by it.
  std::shared_ptr<const identity::TokenKeys> token_keys;  ///< Set: prove tokens by them.
  bool drain = false;
  bool stop = false;
  /// A slow credential check is done: for this connection and session.
  ConnId proved;
  identity::KeyVerdict verdict;
  /// Set: an issuer said what a token proves, or could not be asked.
  std::shared_ptr<const TokenAnswer> token_answer;
  /// Whoever's key this is: what runs there is to be cancelled.
  std::optional<CancelRequest> cancel;
  /// What this connection's client wanted to cancel was told to stop, or does not run.
  ConnId cancelled;
  /// Set: somebody asks for the worker's sessions, or about one of them.
  std::shared_ptr<const SessionSurvey> survey;
  std::shared_ptr<const SessionLookup> lookup;
  /// What people made of an operation: for this connection and session.
  ConnId held;
  config::HoldAnswer hold_answer;
};

/// A credential whose check would hold a worker up.
struct ProofRequest {
  std::uint32_t worker = 0;
  ConnId client;
  std::shared_ptr<const identity::ApiKeys> keys;
  std::string credential;
};

struct LoopOptions {
  std::uint32_t worker = 0;
  bool durable = false;
  recordings::Feed* recordings = nullptr;  ///< Outlives the loop; null: nothing is recorded.
  ReplayFilter* replays = nullptr;  ///< All workers'; outlives the loop; null: as in WorkerContext.
  /// Hands a slow check to another thread; the answer comes by mail. False when
  /// too many wait already.
  std::function<bool(ProofRequest)> prove;
  /// A token of the issuer names an unknown key. Waits for nothing; the answer is mail with keys.
  std::function<void(std::string_view issuer)> want_keys;
  /// Has an issuer asked about a token. Waits for nothing; the answer comes by mail. False when it
  /// is asked too often, or about too many.
  std::function<bool(TokenQuestion)> ask_issuer;
  /// Has people decide on an operation; answers come by mail. Waits for nothing.
  std::function<void(ConnId client, config::HeldOperation)> hold;
  /// It waits no longer, whatever was or will be decided. Likewise.
  std::function<void(std::string request, config::HoldEnd)> end_hold;
  /// Brings mail to a worker, which may be this one. False when there is none of that number.
  std::function<bool(std::uint32_t worker, WorkerMail)> post;
  /// Null: clients are given no tickets. Let go of at once.
  std::shared_ptr<const TicketSeed> ticket_seed;
};

template <Transport T>
class Loop {
 public:
  Loop(T& transport, audit::WorkerLog& log, WorkerMetrics& metrics, Mailbox<WorkerMail>& mailbox,
       std::shared_ptr<const Snapshot> snapshot, LoopOptions options);
  ~Loop();

  /// One turn: waits for something to happen, at most `wait`, and deals with it.
  /// False when the loop has stopped.
  bool turn(Duration wait);
  void run();

 private:
  enum class Role : std::uint8_t {
    none,
    introducing,  ///< A proxy, which has yet to say for whom it speaks.
    opening,      ///< A client that may ask for TLS in clear.
    arriving,     ///< A client whose TLS handshake is under way: it has no session yet.
    client,
    upstream,
    idle_upstream,
    settling,  ///< An upstream between two sessions: it is reset, or a cancel is under way.
    probe,
    canceller,  ///< Brings a target one packet.
    gone,
  };
  struct AwaitsIssuer {
    ConnId client;
    Fingerprint token;
  };
  struct Connection {
    ConnId id;
    /// Of opening, arriving, connecting, idling, probing or cancelling; a client's session has
    /// nothing to do before, unless something happens.
    Instant deadline;
    std::unique_ptr<Session> session;  ///< Clients.
    Role role = Role::none;
    bool receiving = false;
    bool sending = false;
    bool connecting = false;  ///< Until it stands, TLS included.
    bool shut = false;
    bool waits_for_log = false;
    bool waits_for_buffers = false;
    bool waits_for_durable = false;
    bool may_splice = false;       ///< Is in may_splice_.
    bool is_direct_tls = false;    ///< Arriving: it did not ask in clear before.
    bool awaits_tls = false;       ///< To targets: they were asked for TLS in clear.
    ConnId other;                  ///< A client's or canceller's upstream, an upstream's client.
    UpstreamPool* pool = nullptr;  ///< Upstreams.
    std::unique_ptr<UpstreamState> state;  ///< Upstreams: what sessions know of it.
    UpstreamPool* awaited = nullptr;       ///< Clients: where they wait for an upstream.
    std::uint16_t listener = 0;            ///< Clients: where, and who.
    Endpoint peer{};
    WallTime since;                 ///< Clients.
    std::uint32_t cancels = 0;      ///< Upstreams: under way.
    bool is_resetting = false;      ///< Upstreams: a reset was asked for.
    bool may_be_cancelled = false;  ///< Upstreams: by a cancel that went astray.
    std::size_t address = 0;
    std::unique_ptr<HealthProbe> probe;
    /// Of cancellers; of proxies and who is opening, what came so far.
    std::vector<std::uint8_t> packet;
    /// To targets: a header of the PROXY protocol that is being sent, before all else.
    std::vector<std::uint8_t> header;
    ConnId spoken_for;               ///< Upstreams: the client whom that named.
    std::uint32_t asker_worker = 0;  ///< Cancellers: who waits for its end.
    ConnId asker;
    std::array<BufferId, slices_per_send_max> lent{};  ///< Held while the transport sends.
    std::uint8_t lent_count = 0;
  };
  /// At its front, what a sweep reads of a connection at rest: all up to its role.
  static constexpr std::size_t resting_bytes = 32;

  void handle(const Completion& completion);
  void prefetch(const Completion& completion) const noexcept;
  void prefetch_session(const Completion& completion) const noexcept;
  void on_accepted(const Completion& completion);
  void arrive(Connection& client);
  [[nodiscard]] bool may_shake_hands(const Connection& client);
  void begin_session(Connection& client);
  void begin_handshake(Connection& connection);
  void on_opening_bytes(Connection& client, const Completion& completion);
  void answer_request(Connection& client, bool is_for_tls);
  void on_request_answered(Connection& client);
  void begin_in_clear(Connection& client, const Completion& completion);
  void refuse_early_bytes(Connection& connection, const Completion& completion);
  void ask_for_tls(Connection& connection);
  void on_tls_answer(Connection& connection, const Completion& completion);
  void await_introduction(Connection& client, const config::ProxySource& proxies);
  void on_introduction_bytes(Connection& client, const Completion& completion);
  void refuse_introduction(Connection& client);
  void on_connected(Connection& connection);
  [[nodiscard]] bool introduce(Connection& connection);
  void on_introduced(Connection& connection);
  [[nodiscard]] bool is_orphan(const Connection& upstream) noexcept;
  void on_secured(Connection& connection);
  void on_ready(Connection& connection);
  void on_received(Connection& connection, const Completion& completion);
  void on_ended(Connection& connection, bool is_broken);
  void on_closed(Connection& connection);
  void on_sent(Connection& connection);
  void on_spliced(Connection& connection, std::uint64_t size_bytes);
  void on_probe_bytes(Connection& probe, const Completion& completion);
  void end_probe(Connection& probe, bool ok);

  void settle(Connection& client);
  void grant_wishes(Connection& client);
  void acquire_upstream(Connection& client);
  [[nodiscard]] bool lend_upstream(Connection& client);
  [[nodiscard]] Connection* take_idle(UpstreamPool::Address& address, const Fingerprint& key,
                                      ConnId spoken_for);
  void make_room(UpstreamPool& pool, const config::Target& target);
  void wait_for_upstream(Connection& client, UpstreamPool& pool);
  void stop_waiting(Connection& client);
  void serve_waiting();
  void expire_waiting(UpstreamPool& pool);
  void keep_upstream(Connection& client);
  void settle_upstream(Connection& upstream);
  void on_reset_bytes(Connection& upstream, const Completion& completion);
  void close(Connection& connection);
  void say_end(Connection& connection);
  void on_handshake_failed(Connection& connection, TlsFault fault);
  void note_failed_handshake(const Connection& connection, TlsFault fault);
  void close_upstream(Connection& client);
  void pass_on_cancel(Connection& client);
  void pass_on_holds(Connection& client);
  [[nodiscard]] SessionSummary summary_of(const Connection& client) const;
  void answer_survey(const SessionSurvey& survey);
  void answer_lookup(const SessionLookup& lookup);
  void kill(Connection& client);
  void cancel(const CancelRequest& request);
  [[nodiscard]] bool begin_cancel(const CancelRequest& request);
  [[nodiscard]] bool bring_cancel(Connection& client, CancelOrder order, std::uint32_t asker_worker,
                                  ConnId asker);
  void answer_cancel(std::uint32_t worker, ConnId client);
  void end_cancel(Connection& canceller, bool is_done);
  void give_up_connecting(Connection& upstream, UpstreamTrouble trouble);
  void flush(Connection& connection, SliceQueue& queue);
  [[nodiscard]] bool may_leave(Connection& connection, const SliceQueue& queue);
  void note_splice(Connection& client);
  void begin_splices();
  void set_receiving(Connection& connection, bool wanted);
  void give_back_lent(Connection& connection);
  void read(const WorkerMail& mail);
  void adopt(std::shared_ptr<const Snapshot> snapshot);
  void adopt_certificates(const Snapshot& snapshot);
  [[nodiscard]] UpstreamPool& pool_for(const TargetPlan& target);
  void retire_views();
  [[nodiscard]] Duration idle_timeout_of(const UpstreamPool& pool) const;
  void begin_sweep();
  void sweep_on();
  void sweep(Connection& connection);
  void check_health();
  void resume_waiting();
  void resume_waiting_for_buffers();
  void resume_waiting_for_durable();
  void await_keys(Connection& client);
  void resume_waiting_for_keys();
  void ask_issuer(Connection& client);
  void take_answer(const TokenAnswer& answer);
  void stop_releasing();

  [[nodiscard]] Connection* find(ConnId id) noexcept;
  Connection& client_of(const Connection& upstream) noexcept;
  Connection& open(ConnId id, Role role) noexcept;

  SecureTransport<T> transport_;
  WorkerContext context_;
  Mailbox<WorkerMail>& mailbox_;
  LoopOptions options_;
  std::vector<Connection> connections_;
  std::vector<std::uint32_t> live_;           ///< Indices in use, any order.
  std::vector<std::uint32_t> live_position_;  ///< Where in live_ an index stands.
  std::vector<std::unique_ptr<UpstreamPool>> pools_;
  std::vector<std::unique_ptr<SnapshotView>> views_;  ///< The last is current.
  /// By listener, for who arrives; null: in clear.
  std::shared_ptr<TicketKeys> ticket_keys_;
  std::vector<std::shared_ptr<const TlsContext>> listener_tls_;
  /// By source; beside that of principals, which a flood of addresses must not fill.
  RateLimiter handshakes_{context_.fingerprint_key};
  std::vector<ConnId> waiting_for_log_;
  std::vector<ConnId> waiting_for_buffers_;
  std::vector<ConnId> waiting_for_durable_;
  std::vector<ConnId> waiting_for_keys_;
  std::vector<AwaitsIssuer> waiting_for_issuer_;
  std::vector<ConnId> may_splice_;
  std::vector<ConnId> durable_again_;  ///< Reused, so that waiting allocates nothing.
  std::uint64_t durable_through_ = 0;  ///< What may leave without waiting.
  std::array<Completion, 256> done_;
  Instant next_sweep_;
  std::size_t sweep_size_ = 0;            ///< So many there were when the sweep began,
  std::size_t to_sweep_ = 0;              ///< so many at the front of live_ are not looked at yet.
  bool is_log_broken_ = false;            ///< What was under way then has been ended.
  Instant next_handshake_note_;           ///< Failed handshakes are recorded once a second,
  std::uint64_t unnoted_handshakes_ = 0;  ///< and those between are counted.
  std::uint64_t session_counter_ = 0;
  bool stopping_ = false;
};

}  // namespace sluice::dataplane
