// One client connection, as the loop sees it: whatever protocol it speaks.
//
// Sans-IO: it is told what arrived and when, and says what it wants. The loop
// owns sockets, clock and upstream connections.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fingerprint.h"
#include "base/prefetch.h"
#include "dataplane/session/pending_hold.h"
#include "dataplane/session/session_log.h"
#include "dataplane/session/session_summary.h"
#include "dataplane/session/upstream_state.h"
#include "dataplane/session/worker_context.h"
#include "dataplane/slice_queue.h"
#include "dataplane/tls/secure_channel.h"
#include "identity/api_keys.h"

namespace sluice::dataplane {

/// Why the target could not be used.
enum class UpstreamTrouble : std::uint8_t {
  no_address,  ///< None is healthy, or all connections are in use.
  connect_failed,
  connect_timeout,
  untrusted,     ///< It showed a certificate that is not accepted.
  tls_failed,    ///< It stands, and no TLS could be spoken.
  queue_full,    ///< All are in use, and too many sessions wait already.
  wait_timeout,  ///< None became free in time.
};

/// Why a credential was refused that nobody looked at, in records.
inline constexpr std::string_view too_many_failures = "too_many_failures";

/// Told to clients while the log is broken.
inline constexpr std::string_view log_refusal = "the audit log cannot take a record";

/// As newer clients and servers have it.
inline constexpr std::size_t cancel_secret_bytes_max = 32;

/// What a client may show later, on another connection, to cancel what it runs.
struct CancelKey {
  std::uint32_t process = 0;  ///< Names the session; see cancel_process().
  std::array<std::uint8_t, cancel_secret_bytes_max> secret{};
  std::uint8_t secret_bytes = 4;
  friend bool operator==(const CancelKey&, const CancelKey&) = default;
};

/// Which worker a cancel key's session lives on is written into its number.
inline constexpr unsigned cancel_session_bits = 20;

/// What a worker sends a target to cancel what runs on a session's upstream.
using CancelOrder = std::vector<std::uint8_t>;

class Session {
 public:
  virtual ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // What happened. The worker's clock is current.
  virtual void on_client_bytes(BufferId buffer,
                               std::uint32_t size_bytes) = 0;  ///< Takes over one hold.
  virtual void on_client_end() = 0;                            ///< The client will send no more.
  virtual void on_client_lost() = 0;                           ///< The connection broke.
  virtual void on_client_sent() = 0;
  /// state    what a session left with the connection; null when it is a new one.
  /// channel  of a new connection that speaks TLS.
  virtual void on_upstream_ready(std::size_t address, bool reused,
                                 std::unique_ptr<UpstreamState> state,
                                 std::optional<SecureChannel> channel) = 0;
  virtual void on_upstream_trouble(UpstreamTrouble trouble) = 0;
  virtual void on_upstream_bytes(BufferId buffer, std::uint32_t size_bytes) = 0;
  virtual void on_upstream_end() = 0;
  virtual void on_upstream_lost() = 0;
  virtual void on_upstream_sent() = 0;
  /// Bytes of the one went to the other as `splices` allowed.
  virtual void on_client_spliced(std::uint64_t /*size_bytes*/) {}
  virtual void on_upstream_spliced(std::uint64_t /*size_bytes*/) {}
  virtual void on_proof(const identity::KeyVerdict& verdict) = 0;
  virtual void on_no_proof() = 0;  ///< Too many checks are under way.
  /// What its token is proved by, keys or what the issuer says, is newer than when it asked.
  virtual void on_token_news() {}
  /// Of an operation that waits for people, if it still does.
  virtual void on_hold_answer(const config::HoldAnswer& /*answer*/) {}
  virtual void on_log_room() = 0;  ///< The audit ring may have room again.
  /// The log takes no records: what is under way ends here.
  virtual void on_log_broken() = 0;
  virtual void on_buffers() {}  ///< Buffers that it waited for may be free.
  virtual void on_tick() = 0;   ///< Now and then: deadlines.
  /// It needs no tick before, unless something else happens or the configuration changes.
  [[nodiscard]] virtual Instant rests_until() const noexcept = 0;
  virtual void on_drain() = 0;
  /// An operator ends it: what is under way ends here, and its client is told why.
  /// returns  what stops what runs at the target; empty: nothing does.
  [[nodiscard]] virtual CancelOrder on_kill() = 0;
  /// Somebody shows this key: an order when it is this session's; an empty one when the
  /// target has nothing to do with what was cancelled.
  virtual std::optional<CancelOrder> on_cancel(const CancelKey& /*key*/) { return std::nullopt; }
  /// What its client wanted to cancel was told to stop, or does not run.
  virtual void on_cancel_settled() {}

  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  /// Whose it is and what it does.
  void describe(SessionSummary& summary) const;

