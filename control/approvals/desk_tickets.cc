// Tickets: requests that nobody waits for on a connection. Who asked comes back, to look how
// far one is or to claim what was approved; each use is recorded before it is granted.
#include <utility>

#include "control/approvals/desk.h"

namespace sluice::control {
namespace {

using config::HeldOperation;
using config::HoldAnswer;
using config::HoldEnd;

constexpr std::string_view nothing_there = "there is no such request of yours, or it is over";

}  // namespace

/// The caller is told of requests of its own only.
void Desk::revisit(Errand errand) {
  const HeldOperation& what = errand.what;
  HoldAnswer answer{HoldAnswer::Kind::unknown, what.request, {}, std::string(nothing_there)};
  const auto at = open_.find(what.request);
  if (at == open_.end()) {
    answer = look_back(what);
  } else if (Request& own = at->second.request; own.what.is_ticket && is_asked_by(own, what.who)) {
    answer.reason.clear();
    if (own.state == RequestState::waiting) {
      answer.kind = HoldAnswer::Kind::parked;
    } else if (what.errand == HeldOperation::Errand::look) {
      answer.kind = HoldAnswer::Kind::approved;
    } else {
      answer = claim(own, what);
    }
  }
  errand.answer(std::move(answer));
}

HoldAnswer Desk::claim(Request& own, const HeldOperation& what) {
  const auto refused = [&](std::string_view why) {
    return HoldAnswer{HoldAnswer::Kind::denied, what.request, {}, std::string(why)};
  };
  if (what.binding != own.what.binding) return refused("this is not what was approved");
  if (what.configuration != own.what.configuration) {
    return refused("the configuration was changed since it was approved: ask again");
  }
  if (options_.clock().monotonic >= own.valid_until.monotonic || own.uses_left == 0) {
    return refused("it was approved, and can be used no longer: ask again");
  }
  Request next = own;
  --next.uses_left;
  ++next.running;
  auto done = record(next, "used", nullptr, DecisionFault::none, Weight::effect);
  if (done) done = keep(next);
  if (!done) return {HoldAnswer::Kind::unavailable, what.request, {}, done.error().message};
  own = std::move(next);
  return {HoldAnswer::Kind::approved, what.request, own.what.binding, {}};
}

/// Of what is over, the store knows.
HoldAnswer Desk::look_back(const HeldOperation& what) {
  HoldAnswer answer{HoldAnswer::Kind::unknown, what.request, {}, std::string(nothing_there)};
  const auto row = store_->find(what.request);
  if (!row) return {HoldAnswer::Kind::unavailable, what.request, {}, row.error().message};
  if (!*row) return answer;
  const ClosedRequest closed = closed_request((*row)->document);
  if (closed.subject != what.who.subject || closed.issuer != what.who.issuer) return answer;
  if (closed.state == RequestState::denied) {
    return {HoldAnswer::Kind::denied, what.request, {}, closed.reason};
  }
  if (closed.state == RequestState::expired) {
    return {HoldAnswer::Kind::expired, what.request, {}, "nobody decided in time"};
  }
  return answer;
}

/// One of the uses that were granted is over.
void Desk::on_use_ended(OpenRequests::iterator at, HoldEnd how) {
  Request& own = at->second.request;
  if (own.running != 0) --own.running;
  own.ended = config::text(how);
  static_cast<void>(record(own, "ended", nullptr, DecisionFault::none, Weight::note));
  if (own.uses_left == 0 && own.running == 0) {
    static_cast<void>(keep(own));
    open_.erase(at);
  } else {
    own.ended.clear();
  }
}

/// It was approved, and is not claimed any more.
void Desk::lapse(OpenRequests::iterator at) {
  Request& own = at->second.request;
  own.ended = "lapsed";
  static_cast<void>(record(own, "ended", nullptr, DecisionFault::none, Weight::note));
  static_cast<void>(keep(own));
  open_.erase(at);
}

}  // namespace sluice::control
