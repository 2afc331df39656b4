// One client connection speaking HTTP/1.1: the place where the rooms meet.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/record.h"
#include "base/instant.h"
#include "dataplane/inbox.h"
#include "dataplane/session/certificate_proof.h"
#include "dataplane/session/exchange.h"
#include "dataplane/session/heads.h"
#include "dataplane/session/http_actions.h"
#include "dataplane/session/refusal.h"
#include "dataplane/session/session.h"
#include "dataplane/session/session_recording.h"
#include "identity/dpop.h"
#include "identity/proven_credential.h"

namespace sluice::dataplane {

class HttpSession final : public Session {
 public:
  /// certificate  that the client showed; null: none.
  HttpSession(WorkerContext& worker, std::uint16_t listener, const Endpoint& peer,
              std::uint64_t session_number, std::shared_ptr<const PeerCertificate> certificate);
  ~HttpSession() override;

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
  void on_client_spliced(std::uint64_t size_bytes) override;
  void on_upstream_spliced(std::uint64_t size_bytes) override;
  void on_proof(const identity::KeyVerdict& verdict) override;
  void on_no_proof() override;
  void on_token_news() override;
  void on_hold_answer(const config::HoldAnswer& answer) override;
  void on_log_room() override;
  void on_log_broken() override;
  void on_buffers() override;
  void on_tick() override;
  [[nodiscard]] Instant rests_until() const noexcept override;
  void on_drain() override;
  [[nodiscard]] CancelOrder on_kill() override;

  [[nodiscard]] bool wants_client_bytes() const noexcept override;
  [[nodiscard]] bool wants_upstream_bytes() const noexcept override;
  [[nodiscard]] Splices splices() const noexcept override;
  [[nodiscard]] std::shared_ptr<const identity::ApiKeys> keys() const noexcept override;
  [[nodiscard]] bool wants_fresh_upstream() const noexcept override;
  [[nodiscard]] UpstreamPool& upstream_pool() noexcept override;
  [[nodiscard]] const config::Target& target() const noexcept override;

 private:
  void describe_own(SessionSummary& summary) const override;
  [[nodiscard]] bool is_idle() const noexcept;  ///< Between requests, with nothing left to say.

  enum class Stage : std::uint8_t {
    head,      ///< Between requests, or inside a head.
    proof,     ///< A slow check is under way, newer keys are fetched, or an issuer is asked.
    inspect,   ///< The body is held until it was scanned whole.
    judge,     ///< The whole body is here.
    hold,      ///< People decide.
    body,      ///< Relaying the request body.
    response,  ///< The request is complete; the response is not.
    discard,   ///< Reading past the body of a refused request.
    closing,   ///< Nothing more is understood from this client.
  };
  struct Judged;
  struct Piece {
    Collected collected;
    BufferId buffer = no_buffer;
  };

  void advance();
  void identify_again();

  // http_request.cc: the client's side.
  bool read_head();
  void take_up_limits();
  bool wait_for_more(std::size_t bytes_max);
  void begin(const http1::RequestHead& head, std::size_t head_bytes);
  void answer_expectation(const http1::RequestHead& head);
  [[nodiscard]] ActionRoom action_room() noexcept;
  bool must_gather(const http1::RequestHead& head, std::size_t head_bytes, const Judged& judged);
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

  // http_proof.cc: who calls.
  bool identify(const http1::RequestHead& head, Judged& judged);
  bool identify_without_credential(const http1::RequestHead& head, Judged& judged,
                                   const CertificateProof::Answer& certificate);
  bool refuse_certificate(const http1::RequestHead& head, Judged& judged,
                          identity::CertificateFault fault);
  bool identify_by_token(const http1::RequestHead& head, Judged& judged,
                         const identity::Credential& credential);
  [[nodiscard]] identity::TokenFault check_dpop(const identity::DpopProof& proof,
                                                const http1::RequestHead& head,
                                                const http1::Target& target,
                                                std::string_view token);
  bool refuse_token(const http1::RequestHead& head, Judged& judged, identity::TokenFault fault);
  bool refuse_unproved(const http1::RequestHead& head, const Judged& judged,
                       std::string_view detail);
  bool refuse_unseen(const http1::RequestHead& head, Judged& judged);
  bool refuse_outdated(const http1::RequestHead& head, const Judged& judged);
  std::optional<identity::KeyVerdict> prove(const http1::RequestHead& head, Judged& judged,
                                            std::string_view secret);
  void note_principal(const config::Principal& who);

