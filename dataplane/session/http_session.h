// One client connection speaking HTTP/1.1: the place where the rooms meet.
//
// Sans-IO: it is told what arrived and when, and says what it wants. The loop
// owns sockets, clock and upstream connections.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/record.h"
#include "base/instant.h"
#include "base/prefetch.h"
#include "dataplane/inbox.h"
#include "dataplane/session/exchange.h"
#include "dataplane/session/heads.h"
#include "dataplane/session/refusal.h"
#include "dataplane/session/worker_context.h"
#include "dataplane/slice_queue.h"
#include "identity/api_keys.h"
#include "identity/proven_credential.h"

namespace sluice::dataplane {

/// Why the target could not be used.
enum class UpstreamTrouble : std::uint8_t {
  no_address,  ///< None is healthy, or all connections are in use.
  connect_failed,
  connect_timeout,
};

class HttpSession {
 public:
  HttpSession(WorkerContext& worker, std::uint16_t listener, const Endpoint& peer,
              std::uint64_t session_number);
  ~HttpSession();
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  // What happened. `worker.now` is current.
  void on_client_bytes(BufferId buffer, std::uint32_t size_bytes);  ///< Takes over one hold.
  void on_client_end();   ///< The client will send no more.
  void on_client_lost();  ///< The connection broke.
  void on_client_sent();
  void on_upstream_ready(std::size_t address, bool reused);
  void on_upstream_trouble(UpstreamTrouble trouble);
  void on_upstream_bytes(BufferId buffer, std::uint32_t size_bytes);
  void on_upstream_end();
  void on_upstream_lost();
  void on_upstream_sent();
  void on_proof(const identity::KeyVerdict& verdict);
  void on_no_proof();  ///< Too many checks are under way.
  void on_log_room();  ///< The audit ring may have room again.
  void on_tick();      ///< Now and then: deadlines.
  void on_drain();

  // What it wants. The loop looks after each event.
  enum class UpstreamWish : std::uint8_t { none, acquire, keep, discard };
  /// acquire: an upstream for target(); keep: back to the pool; discard: close it,
  /// or stop making it. Ask until there is none.
  [[nodiscard]] UpstreamWish take_upstream_wish() noexcept;
  enum class ClientEnd : std::uint8_t { open, after_flush, now };
  [[nodiscard]] ClientEnd client_end() const noexcept { return client_end_; }
  /// After the flush, read on until the client ends too: it may still be sending,
  /// and a close would destroy the answer on its way (RFC 9112 §9.6).
  [[nodiscard]] bool lingers() const noexcept { return lingers_; }
  /// An operation is under way.
  [[nodiscard]] bool has_exchange() const noexcept { return exchange_ != nullptr; }
  [[nodiscard]] bool wants_client_bytes() const noexcept;
  [[nodiscard]] bool wants_upstream_bytes() const noexcept;
  /// A credential needs slow proof: take it, once.
  [[nodiscard]] bool wants_proof() const noexcept { return !proof_wish_.empty(); }
  [[nodiscard]] std::string take_proof_wish() noexcept;
  /// The table that the proof is about.
  [[nodiscard]] std::shared_ptr<const identity::ApiKeys> keys() const noexcept;
  [[nodiscard]] bool waits_for_log() const noexcept { return waits_for_log_; }
  /// The pooled connection it had was dead; it must not get another pooled one.
  [[nodiscard]] bool wants_fresh_upstream() const noexcept;

  SliceQueue& to_client() noexcept { return to_client_; }
  SliceQueue& to_upstream() noexcept { return to_upstream_; }
  /// Durable release: these sequence numbers must be durable before bytes leave.
  [[nodiscard]] std::uint64_t client_gate() const noexcept { return client_gate_; }
  [[nodiscard]] std::uint64_t upstream_gate() const noexcept { return upstream_gate_; }

  /// Of the exchange that wished for an upstream.
  [[nodiscard]] UpstreamPool& upstream_pool() noexcept;
  [[nodiscard]] const config::Target& target() const noexcept;
  [[nodiscard]] std::uint16_t listener() const noexcept { return listener_; }
  /// It will be told something soon.
  void prefetch() const noexcept { prefetch_lines(this, sizeof *this); }

 private:
  enum class Stage : std::uint8_t {
    head,      ///< Between requests, or inside a head.
    proof,     ///< A slow credential check is under way.
    inspect,   ///< The body is held until it was scanned whole.
    body,      ///< Relaying the request body.
    response,  ///< The request is complete; the response is not.
    discard,   ///< Reading past the body of a refused request.
    closing,   ///< Nothing more is understood from this client.
  };
  enum class UpstreamState : std::uint8_t { none, wanted, attached };
  struct Judged;
  struct Piece {
    Collected collected;
    BufferId buffer = no_buffer;
  };

  void advance();