  // What it wants. The loop looks after each event.
  enum class UpstreamWish : std::uint8_t { none, acquire, keep, discard };
  /// acquire: an upstream for target(); keep: back to the pool; discard: close it,
  /// or stop making it. Ask until there is none.
  [[nodiscard]] UpstreamWish take_upstream_wish() noexcept;
  /// What goes with the upstream that it keeps: take it, once.
  [[nodiscard]] std::unique_ptr<UpstreamState> take_upstream_state() noexcept {
    return std::move(parting_);
  }
  enum class ClientEnd : std::uint8_t { open, after_flush, now };
  [[nodiscard]] ClientEnd client_end() const noexcept { return client_end_; }
  /// After the flush, read on until the client ends too: it may still be sending,
  /// and a close would destroy the answer on its way (RFC 9112 §9.6).
  [[nodiscard]] bool lingers() const noexcept { return lingers_; }
  [[nodiscard]] virtual bool wants_client_bytes() const noexcept = 0;
  [[nodiscard]] virtual bool wants_upstream_bytes() const noexcept = 0;
  /// So many of the next bytes may go from one connection to the other without being seen
  /// here, where that can be done.
  struct Splices {
    std::uint64_t to_client_bytes = 0;
    std::uint64_t to_upstream_bytes = 0;
  };
  [[nodiscard]] virtual Splices splices() const noexcept { return {}; }
  /// A credential needs slow proof: take it, once.
  [[nodiscard]] bool wants_proof() const noexcept { return !proof_wish_.empty(); }
  [[nodiscard]] std::string take_proof_wish() noexcept;
  /// A token names a key of this issuer's that is not known: take it, once.
  [[nodiscard]] bool wants_keys() const noexcept { return !keys_wish_.empty(); }
  [[nodiscard]] std::string take_keys_wish() noexcept { return std::exchange(keys_wish_, {}); }
  /// Only its issuer can read the token that it was shown: take the question, once.
  [[nodiscard]] bool wants_issuer() const noexcept { return token_question_ != nullptr; }
  [[nodiscard]] std::unique_ptr<TokenQuestion> take_token_question() noexcept {
    return std::move(token_question_);
  }
  /// The table that the proof is about.
  [[nodiscard]] virtual std::shared_ptr<const identity::ApiKeys> keys() const noexcept = 0;
  /// The client shows the key of another session, to cancel what that runs: take it, once.
  [[nodiscard]] std::optional<CancelKey> take_cancel_wish() noexcept {
    return std::exchange(cancel_wish_, std::nullopt);
  }
  [[nodiscard]] bool has_hold_news() const noexcept { return has_hold_news_; }
  /// An operation is to wait for people: take it, once.
  [[nodiscard]] std::unique_ptr<config::HeldOperation> take_hold_wish() noexcept;
  /// One waits no longer: take that, once.
  [[nodiscard]] std::unique_ptr<EndedHold> take_ended_hold() noexcept;
  /// What waits for people is over, whatever comes of it; nothing when nothing waits.
  void end_hold(config::HoldEnd how) {
    if (hold_ != nullptr) drop_hold(how);
  }
  [[nodiscard]] bool waits_for_log() const noexcept { return waits_for_log_; }
  /// It must not go before the log has room for its last record.
  [[nodiscard]] virtual bool owes_record() const noexcept { return false; }
  /// Until so many buffers are free; 0: it waits for none.
  [[nodiscard]] std::size_t buffers_awaited() const noexcept { return buffers_awaited_; }
  /// The pooled connection it had was dead; it must not get another pooled one.
  [[nodiscard]] virtual bool wants_fresh_upstream() const noexcept = 0;

  /// Of what its upstreams were kept with. All zero: upstreams carry no state.
  [[nodiscard]] virtual Fingerprint upstream_key() const noexcept { return {}; }
  /// When all of the target's connections are in use it waits for one.
  [[nodiscard]] virtual bool may_wait_for_upstream() const noexcept { return false; }

  SliceQueue& to_client() noexcept { return to_client_; }
  /// Some of what is for the client is not in to_client() yet: no buffer was free for it.
  [[nodiscard]] virtual bool has_more_for_client() const noexcept { return false; }
  SliceQueue& to_upstream() noexcept { return to_upstream_; }

  /// Of the operation that wished for an upstream.
  [[nodiscard]] virtual UpstreamPool& upstream_pool() noexcept = 0;
  [[nodiscard]] virtual const config::Target& target() const noexcept = 0;
  /// It will be told something soon.
  void prefetch() const noexcept { prefetch_lines(this, prefetched_bytes); }

