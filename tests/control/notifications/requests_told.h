// Requests as the desk tells of them.
#pragma once

#include <string>
#include <utility>

#include "control/approvals/store.h"
#include "requests.h"

namespace sluice::control::sample {

/// Held by one rule, which two of dba must agree to.
inline Request held_request(std::string id = "7KQ2M9XF",
                            RequestState state = RequestState::waiting) {
  Request made = request({{"careful", config::Approval{.by_groups = {"dba"}, .distinct = 2}}});
  made.what.request = std::move(id);
  made.what.target = "ledger";
  made.what.protocol = "postgres";
  made.what.verb = "delete";
  made.what.resource = "DELETE FROM postings WHERE n = ?";
  made.what.peer = "192.0.2.7:50123";
  made.state = state;
  return made;
}

inline StoredRequest told(const Request& request) {
  return {request.what.request, std::string(text(request.state)), request.since.wall,
          to_json(request)};
}

inline StoredRequest told(std::string id, RequestState state = RequestState::waiting) {
  return told(held_request(std::move(id), state));
}

}  // namespace sluice::control::sample