  // http_request.cc: the client's side.
  bool read_head();
  void take_up_limits();
  bool wait_for_more(std::size_t bytes_max);
  void begin(const http1::RequestHead& head, std::size_t head_bytes);
  bool identify(const http1::RequestHead& head, Judged& judged);
  std::optional<identity::KeyVerdict> prove(std::string_view secret);
  bool must_gather(const http1::RequestHead& head, std::size_t head_bytes, const Judged& judged);
  void hold_body(const http1::RequestHead& head, std::size_t head_bytes);
  bool inspect_body();
  void judge_held_body();
  void settle_ruling(const http1::RequestHead& head, Judged& judged, const config::Ruling& ruling);
  void admit(const http1::RequestHead& head, Judged& judged);
  void send_on(Settled settled, ByteView head, const Piece& piece);
  Piece next_request_piece();
  void drop_request_piece();
  bool relay_request_body();
  bool discard_body();
  void consume_head();
  audit::Record describe(const http1::RequestHead& head, const Judged& judged);
  void refuse(const http1::RequestHead& head, const Judged& judged, std::uint16_t status,
              std::string_view rule, std::string_view detail);
  void refuse_unread(std::uint16_t status, std::string_view reason);

  // http_response.cc: the target's side.
  bool read_response();
  bool read_response_head();
  void begin_response(const http1::ResponseHead& head, ByteView received);
  void forward_interim(const http1::ResponseHead& head, ByteView received);
  bool relay_response_body();
  bool end_by_close();
  ResponseHeadRules response_rules(ByteView received) const;
  void release_piece(Settled settled, ByteView head, std::span<const http1::Field> trailer_fields);
  void fail_unmasked(Settled::Fault fault);
  void drop_upstream_and_close();

  // http_session.cc: what both sides need, and endings.
  std::optional<ByteView> encode_trailers(std::span<const http1::Field> trailers,
                                          const matcher::RuleSet& masks, bool from_client);
  void answer(Refusal refusal, std::optional<std::uint64_t> record);
  void fail_exchange(std::uint16_t status, std::string_view result, std::string_view detail);
  std::span<const audit::MaskCount> count_masks() noexcept;
  bool record_outcome(std::string_view result);
  void finish_exchange();
  void drop_exchange();
  void release_upstream(UpstreamWish wish);
  void close_after_flush(bool linger);
  void close_now();
  [[nodiscard]] bool is_starved() const noexcept;
  [[nodiscard]] bool may_read_head() const noexcept;
  void park_head();
  void unpark_head(BufferId buffer, std::uint32_t size_bytes);
  void end_with_client();

  [[nodiscard]] const ListenerPlan& plan() const noexcept;
  [[nodiscard]] bool is_scarce() const noexcept;
  void give_up_retry_if_scarce() noexcept;
  [[nodiscard]] std::size_t backlog_bytes_max() const noexcept;
  void note_progress() noexcept { last_progress_ = worker_.now.monotonic; }

  WorkerContext& worker_;
  std::unique_ptr<Exchange> exchange_;
  SliceQueue to_client_;
  SliceQueue to_upstream_;
  Inbox client_inbox_;
  std::vector<std::uint8_t> parked_;  ///< The start of a head, while buffers are scarce.
  Inbox upstream_inbox_;
  Inbox held_;  ///< Payload of a held body, decoded.
  BufferId held_head_ = no_buffer;
  std::uint32_t held_head_bytes_ = 0;
  std::uint64_t held_bytes_ = 0;
  std::uint64_t discarded_bytes_ = 0;
  http1::RequestDecoder decoder_;
  std::uint64_t decoder_generation_;  ///< Of the configuration whose limits the decoder keeps.
  std::string peer_text_;
  std::uint64_t number_;
  std::uint64_t operations_ = 0;
  std::uint64_t client_gate_ = 0;
  std::uint64_t upstream_gate_ = 0;
  Instant last_progress_;
  Instant head_since_;                 ///< When the first byte of the current head came.
  std::size_t unread_head_bytes_ = 0;  ///< Of a decoded head that still stands in the inbox.
  std::size_t gather_bytes_ = 0;       ///< read_head waits until so many bytes lie side by side.
  std::string proof_wish_;
  identity::KeyVerdict proof_;  ///< Answer to the last proof wish, used once.
  identity::ProvenCredential proven_;
  std::uint16_t listener_;
  Stage stage_ = Stage::head;
  UpstreamState upstream_ = UpstreamState::none;
  UpstreamWish wish_ = UpstreamWish::none;
  ClientEnd client_end_ = ClientEnd::open;
  bool acquires_ = false;  ///< An upstream is wished for and not yet asked for.
  bool has_proof_ = false;
  bool upstream_reused_ = false;
  bool continue_answered_ = false;
  bool client_ended_ = false;
  bool lingers_ = false;
  bool waits_for_log_ = false;
};

}  // namespace sluice::dataplane
