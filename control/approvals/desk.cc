#include "control/approvals/desk.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <utility>

namespace sluice::control {
namespace {

using config::HoldAnswer;
using config::HoldEnd;

/// How exactly expiry is kept.
constexpr std::chrono::milliseconds look_every{100};
/// The log has all that ever was; the store is for who looks back a little.
constexpr std::size_t closed_kept_max = 10'000;
constexpr std::size_t listed_max = 1'000;
/// What people still have to do something about.
constexpr std::array open_states{std::string_view("waiting"), std::string_view("unreviewed")};

HoldAnswer::Kind answer_kind(RequestState state) {
  switch (state) {
    case RequestState::approved:
    case RequestState::unreviewed:
    case RequestState::reviewed:
      return HoldAnswer::Kind::approved;
    case RequestState::denied:
      return HoldAnswer::Kind::denied;
    case RequestState::expired:
      return HoldAnswer::Kind::expired;
    case RequestState::waiting:
    case RequestState::withdrawn:
    case RequestState::lost:
      return HoldAnswer::Kind::unavailable;
  }
  return HoldAnswer::Kind::unavailable;
}

std::string_view event_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::approve:
      return "approved";
    case Verdict::deny:
      return "denied";
    case Verdict::break_glass:
      return "break-glass";
    case Verdict::review:
      return "reviewed";
  }
  return "denied";
}

StoredRequest stored(const Request& request) {
  return {request.what.request, std::string(text(request.state)), request.since.wall,
          to_json(request)};
}

}  // namespace

Desk::Desk(std::unique_ptr<RequestStore> store, const config::Approvals& limits)
    : store_(std::move(store)), limits_(limits) {}

Desk::~Desk() {
  stop();
}

Result<void> Desk::start(Options options) {
  {
    const std::lock_guard lock(mutex_);
    options_ = std::move(options);
    if (auto closed = close_lost(); !closed) return closed;
    const auto unreviewed = store_->list(text(RequestState::unreviewed), SIZE_MAX >> 1);
    if (!unreviewed) return tl::unexpected(unreviewed.error());
    counts_.unreviewed = unreviewed->size();
    is_open_ = true;
  }
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "approvals");
  return {};
}

