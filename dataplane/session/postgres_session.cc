// Events, endings and deadlines. Logging in is in postgres_login.cc, the client's
// side in postgres_client.cc, what it may do in postgres_verdict.cc, the target's side in
// postgres_server.cc.
#include "dataplane/session/postgres_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "config/load/quantity.h"
#include "dataplane/session/client_scram.h"
#include "dataplane/session/principal_record.h"
#include "dataplane/session/record_id.h"

namespace sluice::dataplane {
namespace {

using config::HoldEnd;

constexpr Duration linger_time = seconds(1);

}  // namespace

PostgresSession::PostgresSession(WorkerContext& worker, std::uint16_t listener,
                                 const Endpoint& peer, std::uint64_t session_number,
                                 std::optional<SecureChannel> channel)
    : Session(worker, listener, peer, session_number),
      client_out_(worker, to_client_),
      upstream_out_(worker, to_upstream_),
      recording_(worker, session_number),
      channel_(std::move(channel)),
      since_(worker.now.monotonic),
      is_pooled_(plan().settings.postgres.mode == config::PoolMode::transaction),
      certificate_(std::make_shared<CertificateProof>(channel_ ? channel_->client : nullptr)) {}

PostgresSession::~PostgresSession() {
  drop_operations("gateway-stopped");
  client_inbox_.clear(worker_);
  upstream_inbox_.clear(worker_);
}

void PostgresSession::on_client_bytes(BufferId buffer, std::uint32_t size_bytes) {
  if (stage_ == Stage::closing) return worker_.pool.release(buffer);
  client_inbox_.push(worker_, buffer, size_bytes);
  note_progress();
  advance();
}

void PostgresSession::on_client_end() {
  // No client half-closes and waits for more; the server does not either.
  client_ended_ = true;
  if (stage_ == Stage::closing && !to_client_.empty()) return;
  on_client_lost();
}

void PostgresSession::on_client_lost() {
  client_ended_ = true;
  leave("the client's connection ended");
}

/// The client is not there any more, or wants no answer.
void PostgresSession::leave(std::string_view why) {
  client_ended_ = true;
  client_out_.clear();
  leave_target();
  drop_operations("client-aborted");
  if (is_greeted_) end({.why = std::string(why)});
  if (!ending_) close_now();
}

void PostgresSession::on_client_sent() {
  client_out_.on_sent();
  note_progress();
  advance();
}

void PostgresSession::on_upstream_ready(std::size_t address, bool reused,
                                        std::unique_ptr<UpstreamState> state,
                                        std::optional<SecureChannel> channel) {
  upstream_ = Upstream::attached;
  attempts_ = 0;
  wants_fresh_ = false;
  is_reused_ = reused;
  if (!is_greeted_) since_ = worker_.now.monotonic;
  // A reload may have given the target other addresses since.
  UpstreamPool& pool = upstream_pool();
  upstream_text_ = address < pool.size() ? pool.address(address).text : std::string();
  note_progress();
  if (reused) {
    // Its key says who kept it.
    adopt(std::unique_ptr<PostgresBackend>(static_cast<PostgresBackend*>(state.release())));
    if (!is_greeted_) on_settings_end();
  } else {
    adopt(std::make_unique<PostgresBackend>(worker_, upstream_key(), std::move(channel)));
    greet_target();
  }
  advance();
}

void PostgresSession::on_upstream_trouble(UpstreamTrouble trouble) {
  upstream_ = Upstream::none;
  // Nothing was sent yet: another address may do.
  const std::size_t attempts_max = std::min<std::size_t>(upstream_pool().size(), 3);
  const bool was_tried =
      trouble == UpstreamTrouble::connect_failed || trouble == UpstreamTrouble::connect_timeout;
  if (was_tried && ++attempts_ < attempts_max) {
    return acquire_upstream();
  }
  switch (trouble) {
    case UpstreamTrouble::no_address:
      return fail_session("08001", "no address of the target can be used now",
                          "upstream-unreachable");
    case UpstreamTrouble::connect_failed:
    case UpstreamTrouble::connect_timeout:
      return fail_session("08001", "the target could not be reached", "upstream-unreachable");
    case UpstreamTrouble::untrusted:
      return fail_session("08001", "the target showed a certificate that is not accepted",
                          "upstream-untrusted");
    case UpstreamTrouble::tls_failed:
      return fail_session("08001", "no TLS could be spoken with the target", "upstream-tls-failed");
    case UpstreamTrouble::queue_full:
      return fail_session("53300",
                          fmt::format("all connections to the target '{}' are in use, and {} "
                                      "sessions wait for one already (queue.sessions)",
                                      target().name, target().queue.sessions_max),
                          "queue-full");
    case UpstreamTrouble::wait_timeout:
      return fail_session(
          "53300",
          fmt::format("no connection to the target '{}' became free within {} "
                      "(queue.wait)",
                      target().name, config::duration_text(target().queue.wait_max)),
          "wait-timeout");
  }
}

void PostgresSession::on_upstream_bytes(BufferId buffer, std::uint32_t size_bytes) {
  if (stage_ == Stage::closing) return worker_.pool.release(buffer);
  upstream_inbox_.push(worker_, buffer, size_bytes);
  note_progress();
  advance();
}

void PostgresSession::on_upstream_end() {
  if (upstream_ == Upstream::none || replace_dead()) return;
  release_upstream(UpstreamWish::discard);
  if (stage_ != Stage::open) {
    return fail_session("08006", "the target closed the connection", "upstream-failed");
  }
  target_ended_ = true;
  advance();
}

/// All that the target said was passed on, its last word too if it had one.
void PostgresSession::end_by_target() {
  drop_operations("upstream-failed");
  release_upstream(UpstreamWish::discard);
  end({.why = "the target closed the connection"});
}

void PostgresSession::on_upstream_lost() {
  if (upstream_ == Upstream::none || replace_dead()) return;
  release_upstream(UpstreamWish::discard);
  if (stage_ != Stage::open) {
    return fail_session("08006", "the connection to the target broke", "upstream-failed");
  }
  target_ended_ = target_broke_ = true;
  advance();
}

void PostgresSession::on_upstream_sent() {
  upstream_out_.on_sent();
  note_progress();
  advance();
}

void PostgresSession::on_proof(const identity::KeyVerdict& verdict) {
  if (stage_ != Stage::slow_proof) return;
  on_verdict(verdict);
  advance();
}

void PostgresSession::on_token_news() {
  if (stage_ != Stage::token_keys) return;
  stage_ = Stage::proof;
  advance();
}

void PostgresSession::on_no_proof() {
  refuse_login("53300", "too many credentials are being checked; try again", "busy");
}

void PostgresSession::on_log_room() {
  waits_for_log_ = false;
  if (ending_) return finish_ending();
  advance();
}

void PostgresSession::on_log_broken() {
  if (!operations_open_.empty() || !may_answer()) fail_session("57P03", log_refusal, "log-failed");
  if (!may_answer()) close_now();
}

void PostgresSession::on_tick() {
  const config::Timeouts& timeouts = plan().settings.timeouts;
  const config::PostgresListener& settings = plan().settings.postgres;
  const Instant now = worker_.now.monotonic;
  if (ending_) return;
  if (stage_ == Stage::closing) {
    // Until it has read why, what it still sends is taken: a close would destroy the reason.
    const Duration patience = to_client_.empty() && lingers_ ? linger_time : timeouts.stall;
    const bool is_told = to_client_.empty() && !lingers_;
    if (is_told || now >= last_progress_ + patience) close_now();
    return;
  }
  if (stage_ == Stage::cancelling) {
    if (now >= since_ + settings.login_timeout) close_now();
    return;
  }
  if (stage_ == Stage::connect) return;  // it has limits of its own
  if (!is_greeted_) {
    if (now >= since_ + settings.login_timeout) {
      refuse_login("08006", "the login took too long", "login-timeout");
    }
    return;
  }
  if (replication_ != Replication::none && !may_still_replicate()) {
    return fail_session("57P01", "replication is no longer allowed", "replication-withdrawn");
  }
  if (!to_client_.empty()) {
    // A client that takes no bytes holds buffers that others need. A target that takes
    // none is at work on what it took before.
    if (now >= last_progress_ + timeouts.stall) on_client_lost();
  } else if (expected_.empty() && upstream_ != Upstream::wanted && hold_ == nullptr &&
             now >= last_progress_ + settings.idle_timeout) {
    return fail_session("57P05", "the session was idle for too long", "idle");
  }
  const bool asks = stage_ == Stage::login || stage_ == Stage::settings;
  if (asks && now >= last_progress_ + timeouts.stall) {
    return fail_session("08006", "the target did not say what a session is like", "stalled");
  }
  client_out_.pour_spill();
  upstream_out_.pour_spill();
  watch_hold();
  advance();
}

/// Between statements, and while people are asked.
Instant PostgresSession::rests_until() const noexcept {
  const bool is_open = stage_ == Stage::open && is_greeted_ && !ending_ &&
                       replication_ == Replication::none && upstream_ != Upstream::wanted;
  const bool has_nothing_to_say =
      to_client_.empty() && !client_out_.has_spill() && !upstream_out_.has_spill();
  // What the target has said may have found no buffer to be passed on in.
  if (!is_open || !has_nothing_to_say || !upstream_inbox_.empty()) return {};
  if (hold_ != nullptr) return is_held() && !hold_->is_notice_due ? hold_->deadline : Instant();
  const bool is_idle = is_at_rest() && client_inbox_.empty();
  return is_idle ? last_progress_ + plan().settings.postgres.idle_timeout : Instant();
}

void PostgresSession::on_drain() {
  if (stage_ != Stage::open) return;
  if (is_held()) {
    refuse_held(HoldEnd::interrupted, "the gateway is going down");
    advance();
    if (stage_ != Stage::open) return;
  }
  if (is_at_rest() && status_ == postgres::TransactionStatus::idle) {
    fail_session("57P01", "the gateway is going down; connect again", "drained");
  }
}

CancelOrder PostgresSession::on_kill() {
  const bool runs = stage_ == Stage::open && !is_at_rest() && has_running_target();
  CancelOrder order = runs ? cancel_order() : CancelOrder();
  constexpr std::string_view why = "an operator ended this session";
  is_greeted_ ? fail_session("57P01", why, "killed") : refuse_login("57P01", why, "killed");
  return order;
}

void PostgresSession::describe_own(SessionSummary& summary) const {
  summary.database = recorded_database_;
  if (!principal_) return;
  summary.subject = principal_->who().subject;
  summary.issuer = principal_->who().issuer;
  const bool is_idle = stage_ == Stage::open && is_at_rest();
  summary.state = is_idle ? SessionState::idle : SessionState::busy;
  if (stage_ == Stage::closing) summary.state = SessionState::ending;
}

/// What it does not run cannot be cancelled: the connection may be another's next.
bool PostgresSession::has_running_target() const noexcept {
  return backend_ != nullptr && (!is_pooled_ || !is_quiet_) && !backend_->cancel_key().empty();
}

CancelOrder PostgresSession::cancel_order() const {
  CancelOrder order(16 + backend_->cancel_key().size());
  postgres::Writer writer(order);
  writer.cancel_request(backend_->process(), backend_->cancel_key());
  order.resize(writer.written().size());
  return order;
}

std::optional<CancelOrder> PostgresSession::on_cancel(const CancelKey& key) {
  if (stage_ != Stage::open || (!has_running_target() && !is_held())) return std::nullopt;
  const CancelKey own = cancel_key();
  // Without an early end: what takes longer would tell how much was right.
  unsigned differs = own.process ^ key.process;
  differs |= static_cast<unsigned>(own.secret_bytes ^ key.secret_bytes);
  for (std::size_t i = 0; i < own.secret.size(); ++i) {
    differs |= static_cast<unsigned>(own.secret[i] ^ key.secret[i]);
  }
  if (differs != 0) return std::nullopt;
  if (!record_session("cancel", "the client asked to cancel what it runs")) return std::nullopt;
  if (is_held()) {
    refuse_held(HoldEnd::withdrawn, "the client cancelled it");
    advance();
    return CancelOrder();
  }
  return cancel_order();
}

/// It is never told whether it helped, only that it is over.
void PostgresSession::on_cancel_settled() {
  if (stage_ == Stage::cancelling) close_after_flush();
}

bool PostgresSession::wants_client_bytes() const noexcept {
  if (client_ended_) return false;
  if (stage_ == Stage::closing) return true;
  return client_inbox_.buffers() < 2 && to_upstream_.bytes() < backlog_bytes_max();
}

bool PostgresSession::wants_upstream_bytes() const noexcept {
  return upstream_inbox_.buffers() < 2 && to_client_.bytes() < backlog_bytes_max();
}

std::shared_ptr<const identity::ApiKeys> PostgresSession::keys() const noexcept {
  return keys_;
}

UpstreamPool& PostgresSession::upstream_pool() noexcept {
  return worker_.current->pool(plan().target);
}

const config::Target& PostgresSession::target() const noexcept {
  return worker_.current->snapshot().targets[plan().target].settings;
}

const ListenerPlan& PostgresSession::plan() const noexcept {
  return worker_.current->snapshot().listeners[listener_];
}

/// Guessing it is guessing the worker's secret.
CancelKey PostgresSession::cancel_key() const noexcept {
  CancelKey key;
  constexpr std::uint32_t session_mask = (1U << cancel_session_bits) - 1;
  const auto worker = static_cast<std::uint32_t>(number_ >> 48);
  key.process =
      worker << cancel_session_bits | (static_cast<std::uint32_t>(number_) & session_mask);
  const Fingerprint low = worker_.fingerprint_key.of(fmt::format("cancel {}", number_));
  const Fingerprint high = worker_.fingerprint_key.of(fmt::format("cancel' {}", number_));
  // Protocol 3.0 has room for four bytes.
  key.secret_bytes = version_.minor >= 2 ? cancel_secret_bytes_max : 4;
  std::array<std::uint8_t, cancel_secret_bytes_max> secret;
  std::memcpy(secret.data(), low.data(), sizeof low);
  std::memcpy(secret.data() + sizeof low, high.data(), sizeof high);
  std::copy_n(secret.begin(), key.secret_bytes, key.secret.begin());
  return key;
}

void PostgresSession::advance() {
  for (bool moved = true; moved && stage_ != Stage::closing;) {
    moved = false;
    switch (stage_) {
      case Stage::startup:
        moved = read_startup();
        break;
      case Stage::proof:
        moved = read_proof();
        break;
      case Stage::login:
        moved = read_login_reply();
        break;
      case Stage::settings:
        moved = read_settings_reply();
        break;
      case Stage::open:
        moved = read_server();
        if (stage_ == Stage::open) moved = read_client() || moved;
        break;
      case Stage::slow_proof:
      case Stage::token_keys:
      case Stage::connect:
      case Stage::cancelling:
      case Stage::closing:
        break;
    }
  }
  tell_of_hold();
  let_go();
  const bool is_stuck = upstream_inbox_.empty() || client_out_.has_room();
  if (!target_ended_ || stage_ != Stage::open || !is_stuck) return;
  if (target_broke_) {
    return fail_session("08006", "the connection to the target broke", "upstream-failed");
  }
  end_by_target();
}

/// Tells the client why its session ends, unless it is in the midst of a message that
/// passes piece by piece: that would be read as its rest.
void PostgresSession::say_fatal(std::string_view code, std::string_view message) {
  if (worker_.log.is_broken()) {
    // Nothing will be durable now. What waits for that must not be overtaken.
    if (!may_answer() || client_out_.has_spill()) return close_now();
    answer_after(0);
  }
  std::array<std::uint8_t, 8 * 1024> room;
  postgres::Writer writer(room);
  writer.error_response({.severity = "FATAL", .code = code, .message = message});
  const bool told = server_piece_left_ != 0 || client_out_.copy(writer.written());
  told ? close_after_flush() : close_now();
}

/// Nothing more can be done for this client; it is told why.
void PostgresSession::fail_session(std::string_view code, std::string_view message,
                                   std::string_view result) {
  drop_operations(result);
  release_upstream(UpstreamWish::discard);
  end({.why = std::string(message), .code = std::string(code), .message = std::string(message)});
}

/// As fail_session, of a client that is not in yet. It learns no more than it must.
void PostgresSession::refuse_login(std::string_view code, std::string_view message,
                                   std::string_view why) {
  worker_.metrics.requests_unauthenticated.add();
  release_upstream(UpstreamWish::discard);
  end({true, std::string(why), std::string(code), std::string(message)});
}

void PostgresSession::end(Ending ending) {
  if (stage_ == Stage::closing) return;
  stage_ = Stage::closing;
  end_hold(client_ended_ ? HoldEnd::withdrawn : HoldEnd::interrupted);
  client_inbox_.clear(worker_);
  upstream_inbox_.clear(worker_);
  ending_ = std::move(ending);
  finish_ending();
}

void PostgresSession::finish_ending() {
  if (!record_ending(*ending_) && !worker_.log.is_broken()) {
    waits_for_log_ = true;
    worker_.metrics.log_stalls.add();
    return;
  }
  const Ending ending = *std::exchange(ending_, std::nullopt);
  if (client_ended_) return close_now();
  ending.code.empty() ? close_after_flush() : say_fatal(ending.code, ending.message);
}

bool PostgresSession::record_ending(const Ending& ending) {
  if (!ending.is_refusal) {
    return !principal_ || log_.append_last(describe_session("closed", ending.why));
  }
  audit::Record record;
  record.phase = audit::Phase::session;
  record.time = worker_.now;
  record.session = number_;
  record.configuration = worker_.current->snapshot().generation;
  record.policy = worker_.current->snapshot().policy_digest;
  record.peer = peer_text_;
  record.listener = plan().settings.name;
  record.target = target().name;
  record.protocol = "postgres";
  record.event = "refused";
  record.certificate = certificate_->fingerprint();
  const std::string detail =
      certificate_note_.empty() ? ending.why : fmt::format("{}; {}", ending.why, certificate_note_);
  record.detail = detail;
  return log_.append_last(record);
}

std::optional<std::uint64_t> PostgresSession::record_session(std::string_view event,
                                                             std::string_view detail) {
  if (!principal_) return 0;
  return log_.append_single(describe_session(event, detail));
}

audit::Record PostgresSession::describe_session(std::string_view event, std::string_view detail) {
  audit::Record record;
  record.phase = audit::Phase::session;
  record.time = worker_.now;
  record.session = number_;
  record.configuration = worker_.current->snapshot().generation;
  record.policy = worker_.current->snapshot().policy_digest;
  record.upstream_user = target().credential ? target().credential->user : std::string_view();
  describe_principal(principal_->who(), record, worker_);
  record.certificate = certificate_->fingerprint();
  record.peer = peer_text_;
  record.listener = plan().settings.name;
  record.target = target().name;
  record.protocol = "postgres";
  record.event = event;
  record.detail = detail;
  return record;
}

void PostgresSession::close_after_flush() {
  stage_ = Stage::closing;
  lingers_ = true;
  client_inbox_.clear(worker_);
  upstream_inbox_.clear(worker_);
  if (client_end_ == ClientEnd::open) client_end_ = ClientEnd::after_flush;
  note_progress();
}

void PostgresSession::close_now() {
  stage_ = Stage::closing;
  client_end_ = ClientEnd::now;
}

void PostgresSession::drop_operations(std::string_view result) {
  while (!operations_open_.empty()) end_operation(result);
  expected_.clear();
  pending_.clear();
}

/// What proved the client may have been withdrawn since: who lost it is sent away.
bool PostgresSession::renew_principal() {
  const auto& certificate =
      certificate_->prove(worker_.current->snapshot(), listener_, worker_.now.wall);
  return !identity::ends_trust(certificate.fault) &&
         principal_->renew(*worker_.current, listener_, worker_.tokens, worker_.now.wall);
}

void PostgresSession::fail_withdrawn() {
  fail_session("57P01", "the credential that this session began with is no longer valid",
               "credential-withdrawn");
}

}  // namespace sluice::dataplane
