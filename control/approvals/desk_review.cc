// Reviews: somebody looks at what one person ran by breaking the glass, while it runs or long
// afterwards.
#include <fmt/format.h>

#include <utility>

#include "control/approvals/desk.h"

namespace sluice::control {

DecisionReply Desk::refuse(const Request& request, const Decision& decision, DecisionFault fault) {
  ++counts_.decisions_refused;
  static_cast<void>(record(request, "decision-refused", &decision, fault, Weight::note));
  return {DecisionReply::Kind::refused, fault, std::string(text(fault))};
}

DecisionReply Desk::review(const std::string& request, const Decision& decision) {
  using Kind = DecisionReply::Kind;
  auto row = store_->find(request);
  if (!row) return {Kind::unavailable, {}, row.error().message};
  auto known = *row ? request_of((*row)->document) : std::nullopt;
  if (!known) {
    known.emplace().what.request = request;
    DecisionReply reply = refuse(*known, decision, DecisionFault::closed);
    return {Kind::unknown_request, reply.fault, fmt::format("no request {}", request)};
  }
  if (const DecisionFault fault = fault_of(*known, decision); fault != DecisionFault::none) {
    return refuse(*known, decision, fault);
  }
  known->state = RequestState::reviewed;
  if (auto done = record(*known, "reviewed", &decision, DecisionFault::none, Weight::effect);
      !done) {
    return {Kind::unavailable, {}, done.error().message};
  }
  StoredRequest next = std::move(**row);
  next.state = text(RequestState::reviewed);
  next.document = with_decision(next.document, decision, RequestState::reviewed);
  if (auto done = store_->put({&next, 1}); !done) {
    return {Kind::unavailable, {}, done.error().message};
  }
  // It may be running yet, and be kept again when it ends.
  if (const auto at = open_.find(request); at != open_.end()) {
    at->second.request.state = RequestState::reviewed;
    at->second.request.decisions.push_back(decision);
  }
  --counts_.unreviewed;
  DecisionReply reply{Kind::taken, DecisionFault::none, next.document};
  options_.tell(std::move(next));
  return reply;
}

}  // namespace sluice::control