void Desk::stop() {
  {
    const std::lock_guard lock(errands_mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(mutex_);
  if (!std::exchange(is_open_, false)) return;
  for (auto at = open_.begin(); at != open_.end(); at = open_.begin()) {
    if (at->second.request.state == RequestState::waiting) {
      close(at, RequestState::lost, "lost");
    } else {
      open_.erase(at);
    }
  }
}

void Desk::take_up(const config::Approvals& limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

void Desk::hold(config::HeldOperation what, config::AnswerHold answer) {
  {
    const std::lock_guard lock(errands_mutex_);
    errands_.push_back({std::move(what), std::move(answer), {}});
  }
  changed_.notify_one();
}

void Desk::end_hold(std::string request, HoldEnd how) {
  Errand errand;
  errand.what.request = std::move(request);
  errand.how = how;
  {
    const std::lock_guard lock(errands_mutex_);
    errands_.push_back(std::move(errand));
  }
  changed_.notify_one();
}

void Desk::run() {
  for (bool is_idle = true;;) {
    std::vector<Errand> errands;
    {
      std::unique_lock lock(errands_mutex_);
      const auto has_news = [this] { return stopping_ || !errands_.empty(); };
      if (is_idle) {
        changed_.wait(lock, has_news);
      } else {
        changed_.wait_for(lock, look_every, has_news);
      }
      if (stopping_) return;
      errands.swap(errands_);
    }
    const std::lock_guard lock(mutex_);
    // A worker's hold comes before its end; all that arrived is kept by one transaction.
    std::vector<Errand> arrived;
    std::vector<Errand> ended;
    std::vector<Errand> returning;
    for (Errand& errand : errands) {
      const bool asks = errand.what.errand == config::HeldOperation::Errand::ask;
      (!errand.answer ? ended : asks ? arrived : returning).push_back(std::move(errand));
    }
    if (!arrived.empty()) open(std::move(arrived));
    for (Errand& errand : returning) revisit(std::move(errand));
    for (const Errand& errand : ended) on_end(errand.what.request, errand.how);
    expire();
    is_idle = open_.empty();
  }
}

/// Recorded, kept, and only then shown to anybody.
void Desk::open(std::vector<Errand> arrived) {
  const Now now = options_.clock();
  std::vector<std::string> names;
  std::vector<StoredRequest> rows;
  for (Errand& errand : arrived) {
    HoldAnswer refusal{HoldAnswer::Kind::too_many,
                       errand.what.request,
                       {},
                       "too many operations wait for approval already"};
    if (!has_room_for(errand.what)) {
      ++counts_.too_many;
      errand.answer(std::move(refusal));
      continue;
    }
    Open one{{}, std::move(errand.answer)};
    one.request.what = std::move(errand.what);
    one.request.since = one.request.until = now;
    const Duration wait = one.request.what.wait;
    one.request.until = {now.monotonic + wait, now.wall + wait};
    const std::string name = one.request.what.request;
    if (open_.contains(name) ||
        !record(one.request, "requested", nullptr, DecisionFault::none, Weight::note)) {
      refusal.kind = HoldAnswer::Kind::unavailable;
      refusal.reason = "the request could not be recorded";
      ++counts_.unavailable;
      one.answer(std::move(refusal));
      continue;
    }
    rows.push_back(stored(one.request));
    names.push_back(name);
    next_expiry_ = std::min(next_expiry_, expiry_of(one.request));
    open_.emplace(name, std::move(one));
  }
  const auto kept = store_->put(rows);
  if (kept) static_cast<void>(store_->prune(open_states, closed_kept_max));
  for (const std::string& name : names) {
    const auto at = open_.find(name);
    HoldAnswer answer{HoldAnswer::Kind::parked, name, at->second.request.what.binding, {}};
    if (!kept) {
      answer.kind = HoldAnswer::Kind::unavailable;
      answer.reason = "the request could not be kept";
      ++counts_.unavailable;
    }
    at->second.answer(std::move(answer));
    if (kept) {
      options_.tell(stored(at->second.request));
    } else {
      open_.erase(at);
    }
  }
}

bool Desk::has_room_for(const config::HeldOperation& what) const {
  if (open_.size() >= limits_.held_max) return false;
  const auto own = std::ranges::count_if(open_, [&](const auto& one) {
    const config::Principal& who = one.second.request.what.who;
    return who.subject == what.who.subject && who.issuer == what.who.issuer;
  });
  return static_cast<std::uint64_t>(own) < limits_.held_per_principal_max;
}

/// The worker is done with it. What was approved may have run or not; what still waited was
/// given up.
void Desk::on_end(const std::string& request, HoldEnd how) {
  const auto at = open_.find(request);
  if (at == open_.end()) return;
  const Request& own = at->second.request;
  if (own.what.is_ticket && own.state == RequestState::approved) return on_use_ended(at, how);
  at->second.request.ended = config::text(how);
  if (at->second.request.state == RequestState::waiting) {
    const bool is_expired = how == HoldEnd::refused;
    return close(at, is_expired ? RequestState::expired : RequestState::withdrawn,
                 is_expired ? "expired" : "withdrawn");
  }
  static_cast<void>(
      record(at->second.request, "ended", nullptr, DecisionFault::none, Weight::note));
  static_cast<void>(keep(at->second.request));
  open_.erase(at);
}

void Desk::expire() {
  const Instant now = options_.clock().monotonic;
  if (now < next_expiry_) return;
  next_expiry_ = never;
  for (auto at = open_.begin(); at != open_.end();) {
    const auto next = std::next(at);
    if (const Instant expiry = expiry_of(at->second.request); now < expiry) {
      next_expiry_ = std::min(next_expiry_, expiry);
    } else if (at->second.request.state == RequestState::waiting) {
      close(at, RequestState::expired, "expired");
    } else {
      lapse(at);
    }
    at = next;
  }
}

/// Of one that was approved and is no ticket: never, its worker says when it has ended.
Instant Desk::expiry_of(const Request& request) {
  if (request.state == RequestState::waiting) return request.until.monotonic;
  const bool lapses = request.what.is_ticket && request.state == RequestState::approved;
  return lapses ? request.valid_until.monotonic : never;
}

/// What is in the store as waiting has nobody who waits, and tickets end with the gateway.
Result<void> Desk::close_lost() {
  const auto waiting = store_->list(text(RequestState::waiting), SIZE_MAX >> 1);
  if (!waiting) return tl::unexpected(waiting.error());
  const auto approved = store_->list(text(RequestState::approved), SIZE_MAX >> 1);
  if (!approved) return tl::unexpected(approved.error());
  std::vector<StoredRequest> rows = *waiting;
  std::ranges::copy_if(*approved, std::back_inserter(rows), [](const StoredRequest& row) {
    return closed_request(row.document).is_open;
  });
  for (StoredRequest& row : rows) {
    audit::Record lost;
    lost.event = "lost";
    lost.approval = row.id;
    lost.detail = "it waited when the gateway went";
    if (auto done = options_.record(lost, Weight::note); !done) return done;
    row.state = text(RequestState::lost);
    row.document = with_state(row.document, RequestState::lost);
    count(RequestState::lost);
  }
  if (auto kept = store_->put(rows); !kept) return kept;
  for (StoredRequest& row : rows) options_.tell(std::move(row));
  return {};
}

/// It was not approved, and will not be.
void Desk::close(OpenRequests::iterator at, RequestState state, std::string_view event) {
  Open& one = at->second;
  one.request.state = state;
  count(state);
  // Nothing is to run by this: it holds even where log or disk refuse.
  static_cast<void>(record(one.request, event, nullptr, DecisionFault::none, Weight::note));
  static_cast<void>(keep(one.request));
  options_.tell(stored(one.request));
  const bool is_awaited =
      one.request.ended.empty() && state != RequestState::lost && !one.request.what.is_ticket;
  if (is_awaited) {
    one.answer({answer_kind(state), one.request.what.request, {}, "nobody decided in time"});
  }
  open_.erase(at);
}

DecisionReply Desk::decide(const std::string& request, Decision decision) {
  using Kind = DecisionReply::Kind;
  const std::lock_guard lock(mutex_);
  if (!is_open_) return {Kind::unavailable, {}, "the gateway is going down"};
  decision.at = options_.clock();
  if (decision.verdict == Verdict::review) return review(request, decision);
  const auto at = open_.find(request);
  if (at == open_.end()) {
    const auto known = store_->find(request);
    if (!known) return {Kind::unavailable, {}, known.error().message};
    Request closed;
    closed.what.request = request;
    closed.state = RequestState::lost;
    const DecisionFault fault = fault_of(closed, decision);
    ++counts_.decisions_refused;
    static_cast<void>(record(closed, "decision-refused", &decision, fault, Weight::note));
    if (!*known) return {Kind::unknown_request, fault, fmt::format("no request {}", request)};
    return {Kind::refused, fault, fmt::format("{}: it is {}", text(fault), (*known)->state)};
  }
  Request& own = at->second.request;
  if (const DecisionFault fault = fault_of(own, decision); fault != DecisionFault::none) {
    return refuse(own, decision, fault);
  }
  Request next = own;
  next.decisions.push_back(decision);
  next.state = state_of(next, decision.at.monotonic);
  if (next.what.is_ticket && next.state == RequestState::approved) {
    next.uses_left = next.what.uses;
    next.valid_until = {decision.at.monotonic + next.what.valid_for,
                        decision.at.wall + next.what.valid_for};
  }
  if (auto done =
          record(next, event_of(decision.verdict), &decision, DecisionFault::none, Weight::effect);
      !done) {
    return {Kind::unavailable, {}, done.error().message};
  }
  if (auto done = keep(next); !done) return {Kind::unavailable, {}, done.error().message};
  own = std::move(next);
  next_expiry_ = std::min(next_expiry_, expiry_of(own));
  DecisionReply reply{Kind::taken, DecisionFault::none, to_json(own)};
  if (own.state == RequestState::waiting) return reply;
  count(own.state);
  options_.tell(stored(own));
  HoldAnswer answer{answer_kind(own.state), request, own.what.binding, {}};
  if (own.state == RequestState::denied) {
    answer.reason = denial_text(decision.who.subject, decision.reason);
  }
  // Nobody waits for a ticket: who asked comes back.
  if (!own.what.is_ticket) at->second.answer(std::move(answer));
  if (own.state == RequestState::denied) open_.erase(at);
  return reply;
}

Result<std::string> Desk::list(std::string_view state) {
  const std::lock_guard lock(mutex_);
  const auto rows = store_->list(state, listed_max);
  if (!rows) return tl::unexpected(rows.error());
  std::string out = "{\"requests\":[";
  for (const StoredRequest& row : *rows) {
    if (&row != rows->data()) out += ',';
    out += row.document;
  }
  return out + "]}";
}

Result<std::optional<std::string>> Desk::show(const std::string& request) {
  const std::lock_guard lock(mutex_);
  auto row = store_->find(request);
  if (!row) return tl::unexpected(row.error());
  if (!*row) return std::optional<std::string>();
  return std::optional((*row)->document);
}

ApprovalCounts Desk::counts() const {
  const std::lock_guard lock(mutex_);
  ApprovalCounts counts = counts_;
  counts.waiting = static_cast<std::uint64_t>(std::ranges::count_if(
      open_, [](const auto& one) { return one.second.request.state == RequestState::waiting; }));
  return counts;
}

Result<void> Desk::keep(const Request& request) {
  const StoredRequest row = stored(request);
  return store_->put({&row, 1});
}

/// decision  whose; null: of the request itself, and of who asked.
Result<void> Desk::record(const Request& request, std::string_view event, const Decision* decision,
                          DecisionFault fault, Weight weight) const {
  const config::HeldOperation& what = request.what;
  const config::Principal& who = decision != nullptr ? decision->who : what.who;
  const std::vector<std::string_view> groups(who.groups.begin(), who.groups.end());
  const std::string user =
      decision != nullptr && decision->user ? fmt::format("user {}", *decision->user) : "";
  const std::string rule = what.rules.empty() ? std::string() : what.rules.front().rule;
  audit::Record record;
  record.session = what.session;
  record.operation = what.operation;
  record.subject = who.subject;
  record.issuer = who.issuer;
  record.proof = config::text(who.proof);
  record.credential_id = who.credential_id;
  record.groups = groups;
  record.peer = decision != nullptr ? std::string_view(user) : std::string_view(what.peer);
  record.listener = what.listener;
  record.target = what.target;
  record.protocol = what.protocol;
  record.verb = what.verb;
  record.resource = what.resource;
  record.host = what.host;
  record.rule = rule;
  record.event = event;
  record.result = text(request.state);
  record.approval = what.request;
  if (what.session != 0) record.binding = what.binding;
  if (decision != nullptr) record.detail = decision->reason;
  if (!request.ended.empty()) record.detail = request.ended;
  if (fault != DecisionFault::none) record.reason = text(fault);
  return options_.record(record, weight);
}

void Desk::count(RequestState state) {
  switch (state) {
    case RequestState::approved:
      ++counts_.approved;
      return;
    case RequestState::denied:
      ++counts_.denied;
      return;
    case RequestState::expired:
      ++counts_.expired;
      return;
    case RequestState::withdrawn:
      ++counts_.withdrawn;
      return;
    case RequestState::lost:
      ++counts_.lost;
      return;
    case RequestState::unreviewed:
      ++counts_.broken;
      ++counts_.unreviewed;
      return;
    case RequestState::waiting:
    case RequestState::reviewed:
      return;
  }
}

}  // namespace sluice::control