 protected:
  Session(WorkerContext& worker, std::uint16_t listener, const Endpoint& peer,
          std::uint64_t session_number);

  enum class Upstream : std::uint8_t { none, wanted, attached };

  /// What only its protocol knows. But for `held` and `ending`, the state is this one's to say.
  virtual void describe_own(SessionSummary& summary) const = 0;

  /// Lets go of the upstream, or stops asking for one.
  void release_upstream(UpstreamWish wish, std::unique_ptr<UpstreamState> state = nullptr);
  void acquire_upstream() noexcept;
  /// Whether a credential may be looked at; else too many of the same source's proved nobody.
  [[nodiscard]] bool may_try_proof(const Snapshot& snapshot) noexcept;
  void note_failed_proof(const Snapshot& snapshot) noexcept;
  /// Whether newer keys of its issuer may yet prove a token; then they are asked for, and
  /// on_token_news() says when to prove it again.
  [[nodiscard]] bool awaits_keys(const TokenProofs::Answer& answer);
  /// Whether its issuer must say what a token proves: then it is asked, and likewise.
  [[nodiscard]] bool awaits_issuer(const TokenProofs::Answer& answer, std::string_view token,
                                   const Fingerprint& print, const Snapshot& snapshot);
  [[nodiscard]] bool is_awaiting_news() const noexcept {
    return attempts_before_.has_value() || awaits_issuer_;
  }
  /// From now on `what` waits for people.
  void begin_hold(std::unique_ptr<config::HeldOperation> what);
  /// Whoever keeps the request goes on without this session.
  void forget_hold() noexcept { hold_ = nullptr; }
  [[nodiscard]] bool is_held() const noexcept { return hold_ != nullptr && !hold_->answer; }
  /// Whether the log takes any record now, or never again; otherwise it waits for that.
  [[nodiscard]] bool may_record() noexcept;
  [[nodiscard]] bool is_scarce() const noexcept;
  /// How much may wait for a peer before the other is read no further.
  [[nodiscard]] std::size_t backlog_bytes_max() const noexcept;
  // With durable release nothing of an operation goes on before its intent is durable,
  // and the last bytes of its answer not before its outcome is.
  void send_on_after(std::uint64_t intent) noexcept {
    if (worker_.durable) to_upstream_.set_gate(intent);
  }
  void answer_after(std::uint64_t record) noexcept {
    if (worker_.durable) to_client_.set_gate(record);
  }
  /// Of a record that is no outcome: an answer that waits for its own goes on waiting.
  void tell_after(std::uint64_t record) noexcept {
    if (worker_.durable) to_client_.raise_gate(record);
  }
  /// Whether all that was answered so far may leave.
  [[nodiscard]] bool may_answer() const noexcept {
    return to_client_.may_leave(worker_.log.durable_through());
  }
  void note_progress() noexcept { last_progress_ = worker_.now.monotonic; }

  WorkerContext& worker_;
  SessionLog log_;
  SliceQueue to_client_;
  SliceQueue to_upstream_;
  std::string peer_text_;
  std::string source_;  ///< Of the peer, as limits by source count it.
  std::string proof_wish_;
  std::optional<CancelKey> cancel_wish_;
  std::unique_ptr<PendingHold> hold_;  ///< At most one operation waits for people.
  std::uint64_t number_;
  std::uint64_t operations_ = 0;
  Instant last_progress_;
  std::uint16_t listener_;
  Upstream upstream_ = Upstream::none;
  ClientEnd client_end_ = ClientEnd::open;
  bool lingers_ = false;
  bool waits_for_log_ = false;
  bool has_hold_news_ = false;
  std::uint8_t buffers_awaited_ = 0;

 private:
  void drop_hold(config::HoldEnd how);

  static constexpr std::size_t prefetched_bytes = 1664;  ///< An HttpSession, whole lines.

  std::string keys_wish_;
  /// Set while a token waits for newer keys: the attempts to fetch them when it began to.
  std::optional<std::uint64_t> attempts_before_;
  std::unique_ptr<TokenQuestion> token_question_;
  std::unique_ptr<UpstreamState> parting_;
  std::unique_ptr<EndedHold> ended_hold_;
  UpstreamWish wish_ = UpstreamWish::none;
  bool acquires_ = false;  ///< An upstream is wished for and not yet asked for.
  bool awaits_issuer_ = false;
};

/// A session that speaks what the listener speaks.
/// channel  by which the client came; nothing: in clear.
std::unique_ptr<Session> make_session(WorkerContext& worker, std::uint16_t listener,
                                      const Endpoint& peer, std::uint64_t session_number,
                                      std::optional<SecureChannel> channel);

}  // namespace sluice::dataplane