  // http_gathering.cc: what is read whole before it is judged.
  void gather_body(const http1::RequestHead& head, std::size_t head_bytes);
  bool inspect_body();
  [[nodiscard]] bool judge_held_body();
  [[nodiscard]] std::optional<config::Ruling> judge_body(const http1::RequestHead& head,
                                                         Judged& judged);

  // http_holds.cc: what people decide on.
  [[nodiscard]] bool is_cleared(const http1::RequestHead& head, const Judged& judged,
                                const config::Ruling& ruling);
  [[nodiscard]] bool is_approved(const http1::RequestHead& head, const Judged& judged,
                                 const config::Ruling& ruling);
  void ask_people(const http1::RequestHead& head, const Judged& judged,
                  const config::Ruling& ruling, const std::string& ticket);
  void await_people(std::unique_ptr<config::HeldOperation> what);
  bool take_up_held();
  void refuse_held(config::HoldEnd as, std::string reason);
  void watch_hold();
  void tell_to_come_again(const http1::RequestHead& head, const Judged& judged,
                          const config::Ruling& ruling);
  void look_at_request(const http1::RequestHead& head, const Judged& judged);
  void tell_state(const http1::RequestHead& head, const Judged& judged);
  void answer_held(const http1::RequestHead& head, const audit::Record& record, Refusal reply);
  [[nodiscard]] config::Binding binding_for(const http1::RequestHead& head, const Judged& judged,
                                            const std::vector<config::HoldRule>& rules);

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

  // http_recording.cc
  void begin_recording(std::string_view principal);
  void record_request(const http1::RequestHead& head, const audit::Record& record);
  void record_request_piece(const Settled& settled);
  void record_response(const http1::ResponseHead& head);
  void record_response_piece(const Settled& settled);

  // http_splice.cc: what need not pass the session.
  [[nodiscard]] std::uint64_t spliceable_request_bytes() const noexcept;
  [[nodiscard]] std::uint64_t spliceable_response_bytes() const noexcept;

  // http_session.cc: what both sides need, and endings.
  std::optional<ByteView> encode_trailers(std::span<const http1::Field> trailers,
                                          const matcher::RuleSet& masks, bool from_client);
  void answer(Refusal refusal, std::optional<std::uint64_t> record);
  void fail_exchange(std::uint16_t status, std::string_view result, std::string_view detail);
  std::span<const audit::MaskCount> count_masks() noexcept;
  std::uint64_t record_outcome(std::string_view result);
  void finish_exchange();
  void drop_exchange();
  void close_after_flush(bool linger);
  void close_now();
  [[nodiscard]] bool is_starved() const noexcept;
  [[nodiscard]] bool may_read_head() const noexcept;
  void park_head();
  void unpark_head(BufferId buffer, std::uint32_t size_bytes);
  void end_with_client();

  [[nodiscard]] bool may_add_to_recording() noexcept;
  [[nodiscard]] const ListenerPlan& plan() const noexcept;
  void give_up_retry_if_scarce() noexcept;
  [[nodiscard]] bool has_slots_for_piece() noexcept;

  std::unique_ptr<Exchange> exchange_;
  SessionRecording recording_;
  Inbox client_inbox_;
  std::vector<std::uint8_t> parked_;  ///< The start of a head, while buffers are scarce.
  Inbox upstream_inbox_;
  Inbox held_;  ///< Payload of a held body, decoded.
  BufferId held_head_ = no_buffer;
  std::uint32_t held_head_bytes_ = 0;
  std::uint64_t held_bytes_ = 0;
  std::uint64_t discarded_bytes_ = 0;
  http1::RequestDecoder decoder_;
  std::uint64_t decoder_generation_;   ///< Of the configuration whose limits the decoder keeps.
  Instant head_since_;                 ///< When the first byte of the current head came.
  std::size_t unread_head_bytes_ = 0;  ///< Of a decoded head that still stands in the inbox.
  std::size_t gather_bytes_ = 0;       ///< read_head waits until so many bytes lie side by side.
  identity::KeyVerdict proof_;         ///< Answer to the last proof wish, used once.
  identity::ProvenCredential proven_;
  CertificateProof certificate_;
  Stage stage_ = Stage::head;
  bool has_proof_ = false;
  bool upstream_reused_ = false;
  bool continue_answered_ = false;
  bool client_ended_ = false;
  // Whom it was proved by last, and who vouched: for people, and so behind what is prefetched.
  std::string subject_;
  std::string issuer_;
};

}  // namespace sluice::dataplane
