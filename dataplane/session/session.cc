#include "dataplane/session/session.h"

#include <utility>

#include "dataplane/session/http_session.h"
#include "dataplane/session/postgres_session.h"

namespace sluice::dataplane {

Session::Session(WorkerContext& worker, std::uint16_t listener, const Endpoint& peer,
                 std::uint64_t session_number)
    : worker_(worker),
      log_(worker.session_ends, session_number),
      peer_text_(text(peer)),
      source_(as_text(source_of(peer))),
      number_(session_number),
      last_progress_(worker.now.monotonic),
      listener_(listener) {}

Session::~Session() {
  to_client_.clear(worker_.pool);
  to_upstream_.clear(worker_.pool);
}

void Session::describe(SessionSummary& summary) const {
  summary.number = number_;
  summary.operations = operations_;
  describe_own(summary);
  if (is_held()) summary.state = SessionState::held;
  if (client_end_ != ClientEnd::open) summary.state = SessionState::ending;
}

Session::UpstreamWish Session::take_upstream_wish() noexcept {
  // What is held goes before something new is asked for.
  const UpstreamWish wish = std::exchange(wish_, UpstreamWish::none);
  if (wish != UpstreamWish::none || !std::exchange(acquires_, false)) return wish;
  return UpstreamWish::acquire;
}

std::string Session::take_proof_wish() noexcept {
  return std::exchange(proof_wish_, {});
}

void Session::release_upstream(UpstreamWish wish, std::unique_ptr<UpstreamState> state) {
  acquires_ = false;
  if (upstream_ == Upstream::none) return;
  upstream_ = Upstream::none;
  to_upstream_.abandon_send();
  wish_ = wish;
  parting_ = std::move(state);
}

void Session::acquire_upstream() noexcept {
  upstream_ = Upstream::wanted;
  acquires_ = true;
}

bool Session::may_try_proof(const Snapshot& snapshot) noexcept {
  const bool may = worker_.failed_proofs.may_try(snapshot.failed_proofs_per_source, source_,
                                                 worker_.now.monotonic);
  if (!may) worker_.metrics.proofs_unseen.add();
  return may;
}

void Session::note_failed_proof(const Snapshot& snapshot) noexcept {
  worker_.failed_proofs.note(snapshot.failed_proofs_per_source, source_, worker_.now.monotonic);
}

bool Session::awaits_keys(const TokenProofs::Answer& answer) {
  const auto before = std::exchange(attempts_before_, std::nullopt);
  // Another issuer's keys are no answer.
  if (answer.awaited == nullptr || answer.attempts != before.value_or(answer.attempts)) {
    return false;
  }
  keys_wish_ = answer.awaited->issuer;
  attempts_before_ = answer.attempts;
  return true;
}

bool Session::awaits_issuer(const TokenProofs::Answer& answer, std::string_view token,
                            const Fingerprint& print, const Snapshot& snapshot) {
  awaits_issuer_ = answer.asked != nullptr && worker_.tokens.is_under(snapshot);
  if (!awaits_issuer_) return false;
  token_question_ = std::make_unique<TokenQuestion>(
      TokenQuestion{std::string(token), print, snapshot.generation, *answer.asked});
  return true;
}

void Session::begin_hold(std::unique_ptr<config::HeldOperation> what) {
  // Whoever answers sees to it that nothing waits for longer; should no answer come, this does.
  constexpr Duration grace = seconds(5);
  hold_ = std::make_unique<PendingHold>();
  hold_->request = what->request;
  hold_->errand = what->errand;
  hold_->binding = what->binding;
  hold_->configuration = what->configuration;
  hold_->deadline = worker_.now.monotonic + what->wait + grace;
  hold_->wish = std::move(what);
  has_hold_news_ = true;
}

void Session::drop_hold(config::HoldEnd how) {
  const auto hold = std::move(hold_);
  if (hold->wish != nullptr) return;  // nobody was told of it yet
  // Who comes back for a request leaves it as it is, unless it was let in.
  const bool is_granted = hold->answer && hold->answer->kind == config::HoldAnswer::Kind::approved;
  const bool comes_back = hold->errand != config::HeldOperation::Errand::ask;
  const bool is_claimed = hold->errand == config::HeldOperation::Errand::claim && is_granted;
  if (comes_back && !is_claimed) return;
  ended_hold_ = std::make_unique<EndedHold>(EndedHold{hold->request, how});
  has_hold_news_ = true;
}

std::unique_ptr<config::HeldOperation> Session::take_hold_wish() noexcept {
  has_hold_news_ = false;
  return hold_ == nullptr ? nullptr : std::move(hold_->wish);
}

std::unique_ptr<EndedHold> Session::take_ended_hold() noexcept {
  return std::move(ended_hold_);
}

bool Session::may_record() noexcept {
  if (worker_.log.has_room() || worker_.log.is_broken()) return true;
  waits_for_log_ = true;
  worker_.metrics.log_stalls.add();
  return false;
}

bool Session::is_scarce() const noexcept {
  return worker_.pool.is_scarce();
}

std::size_t Session::backlog_bytes_max() const noexcept {
  // Every connection makes do with less, so that slow readers cannot starve the others.
  return is_scarce() ? buffer_data_bytes_max : 8 * buffer_data_bytes_max;
}

std::unique_ptr<Session> make_session(WorkerContext& worker, std::uint16_t listener,
                                      const Endpoint& peer, std::uint64_t session_number,
                                      std::optional<SecureChannel> channel) {
  switch (worker.current->snapshot().listeners[listener].settings.protocol) {
    case config::Protocol::http:
      return std::make_unique<HttpSession>(worker, listener, peer, session_number,
                                           channel ? std::move(channel->client) : nullptr);
    case config::Protocol::postgres:
      return std::make_unique<PostgresSession>(worker, listener, peer, session_number,
                                               std::move(channel));
  }
  ASSERT(false);
}

}  // namespace sluice::dataplane
